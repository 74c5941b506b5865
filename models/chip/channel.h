#pragma once

#include <systemc>

#include <memory>

#include "models/chip/token.h"

namespace imssa {

/// Bounded channel between two units: a full one stops its writer, an empty one its reader.
template <class T>
class Channel final {
public:
    Channel(const char* name, int capacity) : fifo_(name, capacity) {}

    /// Waits for an item.
    T read() {
        T item = fifo_.read();
        --occupancy_;
        return item;
    }
    /// Waits for room.
    void write(const T& item) {
        fifo_.write(item);
        ++occupancy_;
    }
    bool try_read(T& item) {
        const bool taken = fifo_.nb_read(item);
        occupancy_ -= taken ? 1 : 0;
        return taken;
    }
    bool try_write(const T& item) {
        const bool written = fifo_.nb_write(item);
        occupancy_ += written ? 1 : 0;
        return written;
    }

    int space() const { return fifo_.num_free(); }
    int level() const { return fifo_.num_available(); }
    const sc_core::sc_event& written_event() const { return fifo_.data_written_event(); }
    const char* name() const { return fifo_.name(); }
    /// Items written and not yet read, for traces.
    const int& occupancy() const { return occupancy_; }

private:
    sc_core::sc_fifo<T> fifo_;
    int occupancy_ = 0;
};

using TokenChannel = Channel<TokenPtr>;

}  // namespace imssa

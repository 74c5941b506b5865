#pragma once

#include <cstdint>
#include <vector>

#include "models/array/converter_bits.h"
#include "models/array/read_config.h"
#include "models/common/lane_matrix.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// From input codes to what the rows see, in code units: converter errors, the non-linearity of the cells, and what a
/// code costs in noise and energy with each way of driving it. Pure tables over codes, made once.
class InputStage {
public:
    /// drivers: keys their errors. inputs_a_read: 0 when every input has a driver of its own, else how many there are;
    /// input i has driver i modulo that.
    InputStage(const ReadConfig& read, const QuantizedMatrix& matrix, std::uint64_t seed, std::uint32_t drivers,
               int inputs_a_read = 0);

    /// Whether the converters have fewer bits than the codes. All other functions take what driven_codes() gives.
    bool is_coarse() const { return grid_.step > 1.0F; }
    /// The codes that converters with fewer bits make of these. `out` is resized.
    void driven_codes(const LaneMatrix& codes, LaneMatrix& out) const;
    /// Whether the rows simply see the codes.
    bool is_linear() const { return value_.empty(); }
    /// Whether there is a part that does not change its sign with the input.
    bool has_even_part() const { return !even_.empty(); }
    /// Whether noise power and energies go with code^2 and |code| as for amplitudes.
    bool is_amplitude() const { return noise_power_.empty(); }

    /// Odd part of what the rows see; ideally the codes. `out` is resized; its padding is zero.
    void values(const LaneMatrix& codes, LaneMatrix& out) const { look_up(value_, codes, out); }
    void even_values(const LaneMatrix& codes, LaneMatrix& out) const { look_up(even_, codes, out); }
    /// Power of the read noise in units of that of one code; amplitudes: code^2.
    void noise_power(const LaneMatrix& codes, LaneMatrix& out) const { look_up(noise_power_, codes, out); }
    /// Time driven at full scale, in units of t_read; not for amplitudes.
    void on_time(const LaneMatrix& codes, LaneMatrix& out) const { look_up(on_time_, codes, out); }

private:
    /// One table of 2 limit + 1 values for all inputs, or one after another for each.
    using Table = std::vector<float>;
    void look_up(const Table& table, const LaneMatrix& codes, LaneMatrix& out) const;

    int limit_;
    CodeGrid grid_;
    Table value_, even_, noise_power_, on_time_;
};

}  // namespace imssa

#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

#include "models/common/lanes.h"

namespace imssa {

/// A zero-filled array aligned to whole vectors of 16.
template <class Value>
class AlignedArray {
public:
    AlignedArray() = default;
    explicit AlignedArray(std::size_t size) : size_(size) {
        if (size > 0) {
            values_.reset(static_cast<Value*>(::operator new (size * sizeof(Value), std::align_val_t{64})));
            std::fill_n(values_.get(), size, Value{});
        }
    }
    Value* data() { return values_.get(); }
    const Value* data() const { return values_.get(); }
    std::size_t size() const { return size_; }
    Value& operator[](std::size_t index) { return values_.get()[index]; }
    const Value& operator[](std::size_t index) const { return values_.get()[index]; }
    void clear() { std::fill_n(values_.get(), size_, Value{}); }

private:
    struct Release {
        void operator()(Value* values) const { ::operator delete (values, std::align_val_t{64}); }
    };
    std::size_t size_ = 0;
    std::unique_ptr<Value, Release> values_;
};

/// Whether any of `vectors` times 16 numbers is other than zero, in the first `lanes` of each.
template <class Number>
bool any_lane(const Number* values, int vectors, int lanes) {
    for (int vector = 0; vector < vectors; ++vector, values += kLaneWidth) {
        if (std::any_of(values, values + lanes, [](Number value) { return value != Number{0}; })) {
            return true;
        }
    }
    return false;
}

/// Time steps of 16 sequences are stored in blocks of 8 steps: [step / 8][channel][8][16]. A scan over time reads 512
/// bytes in a run; a dense product takes a block as a matrix channels x 128 without packing.
constexpr int kBlockSteps = 8;
constexpr int kBlockWidth = kBlockSteps * kLaneWidth;
/// Blocks between two checkpoints of the state (112 steps): the backward pass recomputes the states of one such chunk
/// at a time.
constexpr int kChunkBlocks = 14;

/// Channels of a sequence of blocks of floats or codes. With fewer blocks kept than the sequence has, it is a ring over
/// one chunk (evaluation).
template <class Number>
class Blocks {
public:
    Blocks() = default;
    Blocks(int channels, int blocks_kept)
        : channels_(channels),
          blocks_kept_(blocks_kept),
          values_(static_cast<std::size_t>(channels + 1) * blocks_kept * kBlockWidth) {}
    int channels() const { return channels_; }
    int blocks_kept() const { return blocks_kept_; }
    /// Numbers from one block to the next. One channel of padding keeps the blocks of a channel out of each other's
    /// cache sets: without it their distance is a multiple of 4 KiB for every channel count divisible by 8.
    std::size_t stride() const { return static_cast<std::size_t>(channels_ + 1) * kBlockWidth; }
    Number* block(int index) { return values_.data() + stride() * static_cast<std::size_t>(index % blocks_kept_); }
    const Number* block(int index) const {
        return values_.data() + stride() * static_cast<std::size_t>(index % blocks_kept_);
    }

private:
    int channels_ = 0;
    int blocks_kept_ = 1;
    AlignedArray<Number> values_;
};

using BlockBuffer = Blocks<float>;

}  // namespace imssa

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/common/lane_matrix.h"

namespace imssa {

/// What identifies a batch of sequences that travels as one set of lanes.
struct Batch {
    int index = 0;
    std::vector<std::uint64_t> sequence_ids;  ///< one a lane: keys read noise and dither
    std::vector<std::uint32_t> dither_keys;   ///< padded to whole vectors
    std::vector<int> lengths;                 ///< one a lane: steps that pooling counts; empty: all of them
    mutable std::int64_t start_cycle = 0;     ///< set by the encoder when it takes the first token

    int lanes() const { return static_cast<int>(sequence_ids.size()); }
};

/// One time step of all lanes of a batch on its way between two units.
struct Token {
    std::shared_ptr<const Batch> batch;
    int step = 0;
    bool first = false, last = false;       ///< of the sequence
    LaneMatrix codes;                       ///< channels x lanes
    std::shared_ptr<const Token> residual;  ///< the layer's input of the same step, for the layer unit
};
using TokenPtr = std::shared_ptr<const Token>;

/// Reuses the tokens that a unit has emitted once nobody holds them any more: no allocation in the steady state.
class TokenPool {
public:
    /// A token of channels x lanes with unspecified codes (padding stays finite), for step and batch of `source`.
    std::shared_ptr<Token> take(int channels, const Token& source);
    std::shared_ptr<Token> take(int channels, const std::shared_ptr<const Batch>& batch);

private:
    std::vector<std::shared_ptr<Token>> tokens_;
    std::size_t next_ = 0;
};

/// Gives `matrix` the shape channels x lanes; codes are kept when it has it already.
void reshape(LaneMatrix& matrix, int channels, int lanes);

}  // namespace imssa

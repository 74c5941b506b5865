#pragma once

#include <cstdint>

namespace imssa {

/// Registers of the chip as software sees them: 32-bit words, little endian, aligned single-word accesses.
namespace register_map {

constexpr std::uint64_t kIdentification = 0x00;  ///< r   kIdentificationValue
constexpr std::uint64_t kVersion = 0x04;         ///< r   kVersionValue
constexpr std::uint64_t kControl = 0x08;         ///< w   kControlStart begins a sequence with kSequenceId
constexpr std::uint64_t kStatus = 0x0C;          ///< r   kStatus... bits
constexpr std::uint64_t kSteps = 0x10;           ///< r   steps of a sequence
constexpr std::uint64_t kChannels = 0x14;        ///< r   input codes of a step
constexpr std::uint64_t kClasses = 0x18;         ///< r   logits of a sequence
constexpr std::uint64_t kStepCount = 0x1C;       ///< r   complete steps written since the last start
constexpr std::uint64_t kSequenceCount = 0x20;   ///< r   results that software has read completely
constexpr std::uint64_t kSequenceId = 0x24;      ///< rw  keys noise and dither of the next sequence
constexpr std::uint64_t kInputLimit = 0x28;      ///< r   largest magnitude of an input code
constexpr std::uint64_t kInputSpace = 0x2C;      ///< r   steps that the input FIFO still takes
constexpr std::uint64_t kInputData = 0x30;       ///< w   next input code (signed), channel by channel, step by step
constexpr std::uint64_t kResultLevel = 0x34;     ///< r   logits that wait in the result FIFO
constexpr std::uint64_t kResultData = 0x38;      ///< r   next logit (signed), class by class; takes it from the FIFO
constexpr std::uint64_t kTileCount = 0x3C;       ///< r   crossbar tiles
constexpr std::uint64_t kTileSelect = 0x40;      ///< rw  tile behind the weight window
constexpr std::uint64_t kTileRows = 0x44;        ///< r
constexpr std::uint64_t kTileColumns = 0x48;     ///< r

constexpr std::uint64_t kTileInputs = 0x4C;   ///< r   inputs of the matrix on the selected tile
constexpr std::uint64_t kTileOutputs = 0x50;  ///< r   outputs of the matrix on the selected tile

/// rw  steps of the next sequence that pooling counts, 1 to kSteps (kSteps at first); the input codes of all kSteps are
/// still written.
constexpr std::uint64_t kSequenceLength = 0x80;

/// Weight codes of the selected tile (signed, inputs x outputs, row by row). Debug transport only. Writes are staged
/// until kControlProgram; selecting a tile stages what it holds.
constexpr std::uint64_t kCodeWindow = 0x100000;

/// Conductances of the selected tile in nanosiemens, row by row. Debug transport only.
constexpr std::uint64_t kWeightWindow = 0x1000;

constexpr std::uint32_t kIdentificationValue = 0x494D5353;  ///< "IMSS"
constexpr std::uint32_t kVersionValue = 0x00010000;         ///< 1.0

constexpr std::uint32_t kControlStart = 1U << 0;
constexpr std::uint32_t kControlProgram = 1U << 4;  ///< the staged codes into the selected tile's cells
constexpr std::uint32_t kControlErase = 1U << 5;    ///< zeros into the cells of all tiles

constexpr std::uint32_t kStatusStreaming = 1U << 0;  ///< a sequence has started and needs more input
constexpr std::uint32_t kStatusBusy = 1U << 1;       ///< sequences are in the chip
constexpr std::uint32_t kStatusResult = 1U << 2;     ///< the result FIFO is not empty
constexpr std::uint32_t kStatusFault = 1U << 3;      ///< a unit has stopped

constexpr int kWordBytes = 4;
constexpr int kAccessCycles = 2;  ///< of the chip's clock, one register access

}  // namespace register_map

}  // namespace imssa

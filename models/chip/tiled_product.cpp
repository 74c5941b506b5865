#include "models/chip/tiled_product.h"

#include <algorithm>

#include "models/chip/timing_model.h"
#include "models/chip/token.h"
#include "models/mapping/weight_slices.h"

namespace imssa {

namespace {

QuantizedMatrix sub_matrix(const QuantizedMatrix& matrix, int input, int output, int inputs, int outputs) {
    QuantizedMatrix block;
    block.codes = matrix.codes.block(input, output, inputs, outputs);
    block.code_limit = matrix.code_limit;
    block.input_limit = matrix.input_limit;
    block.drive.assign(matrix.drive.begin() + input, matrix.drive.begin() + input + inputs);
    block.gain.assign(matrix.gain.begin() + output, matrix.gain.begin() + output + outputs);
    block.offset.assign(matrix.offset.begin() + output, matrix.offset.begin() + output + outputs);
    block.output_limit.assign(matrix.output_limit.begin() + output, matrix.output_limit.begin() + output + outputs);
    return block;
}

void copy_rows(const LaneMatrix& from, int from_row, LaneMatrix& to, int to_row, int rows) {
    std::copy_n(from.row(from_row), static_cast<std::size_t>(rows) * from.stride(), to.row(to_row));
}

}  // namespace

TiledProduct::TiledProduct(const QuantizedMatrix& whole, const ChipConfig& config, std::uint64_t seed,
                           std::uint32_t first_tile, const std::string& name)
    : inputs_(whole.inputs()),
      outputs_(whole.outputs() * config.mapping.weight_slices),
      slices_(config.mapping.weight_slices),
      slice_bits_(slice_bits(whole.code_limit, slices_)),
      calibration_(config.read, config.adc),
      adc_errors_(config.adc, slice_matrix(whole, slices_), conversion_rounds(outputs_, config.timing), seed,
                  first_tile, std::vector<bool>(static_cast<std::size_t>(outputs_), slices_ > 1)) {
    const QuantizedMatrix matrix = slice_matrix(whole, slices_);
    const int rows = std::max(1, config.mapping.tile_inputs());
    const int columns = std::max(
        1, (config.mapping.tile_columns - config.mapping.spare_columns) / MappingOptions::columns_per_output());
    for (int output = 0; output < outputs_; output += columns) {
        for (int input = 0; input < inputs_; input += rows) {
            const QuantizedMatrix block = sub_matrix(matrix, input, output, std::min(rows, inputs_ - input),
                                                     std::min(columns, outputs_ - output));
            const std::uint32_t tile = first_tile + static_cast<std::uint32_t>(blocks_.size());
            // Tiles side by side hang on the same drivers: those of the first.
            const std::uint32_t drivers = first_tile + static_cast<std::uint32_t>(input / rows);
            blocks_.push_back({input, output,
                               std::make_unique<Crossbar>(block, config.mapping, config.device, config.read, seed, tile,
                                                          name, 0, drivers)});
        }
    }
    for (int tile = 0; tile < tiles(); ++tile) {
        calibrate_columns(tile);
    }
}

void TiledProduct::calibrate_columns(int tile) {
    const Block& block = blocks_[static_cast<std::size_t>(tile)];
    imssa::calibrate_columns(*block.crossbar, 0, adc_errors_, block.first_output, calibration_);
}

const LaneMatrix& TiledProduct::block_inputs(const Block& block, const LaneMatrix& inputs) {
    if (block.crossbar->inputs() == inputs_) {
        return inputs;
    }
    reshape(block_inputs_, block.crossbar->inputs(), inputs.lanes());
    copy_rows(inputs, block.first_input, block_inputs_, 0, block.crossbar->inputs());
    return block_inputs_;
}

void TiledProduct::read(const LaneMatrix& inputs, const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
                        LaneMatrix& sums) {
    if (slices_ == 1) {
        read_sliced(inputs, sequence_ids, step, sums);
        return;
    }
    read_sliced(inputs, sequence_ids, step, sliced_sums_);
    reshape(sums, outputs(), inputs.lanes());
    recombine_slices(sliced_sums_, slices_, slice_bits_, sums);
}

void TiledProduct::read_sliced(const LaneMatrix& inputs, const std::vector<std::uint64_t>& sequence_ids,
                               std::uint32_t step, LaneMatrix& sums) {
    if (blocks_.size() == 1) {
        blocks_.front().crossbar->read(inputs, sequence_ids, step, sums);
    } else {
        reshape(sums, outputs_, inputs.lanes());
        for (const Block& block : blocks_) {
            block.crossbar->read(block_inputs(block, inputs), sequence_ids, step, block_sums_);
            const int outputs = block.crossbar->outputs();
            if (block.first_input == 0) {
                copy_rows(block_sums_, 0, sums, block.first_output, outputs);
                continue;
            }
            float* to = sums.row(block.first_output);
            const float* from = block_sums_.row(0);
            for (int i = 0; i < outputs * sums.stride(); ++i) {
                to[i] += from[i];
            }
        }
    }
    conversions_ += adc_errors_.apply(sequence_ids, step, sums);
}

ReadEnergy TiledProduct::read_energy(const LaneMatrix& inputs) {
    ReadEnergy total;
    for (const Block& block : blocks_) {
        const ReadEnergy energy = block.crossbar->read_energy(block_inputs(block, inputs));
        total.device_j += energy.device_j;
        total.supply_j += energy.supply_j;
    }
    return total;
}

}  // namespace imssa

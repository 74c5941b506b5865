#include "models/chip/kernel_tiles.h"

#include <algorithm>
#include <cmath>

#include "models/array/converter_bits.h"
#include "models/chip/timing_model.h"
#include "models/chip/token.h"
#include "models/mapping/weight_slices.h"

namespace imssa {

namespace {

/// Driven codes of a head without those that are in cells.
MatrixRM digital_codes(const DeployedKernel& kernel, const MappingOptions& options) {
    MatrixRM codes = kernel.array.driven_codes();
    const CellRegion cells = cell_region(kernel, options);
    for (const int input : cells.inputs) {
        for (const int output : cells.outputs) {
            codes(input, output) = 0.0F;
        }
    }
    return codes;
}

void add_row(const float* from, float* to, int values) {
    for (int i = 0; i < values; ++i) {
        to[i] += from[i];
    }
}

/// Of the columns of one read of a tile, slices included: those whose conversions others are added to.
std::vector<bool> partial_sums(const TilePlan& plan, int first_head, const std::vector<std::vector<bool>>& whole,
                               int slices) {
    std::vector<bool> partial(static_cast<std::size_t>(plan.outputs * slices), slices > 1);
    for (const HeadBlock& block : plan.blocks) {
        const std::vector<bool>& of_head = whole[static_cast<std::size_t>(block.head - first_head)];
        for (std::size_t o = 0; o < block.outputs.size(); ++o) {
            for (int slice = 0; slice < slices; ++slice) {
                const int output = block.first_output + static_cast<int>(o);
                partial[static_cast<std::size_t>(slice_column(output, slice, slices))] =
                    !of_head[static_cast<std::size_t>(block.outputs[o])];
            }
        }
    }
    return partial;
}

}  // namespace

KernelTiles::KernelTiles(const TileGroup& group, const std::vector<DeployedKernel>& kernels, const ChipConfig& config,
                         std::uint64_t seed, const TileNumbers& numbers, const std::vector<std::string>& names)
    : heads_(group.heads),
      slices_(config.mapping.weight_slices),
      slice_bits_(slice_bits(kernels.front().array.code_limit, slices_)),
      calibration_(config.read, config.adc) {
    for (const int head : heads_) {
        MatrixRM codes = digital_codes(kernels[static_cast<std::size_t>(head)], config.mapping);
        if ((codes.array() != 0.0F).any()) {
            digital_.resize(heads_.size());
            digital_[static_cast<std::size_t>(head - heads_.front())] = std::move(codes);
        }
    }
    const std::vector<std::vector<bool>> whole = whole_sums(group, kernels);
    for (std::size_t k = 0; k < heads_.size(); ++k) {
        const QuantizedMatrix& array = kernels[static_cast<std::size_t>(heads_[k])].array;
        code_steps_.emplace_back();
        for (std::size_t output = 0; output < whole[k].size(); ++output) {
            const double limit = static_cast<double>(array.output_limit[output]);
            code_steps_.back().push_back(whole[k][output] ? code_grid(limit, config.adc.bits).step : 1.0F);
        }
    }
    for (const TilePlan& plan : group.tiles) {
        const std::uint32_t index = numbers.first + static_cast<std::uint32_t>(tiles_.size());
        const std::uint32_t site = numbers.site_of(index);
        const QuantizedMatrix matrix = slice_matrix(tile_matrix(plan, kernels), slices_);
        Tile tile;
        tile.plan = plan;
        tile.crossbar =
            std::make_unique<Crossbar>(matrix, config.mapping, config.device, config.read, seed, index,
                                       names.at(tiles_.size()), plan.gated ? plan.inputs / plan.reads() : 0, site);
        const int rounds = conversion_rounds(matrix.outputs(), config.timing);
        for (int read = 0; read < plan.reads(); ++read) {
            TilePlan alone = plan;
            if (plan.gated) {
                alone.blocks = {plan.blocks[static_cast<std::size_t>(read)]};
            }
            const QuantizedMatrix seen = slice_matrix(tile_matrix(alone, kernels), slices_);
            tile.adc_errors.emplace_back(config.adc, seen, rounds, seed, index,
                                         partial_sums(alone, heads_.front(), whole, slices_), site);
        }
        tiles_.push_back(std::move(tile));
    }
    for (int tile = 0; tile < tiles(); ++tile) {
        calibrate_columns(tile);
    }
    const QuantizedMatrix& first = kernels[static_cast<std::size_t>(heads_.front())].array;
    one_whole_head_ = heads_.size() == 1 && tiles_.size() == 1 && slices_ == 1 &&
                      tiles_.front().plan.inputs == first.inputs() && tiles_.front().plan.outputs == first.outputs();
}

std::vector<std::vector<bool>> KernelTiles::whole_sums(const TileGroup& group,
                                                       const std::vector<DeployedKernel>& kernels) const {
    std::vector<std::vector<int>> conversions;
    for (const int head : heads_) {
        conversions.emplace_back(kernels[static_cast<std::size_t>(head)].array.gain.size(), 0);
    }
    for (const TilePlan& plan : group.tiles) {
        for (const HeadBlock& block : plan.blocks) {
            for (const int output : block.outputs) {
                conversions[static_cast<std::size_t>(block.head - heads_.front())][static_cast<std::size_t>(output)] +=
                    slices_;
            }
        }
    }
    std::vector<std::vector<bool>> whole;
    for (std::size_t k = 0; k < heads_.size(); ++k) {
        whole.emplace_back();
        for (std::size_t output = 0; output < conversions[k].size(); ++output) {
            const bool digital = k < digital_.size() && digital_[k].size() > 0 &&
                                 (digital_[k].col(static_cast<Eigen::Index>(output)).array() != 0.0F).any();
            whole.back().push_back(conversions[k][output] == 1 && !digital);
        }
    }
    return whole;
}

void KernelTiles::calibrate_columns(int index) {
    const Tile& tile = tiles_[static_cast<std::size_t>(index)];
    for (int read = 0; read < tile.plan.reads(); ++read) {
        imssa::calibrate_columns(*tile.crossbar, read, tile.adc_errors[static_cast<std::size_t>(read)], 0,
                                 calibration_);
    }
}

HeadRead& KernelTiles::of_head(std::vector<HeadRead>& reads, int head) const {
    return reads[static_cast<std::size_t>(head - heads_.front())];
}

void KernelTiles::read(std::vector<HeadRead>& reads, const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
                       ReadEnergy* energy) {
    if (one_whole_head_) {
        Tile& tile = tiles_.front();
        HeadRead& head = reads.front();
        tile.crossbar->read(head.inputs, sequence_ids, step, head.sums);
        conversions_ += tile.adc_errors.front().apply(sequence_ids, step, head.sums);
        if (energy != nullptr) {
            const ReadEnergy one = tile.crossbar->read_energy(head.inputs);
            energy->device_j += one.device_j;
            energy->supply_j += one.supply_j;
        }
        return;
    }
    for (std::size_t k = 0; k < heads_.size(); ++k) {
        std::fill_n(reads[k].sums.row(0), reads[k].sums.channels() * reads[k].sums.stride(), 0.0F);
    }
    for (const Tile& tile : tiles_) {
        for (int read = 0; read < tile.plan.reads(); ++read) {
            read_tile(tile, read, reads, sequence_ids, step, energy);
        }
    }
    add_digital(reads);
}

void KernelTiles::read_tile(const Tile& tile, int read, std::vector<HeadRead>& reads,
                            const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step, ReadEnergy* energy) {
    const TilePlan& plan = tile.plan;
    const int lanes = static_cast<int>(sequence_ids.size());
    const int first = plan.gated ? read : 0;
    const int last = plan.gated ? read + 1 : static_cast<int>(plan.blocks.size());
    tile_inputs_ = LaneMatrix(plan.inputs, lanes);
    for (int index = first; index < last; ++index) {
        const HeadBlock& block = plan.blocks[static_cast<std::size_t>(index)];
        const HeadRead& head = of_head(reads, block.head);
        for (std::size_t i = 0; i < block.inputs.size(); ++i) {
            std::copy_n(head.inputs.row(block.inputs[i]), head.inputs.stride(),
                        tile_inputs_.row(block.first_input + static_cast<int>(i)));
        }
    }
    // Reads of one tile in one step have numbers of their own: their noise is independent.
    const std::uint32_t number = step * static_cast<std::uint32_t>(plan.reads()) + static_cast<std::uint32_t>(read);
    LaneMatrix& converted = slices_ > 1 ? sliced_sums_ : tile_sums_;
    reshape(converted, tile.crossbar->outputs(), lanes);
    tile.crossbar->read(tile_inputs_, sequence_ids, number, converted, plan.gated ? read : 0);
    conversions_ += tile.adc_errors[static_cast<std::size_t>(read)].apply(sequence_ids, number, converted);
    if (slices_ > 1) {
        reshape(tile_sums_, plan.outputs, lanes);
        recombine_slices(sliced_sums_, slices_, slice_bits_, tile_sums_);
    }
    for (int index = first; index < last; ++index) {
        const HeadBlock& block = plan.blocks[static_cast<std::size_t>(index)];
        HeadRead& head = of_head(reads, block.head);
        for (std::size_t o = 0; o < block.outputs.size(); ++o) {
            add_row(tile_sums_.row(block.first_output + static_cast<int>(o)), head.sums.row(block.outputs[o]),
                    head.sums.stride());
        }
    }
    if (energy != nullptr) {
        const ReadEnergy one = tile.crossbar->read_energy(tile_inputs_);
        energy->device_j += one.device_j;
        energy->supply_j += one.supply_j;
    }
}

Eigen::MatrixXd KernelTiles::programmed_codes(int head, const std::vector<DeployedKernel>& kernels) const {
    Eigen::MatrixXd codes = kernels[static_cast<std::size_t>(head)].array.codes.cast<double>();
    // What lies in cells is the sum over all tiles: parts of a split head hold zeros where another has the weight.
    for (const Tile& tile : tiles_) {
        for (const HeadBlock& block : tile.plan.blocks) {
            for (std::size_t i = 0; block.head == head && i < block.inputs.size(); ++i) {
                for (const int output : block.outputs) {
                    codes(block.inputs[i], output) = 0.0;
                }
            }
        }
    }
    for (const Tile& tile : tiles_) {
        const Eigen::MatrixXd weights = tile.crossbar->programmed_codes();
        for (const HeadBlock& block : tile.plan.blocks) {
            if (block.head != head) {
                continue;
            }
            for (std::size_t i = 0; i < block.inputs.size(); ++i) {
                for (std::size_t o = 0; o < block.outputs.size(); ++o) {
                    double code = 0.0;
                    for (int slice = 0; slice < slices_; ++slice) {
                        const int column = slice_column(block.first_output + static_cast<int>(o), slice, slices_);
                        code +=
                            std::ldexp(weights(block.first_input + static_cast<int>(i), column), slice * slice_bits_);
                    }
                    codes(block.inputs[i], block.outputs[o]) += code;
                }
            }
        }
    }
    return codes;
}

void KernelTiles::add_digital(std::vector<HeadRead>& reads) const {
    for (std::size_t k = 0; k < digital_.size(); ++k) {
        const MatrixRM& codes = digital_[k];
        HeadRead& head = reads[k];
        LaneMatrix products(head.sums.channels(), head.sums.lanes());
        exact_product(codes, head.inputs, products);
        add_row(products.row(0), head.sums.row(0), head.sums.channels() * head.sums.stride());
    }
}

}  // namespace imssa

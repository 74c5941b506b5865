#include <algorithm>
#include <string>

#include "models/chip/kernel_hardware.h"
#include "models/chip/kernel_sequencer.h"

// What happens before the first step: tiles are programmed, poles measured, parts counted.

namespace imssa {

namespace {

/// What one read of a head's array takes: each tile drives its own rows and converts its own columns, of which parts of
/// a split head, or slices of a weight, have several for one output. Columns of other heads need no conversion.
struct HeadReadCounts {
    double array_reads = 0.0, dac_conversions = 0.0, adc_conversions = 0.0;
};

HeadReadCounts count_head_read(const KernelTiles& tiles, int head, int weight_slices) {
    HeadReadCounts counts;
    for (int index = 0; index < tiles.tiles(); ++index) {
        for (const HeadBlock& block : tiles.plan(index).blocks) {
            if (block.head == head) {
                counts.array_reads += 1.0;
                counts.dac_conversions += static_cast<double>(block.inputs.size());
                counts.adc_conversions += static_cast<double>(block.outputs.size()) * weight_slices;
            }
        }
    }
    return counts;
}

}  // namespace

void KernelSequencer::program_tiles(const std::vector<TileGroup>& groups) {
    const DeployedLayer& deployed = context_.network.layers[static_cast<std::size_t>(layer_)];
    const std::string prefix = std::string(name()) + ".";
    const std::uint32_t first_tile = context_.next_tile();
    std::uint32_t next_tile = first_tile;
    const int sites = cycles_.banks > 1 ? context_.config.timing.kernel_sites : 0;
    std::size_t most_heads = 0;
    for (std::size_t index = 0; index < groups.size(); ++index) {
        const TileGroup& group = groups[index];
        most_heads = std::max(most_heads, group.heads.size());
        std::vector<std::string> names;
        for (std::size_t tile = 0; tile < group.tiles.size(); ++tile) {
            if (context_.config.mapping.packing != Packing::one_head) {
                names.push_back(prefix + "tile" + std::to_string(index));
            } else {
                names.push_back(prefix + "head" + std::to_string(group.heads.front()) + ".tile" +
                                (group.tiles.size() > 1 ? std::to_string(tile) : ""));
            }
        }
        tiles_.push_back(std::make_unique<KernelTiles>(group, deployed.kernels, context_.config, context_.seed,
                                                       TileNumbers{first_tile, next_tile, sites}, names));
        next_tile += static_cast<std::uint32_t>(names.size());
    }
    reads_.resize(most_heads);
}

void KernelSequencer::add_heads() {
    const int heads = context_.network.layers[static_cast<std::size_t>(layer_)].kernel_count();
    const bool shared = context_.config.mapping.packing != Packing::one_head;
    for (int head = 0; head < heads; ++head) {
        KernelTiles* own = shared ? nullptr : tiles_[static_cast<std::size_t>(head)].get();
        heads_.push_back(
            std::make_unique<KernelHead>(("head" + std::to_string(head)).c_str(), layer_, head, own, context_));
        heads_.back()->set_code_steps(tiles_of(head).code_steps(head));
        register_files_.push_back(&heads_.back()->registers());
    }
    if (shared) {
        add_shared_tiles();
    }
}

void KernelSequencer::add_shared_tiles() {
    for (std::size_t index = 0; index < tiles_.size(); ++index) {
        for (int tile = 0; tile < tiles_[index]->tiles(); ++tile) {
            Crossbar& array = tiles_[index]->tile(tile);
            const TileLines lines{array.inputs() / tiles_[index]->plan(tile).reads(),
                                  conversion_rounds(array.outputs(), context_.config.timing)};
            KernelTiles* tiles = tiles_[index].get();
            shared_tiles_.push_back(std::make_unique<CrossbarTile>(("tile" + std::to_string(index)).c_str(), array,
                                                                   lines,
                                                                   [tiles, tile] { tiles->calibrate_columns(tile); }));
            context_.tiles.push_back(shared_tiles_.back().get());
        }
    }
}

void KernelSequencer::calibrate() {
    const KernelOptions& options = heads_.front()->kernel().options;
    if (options.mapping != KernelMapping::fused) {
        throw UserError(
            "calibration.poles needs kernel.mapping = 'fused': the multipliers of a digital decay hold their poles "
            "exactly; set calibration.poles = 'none'");
    }
    for (const std::unique_ptr<KernelTiles>& tiles : tiles_) {
        calibrate_group(*tiles);
    }
}

void KernelSequencer::calibrate_group(KernelTiles& tiles) {
    const CalibrationConfig& config = context_.config.calibration;
    const QuantizedMatrix& array = heads_.front()->kernel().array;
    const double reads = static_cast<double>(heads_.front()->kernel().modes) * config.reads_per_mode;
    std::vector<HeadRead> scratch(tiles.heads().size());
    for (HeadRead& read : scratch) {
        read.inputs = LaneMatrix(array.inputs(), config.reads_per_mode);
        read.sums = LaneMatrix(array.outputs(), config.reads_per_mode);
    }
    std::int64_t cycles = 0;
    for (std::size_t k = 0; k < tiles.heads().size(); ++k) {
        KernelHead& head = *heads_[static_cast<std::size_t>(tiles.heads()[k])];
        ReadEnergy energy;
        head.set_calibration(calibrate_poles(
            head.kernel(), config,
            [&](const LaneMatrix& inputs, const std::vector<std::uint64_t>& ids, std::uint32_t step, LaneMatrix& sums) {
                scratch[k].inputs = inputs;
                tiles.read(scratch, ids, step, &energy);
                sums = scratch[k].sums;
                head.adc().round(sums);
            },
            static_cast<double>(head.adc().largest_step())));
        scratch[k].inputs = LaneMatrix(array.inputs(), config.reads_per_mode);
        const HeadReadCounts counts = count_head_read(tiles, tiles.heads()[k], context_.config.mapping.weight_slices);
        calibration_.poles += head.kernel().modes;
        for (const ModeGain& gain : head.calibration().gains) {
            calibration_.corrected_poles += gain.factor != 1.0 ? 1 : 0;
        }
        calibration_.array_reads += reads * counts.array_reads;
        calibration_.dac_conversions += reads * counts.dac_conversions;
        calibration_.row_line_cells +=
            reads * row_line_cells(counts.dac_conversions, array.input_limit, context_.config);
        calibration_.columns += reads * counts.adc_conversions * MappingOptions::columns_per_output();
        calibration_.adc_conversions += reads * counts.adc_conversions;
        calibration_.device_j += energy.device_j;
        calibration_.supply_j += energy.supply_j;
        cycles += static_cast<std::int64_t>(reads) * (cycles_.array.load + cycles_.array.analog());
    }
    tiles.take_conversions();  // those of the calibration are in its summary
    // Groups are measured side by side, those that share a site one after another.
    calibration_.cycles = std::max(calibration_.cycles, cycles * cycles_.banks);
}

void KernelSequencer::add_units() {
    const std::string prefix = std::string(name()) + ".";
    const KernelHardware hardware =
        kernel_hardware(heads_.front()->kernel(), head_count(), tile_counts_, cycles_, context_.config);
    units_.sequencer = context_.units.add(prefix + "sequencer", hardware.sequencer);
    units_.dac = context_.units.add_converters(prefix + "dac", hardware.dac, {}, hardware.dac_bits);
    units_.tile = context_.units.add(prefix + "tile", hardware.tile);
    units_.adc = context_.units.add_converters(prefix + "adc", hardware.adc, hardware.adc_bits, {});
    units_.registers = context_.units.add(prefix + "registers", hardware.registers);
    units_.decay = context_.units.add(prefix + "decay", hardware.decay);
    units_.output = context_.units.add(prefix + "output", hardware.output);
    units_.coefficients =
        context_.units.add(prefix + "coefficients", hardware.coefficients, ComponentGroup::coefficients);
    units_.state_buffer = hardware.shared ? context_.units.add(prefix + "state_buffer", hardware.state_buffer) : -1;
}

const KernelTiles& KernelSequencer::tiles_of(int head) const {
    const auto holds = [head](const std::unique_ptr<KernelTiles>& tiles) {
        return std::find(tiles->heads().begin(), tiles->heads().end(), head) != tiles->heads().end();
    };
    return **std::find_if(tiles_.begin(), tiles_.end(), holds);
}

HeadPlace KernelSequencer::place_of(int head) const {
    HeadPlace place;
    int tile_number = 0;
    for (const std::unique_ptr<KernelTiles>& tiles : tiles_) {
        for (int index = 0; index < tiles->tiles(); ++index, ++tile_number) {
            const TilePlan& plan = tiles->plan(index);
            for (std::size_t block = 0; block < plan.blocks.size(); ++block) {
                if (plan.blocks[block].head == head) {
                    place.bank = cycles_.banks > 1 ? tile_number / context_.config.timing.kernel_sites : 0;
                    place.read = plan.gated ? static_cast<int>(block) : 0;
                    place.first_output = plan.blocks[block].first_output;
                    return place;
                }
            }
        }
    }
    return place;
}

}  // namespace imssa

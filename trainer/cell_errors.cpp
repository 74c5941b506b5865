#include <algorithm>
#include <cmath>
#include <string>

#include "models/array/programmed_codes.h"
#include "models/common/error.h"
#include "models/mapping/kernel_placement.h"
#include "models/mapping/weight_slices.h"
#include "models/network/remove_pruned.h"
#include "trainer/weight_noise.h"

/// Errors of the cells, tile by tile as on the chip.

namespace imssa {

namespace {

/// The codes of a head that a block of a tile holds.
auto part_of(const HeadBlock& block, std::vector<DeployedKernel>& kernels) {
    return kernels[static_cast<std::size_t>(block.head)].array.codes(block.inputs, block.outputs);
}

/// Programs matrices one after another on tiles numbered like the chip's.
class ChipProgrammer {
public:
    ChipProgrammer(const NoiseConfig& noise, std::uint64_t seed)
        : mapping_(noise.mapping), device_(noise.device), seed_(seed) {
        device_.programming_scale *= noise.cell_errors;
    }

    /// A dense matrix on as many tiles as it needs: inputs above each other, outputs side by side, digits of the
    /// weights beside each other.
    void program(MatrixPlace place, QuantizedMatrix& matrix) {
        if (place == MatrixPlace::digital) {
            return;
        }
        const QuantizedMatrix sliced = slice_matrix(matrix, mapping_.weight_slices);
        const int rows = mapping_.tile_inputs();
        const int columns = (mapping_.tile_columns - mapping_.spare_columns) / MappingOptions::columns_per_output();
        MatrixRM programmed(sliced.inputs(), sliced.outputs());
        for (int output = 0; output < sliced.outputs(); output += columns) {
            for (int input = 0; input < sliced.inputs(); input += rows) {
                const int inputs = std::min(rows, sliced.inputs() - input);
                const int outputs = std::min(columns, sliced.outputs() - output);
                QuantizedMatrix block;
                block.code_limit = sliced.code_limit;
                block.codes = sliced.codes.block(input, output, inputs, outputs);
                programmed.block(input, output, inputs, outputs) = next_tile(block);
            }
        }
        matrix.codes = recombined(programmed, matrix);
    }

    /// The kernels of a layer under its placement; what is outside cells keeps its codes.
    void program(const std::string& name, std::vector<DeployedKernel>& kernels) {
        const int slices = mapping_.weight_slices;
        for (const TileGroup& group : place_kernels(kernels, mapping_, name)) {
            std::vector<MatrixRM> of_tiles;
            for (const TilePlan& plan : group.tiles) {
                const QuantizedMatrix matrix = tile_matrix(plan, kernels);
                of_tiles.push_back(recombined(next_tile(slice_matrix(matrix, slices)), matrix));
            }
            for (const TilePlan& plan : group.tiles) {
                for (const HeadBlock& block : plan.blocks) {
                    part_of(block, kernels).setZero();
                }
            }
            // Parts of a split head share the row of u and the column of y: their partial outputs add.
            for (std::size_t tile = 0; tile < group.tiles.size(); ++tile) {
                for (const HeadBlock& block : group.tiles[tile].blocks) {
                    part_of(block, kernels) += of_tiles[tile].block(block.first_input, block.first_output,
                                                                    static_cast<Eigen::Index>(block.inputs.size()),
                                                                    static_cast<Eigen::Index>(block.outputs.size()));
                }
            }
        }
    }

private:
    MatrixRM next_tile(const QuantizedMatrix& matrix) {
        return programmed_codes(matrix, mapping_, device_, seed_, tile_++).cast<float>();
    }

    /// Codes of the whole weights: what the digital adder behind the converters makes of the digits.
    MatrixRM recombined(const MatrixRM& digits, const QuantizedMatrix& matrix) const {
        const int bits = slice_bits(matrix.code_limit, mapping_.weight_slices);
        const int slices = mapping_.weight_slices;
        MatrixRM codes = MatrixRM::Zero(digits.rows(), matrix.outputs());
        for (int output = 0; output < matrix.outputs(); ++output) {
            for (int slice = 0; slice < slices; ++slice) {
                codes.col(output) += std::ldexp(1.0F, bits * slice) * digits.col(slice_column(output, slice, slices));
            }
        }
        return codes;
    }

    MappingOptions mapping_;
    DeviceConfig device_;
    std::uint64_t seed_;
    std::uint32_t tile_ = 0;
};

void program_layer(const std::string& name, const DeployedNetwork& network, const MappingOptions& mapping,
                   ChipProgrammer& programmer, DeployedLayer& layer) {
    if (mapping.pruned == PrunedWeights::kept) {
        programmer.program(name, layer.kernels);
        programmer.program(mapping.mixing_matrix, layer.mixing);
    } else {
        const std::vector<KeptKernel> kept = kept_kernels(network, layer);
        DeployedLayer on_chip = with_kernels(layer, kept);
        programmer.program(name, on_chip.kernels);
        programmer.program(mapping.mixing_matrix, on_chip.mixing);
        for (std::size_t index = 0; index < kept.size(); ++index) {
            DeployedKernel& kernel = layer.kernels[static_cast<std::size_t>(kept[index].kernel)];
            const ArrayLines lines = lines_of_modes(kernel, kept[index].modes);
            kernel.array.codes(lines.inputs, lines.outputs) = on_chip.kernels[index].array.codes;
            layer.mixing.codes.row(kept[index].kernel) = on_chip.mixing.codes.row(static_cast<Eigen::Index>(index));
        }
    }
    for (DeployedKernel& kernel : layer.kernels) {
        refresh_effective(kernel);
    }
}

bool has_read_noise(const DeviceConfig& device) {
    Eigen::MatrixXd window(1, 2);
    window << device.g_min_siemens, device.g_max_siemens;
    return program_cells(window, {1, 2}, device, 0, 0).read_sigma.size() > 0;
}

/// What one programming that lasts a whole optimisation step cannot hold.
void check_cell_errors(const DeviceConfig& device, const MappingOptions& mapping) {
    if (device.is_ideal()) {
        throw UserError("cell_errors needs the errors of a device: set device.programming_sigma_siemens");
    }
    if (device.model == DeviceModelName::table && device.table_conductance_siemens.empty()) {
        throw UserError(
            "device.table_csv is read for chips only: give device.table_conductance_siemens, "
            "table_mean_siemens and table_sigma_siemens");
    }
    if (has_read_noise(device)) {
        throw UserError(
            "cell_errors holds a programming for a whole step, but the device draws read noise anew at "
            "every read: set device.read_noise_scale = 0, and noise.activations for what reads add to the "
            "kernel outputs");
    }
    if (mapping.packing == Packing::diagonal) {
        throw UserError(
            "mapping.packing 'diagonal' lets heads that share a tile disturb each other, and training "
            "computes each head alone: set 'one_head', or 'row_gated', in which the others are off");
    }
}

}  // namespace

void NoiseConfig::validate() const {
    const auto check = [](const char* key, double value) {
        if (!(std::isfinite(value) && value >= 0.0 && value <= 10.0)) {
            throw UserError("key '" + std::string(key) + "' must lie in [0, 10]");
        }
    };
    check("continuous_a", continuous_a);
    check("cell_errors", cell_errors);
    check("activations", activations);
    check("states", states);
    check("input", input);
    if (cell_errors > 0.0) {
        check_cell_errors(device, mapping);
    }
}

void add_cell_errors(const NoiseConfig& noise, std::uint64_t seed, DeployedNetwork& network) {
    ChipProgrammer programmer(noise, seed);
    programmer.program(noise.mapping.encoder, network.encoder);
    for (std::size_t index = 0; index < network.layers.size(); ++index) {
        program_layer("noise.mapping: layer" + std::to_string(index), network, noise.mapping, programmer,
                      network.layers[index]);
    }
    programmer.program(noise.mapping.decoder, network.decoder);
}

}  // namespace imssa

#include "models/chip/converter_check.h"

#include <algorithm>
#include <string>

#include "models/array/converter_bits.h"
#include "models/common/error.h"
#include "models/mapping/kernel_placement.h"
#include "models/mapping/weight_slices.h"

namespace imssa {

namespace {

struct Widths {
    int input = 0, output = 0;

    void add(const QuantizedMatrix& matrix) {
        input = std::max(input, bits_of_limit(matrix.input_limit));
        for (const float limit : matrix.output_limit) {
            output = std::max(output, bits_of_limit(static_cast<double>(limit)));
        }
    }
};

void check(int bits, int widest, const char* key, const char* what) {
    if (bits > widest) {
        throw UserError(std::string(key) + " = " + std::to_string(bits) + " is more than the " +
                        std::to_string(widest) + " bits of the codes " + what +
                        ", which the network was trained with: set 0 (as wide as the codes) or up to " +
                        std::to_string(widest));
    }
}

int sum_bits(int inputs, const QuantizedMatrix& matrix, int slices) {
    const int limit = slices == 1 ? matrix.code_limit : (1 << slice_bits(matrix.code_limit, slices)) - 1;
    return bits_of_limit(static_cast<double>(inputs) * limit * matrix.input_limit);
}

}  // namespace

int partial_sum_bits(const DeployedNetwork& network, const ChipConfig& config) {
    const MappingOptions& mapping = config.mapping;
    int bits = 0;
    const auto add = [&](int inputs, const QuantizedMatrix& matrix) {
        bits = std::max(bits, sum_bits(inputs, matrix, mapping.weight_slices));
    };
    const auto add_dense = [&](const QuantizedMatrix& matrix, MatrixPlace place) {
        if (place == MatrixPlace::cells && mapping.weight_slices > 1) {
            add(matrix.inputs(), matrix);
        }
    };
    add_dense(network.encoder, mapping.encoder);
    add_dense(network.decoder, mapping.decoder);
    for (const DeployedLayer& layer : network.layers) {
        add_dense(layer.mixing, mapping.mixing_matrix);
        const DeployedKernel& kernel = layer.kernels.front();
        const KernelTileCounts tiles =
            count_kernel_tiles(kernel, static_cast<int>(layer.kernels.size()), mapping, "the kernel");
        const bool digital_input = kernel.array_makes_state && kernel.options.mapping == KernelMapping::fused &&
                                   mapping.kernel_input == MatrixPlace::digital;
        if (tiles.partial_sums_added > 0.0 || digital_input) {
            const int inputs = static_cast<int>(cell_region(kernel, mapping).inputs.size());
            add(std::min(inputs, mapping.tile_inputs()), kernel.array);
        }
    }
    return config.adc.bits > 0 ? std::min(bits, config.adc.bits) : bits;
}

void check_converter_widths(const DeployedNetwork& network, const ChipConfig& config) {
    Widths widths;
    widths.add(network.encoder);
    widths.add(network.decoder);
    for (const DeployedLayer& layer : network.layers) {
        widths.add(layer.mixing);
        for (const DeployedKernel& kernel : layer.kernels) {
            widths.add(kernel.array);
        }
    }
    check(config.adc.bits, widths.output, "adc.bits", "behind the converters");
    check(config.read.dac.bits, widths.input, "dac.bits", "ahead of the converters");
}

}  // namespace imssa

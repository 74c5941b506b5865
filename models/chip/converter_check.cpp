#include "models/chip/converter_check.h"

#include <algorithm>
#include <string>

#include "models/array/converter_bits.h"
#include "models/common/error.h"

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

}  // namespace

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

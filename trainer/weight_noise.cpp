#include "trainer/weight_noise.h"

#include <algorithm>
#include <cmath>

#include "models/common/error.h"
#include "models/common/random.h"
#include "models/device/programming.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

/// Slowest decay that errors of A may leave.
constexpr double kLargestRe = -1e-4;

void program(const NoiseConfig& noise, const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile,
             QuantizedMatrix& matrix) {
    MappingOptions mapping = noise.mapping;
    mapping.tile_rows = matrix.inputs() * mapping.rows_per_input();
    mapping.tile_columns = matrix.outputs() * MappingOptions::columns_per_output();
    const Eigen::MatrixXd targets = target_conductances(matrix, mapping, device);
    const Eigen::MatrixXd cells =
        program_cells(targets, {mapping.tile_rows, mapping.tile_columns}, device, seed, tile).conductances;
    matrix.codes = effective_weights(cells, matrix, mapping, device).cast<float>();
}

void add_range_noise(double sigma, const CounterRandom& random, MatrixRM& values) {
    const double range = values.maxCoeff() - values.minCoeff();
    for (Eigen::Index index = 0; index < values.size(); ++index) {
        const double error = range * sigma * random.normal(static_cast<std::uint64_t>(index));
        values.data()[index] = static_cast<float>(values.data()[index] + error);
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
    if (cell_errors > 0.0 && device.is_ideal()) {
        throw UserError("cell_errors needs the errors of a device: set device.programming_sigma_siemens");
    }
}

void add_cell_errors(const NoiseConfig& noise, std::uint64_t seed, DeployedNetwork& network) {
    DeviceConfig device = noise.device;
    device.programming_scale *= noise.cell_errors;
    std::uint32_t tile = 0;
    program(noise, device, seed, tile++, network.encoder);
    for (DeployedLayer& layer : network.layers) {
        for (DeployedKernel& kernel : layer.kernels) {
            program(noise, device, seed, tile++, kernel.array);
            refresh_effective(kernel);
        }
        program(noise, device, seed, tile++, layer.mixing);
    }
    program(noise, device, seed, tile, network.decoder);
}

void add_continuous_a_noise(double sigma, std::uint64_t seed, NetworkParameters& parameters) {
    std::uint32_t place = 0;
    for (LayerParameters& layer : parameters.layers) {
        MatrixRM re = -layer.log_neg_re.array().exp();
        add_range_noise(sigma, CounterRandom(seed, RandomPurpose::training_noise, place++), re);
        layer.log_neg_re = (-re.array().min(static_cast<float>(kLargestRe))).log();
        add_range_noise(sigma, CounterRandom(seed, RandomPurpose::training_noise, place++), layer.im);
    }
}

void straight_through_a(const NetworkParameters& parameters, const NetworkParameters& used,
                        NetworkParameters& gradient) {
    for (std::size_t layer = 0; layer < parameters.layers.size(); ++layer) {
        const MatrixRM& from = parameters.layers[layer].log_neg_re;
        const MatrixRM& to = used.layers[layer].log_neg_re;
        if (from != to) {
            gradient.layers[layer].log_neg_re.array() *= (from.array() - to.array()).exp();
        }
    }
}

std::uint64_t step_noise_seed(std::uint64_t seed, int phase, int epoch, std::int64_t step) {
    const std::uint32_t place = mix32(static_cast<std::uint32_t>(phase * 1000000 + epoch) + 0x7f4a7c15U);
    const std::uint32_t low = mix32(place + static_cast<std::uint32_t>(step));
    return seed ^ (static_cast<std::uint64_t>(place | 0x80000000U) << 32 | low);
}

}  // namespace imssa

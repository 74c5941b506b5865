#include "models/array/crossbar.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "models/array/lane_product.h"
#include "models/common/error.h"
#include "models/common/lane_math.h"
#include "models/common/random.h"
#include "models/device/programming.h"

namespace imssa {

namespace {

/// Variance of the effective weights (codes^2) from the read noise of all cells of a weight: sigma_cell = relative x g.
/// Four cells: w = s/2 (g1 - g2 - g3 + g4), two cells: w = s (g+ - g-), s = code_limit / (g_max - g_min).
Eigen::MatrixXd weight_variance(const Eigen::MatrixXd& conductances, const QuantizedMatrix& matrix,
                                const MappingOptions& mapping, const DeviceConfig& device) {
    const double codes_per_siemens = matrix.code_limit / (device.g_max_siemens - device.g_min_siemens);
    const double relative = device.read_noise_relative * codes_per_siemens;
    const int rows = mapping.rows_per_input();
    Eigen::MatrixXd variance(matrix.inputs(), matrix.outputs());
    for (int i = 0; i < matrix.inputs(); ++i) {
        for (int o = 0; o < matrix.outputs(); ++o) {
            const double squares = conductances.block(i * rows, 2 * o, rows, 2).squaredNorm();
            variance(i, o) = relative * relative * squares / (rows * rows);
        }
    }
    return variance;
}

void check_positive(double value, const char* key) {
    if (!(value > 0.0) || !std::isfinite(value)) {
        throw UserError(std::string(key) + " = " + std::to_string(value) + " is out of range: set a positive number");
    }
}

}  // namespace

void ReadConfig::validate() const {
    check_positive(v_read_volt, "v_read_volt");
    check_positive(t_read_s, "t_read_s");
    check_positive(v_supply_volt, "v_supply_volt");
}

Crossbar::Crossbar(const QuantizedMatrix& matrix, const MappingOptions& mapping, const DeviceConfig& device,
                   const ReadConfig& read, std::uint64_t seed, std::uint32_t tile, const std::string& name)
    : footprint_(imssa::footprint(matrix, mapping, name)), seed_(seed), tile_(tile) {
    const UsedCells used{footprint_.rows, footprint_.columns};
    conductances_ = programmed_conductances(target_conductances(matrix, mapping, device), used, device, seed, tile,
                                            programming_.stuck_cells);
    programming_.cells = static_cast<std::int64_t>(used.rows) * used.columns;
    programming_.pulses = static_cast<double>(programming_.cells) * device.programming_pulses_per_cell;
    programming_.energy_j = programming_.pulses * device.programming_pulse_energy_j;
    programming_.time_s = programming_.pulses * device.programming_pulse_time_s;

    const Eigen::Map<const Eigen::VectorXf> drive(matrix.drive.data(), matrix.inputs());
    const Eigen::VectorXd drive_factors = drive.cast<double>();
    const Eigen::MatrixXd weights = effective_weights(conductances_, matrix, mapping, device);
    weights_ = (drive_factors.asDiagonal() * weights).cast<float>();
    if (device.read_noise_relative > 0.0) {
        const Eigen::MatrixXd variance = weight_variance(conductances_, matrix, mapping, device);
        noise_variance_ = (drive_factors.cwiseAbs2().asDiagonal() * variance).cast<float>();
    }

    const int rows = mapping.rows_per_input();
    for (int i = 0; i < matrix.inputs(); ++i) {
        const double g = conductances_.block(i * rows, 0, rows, footprint_.columns).sum();
        const double volt_per_code = read.v_read_volt * drive_factors(i) / matrix.input_limit;
        device_energy_per_code2_.push_back(volt_per_code * volt_per_code * g * read.t_read_s);
        supply_energy_per_code_.push_back(read.v_supply_volt * volt_per_code * g * read.t_read_s);
    }
}

void Crossbar::read(const LaneMatrix& input_codes, const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
                    LaneMatrix& sums) const {
    assert(input_codes.channels() == inputs());
    assert(sequence_ids.size() == static_cast<std::size_t>(input_codes.lanes()));
    if (sums.channels() != outputs() || sums.lanes() != input_codes.lanes()) {
        sums = LaneMatrix(outputs(), input_codes.lanes());
    }
    lane_product(weights_, input_codes, sums);
    if (noise_variance_.size() == 0) {
        return;
    }
    LaneMatrix variances(outputs(), input_codes.lanes());
    lane_product_of_squares(noise_variance_, input_codes, variances);
    const std::vector<LanesUint> sequences = sequence_lanes(sequence_ids);
    for (int output = 0; output < outputs(); output += 4) {
        const std::uint32_t quad = static_cast<std::uint32_t>(output / 4);
        const int in_quad = std::min(4, outputs() - output);
        for (int vector = 0; vector < sums.vectors(); ++vector) {
            const NormalQuad normals = normal_quad(seed_, RandomPurpose::read_noise, tile_,
                                                   sequences[static_cast<std::size_t>(vector)], step, quad);
            for (int k = 0; k < in_quad; ++k) {
                float* sum = sums.row(output + k) + vector * kLaneWidth;
                const Lanes sigma = square_root(load_lanes(variances.row(output + k) + vector * kLaneWidth));
                store_lanes(sum, multiply_add(sigma, normals.values[k], load_lanes(sum)));
            }
        }
    }
}

ReadEnergy Crossbar::read_energy(const LaneMatrix& input_codes) const {
    assert(input_codes.channels() == inputs());
    ReadEnergy energy;
    for (int vector = 0; vector < input_codes.vectors(); ++vector) {
        // In single precision per lane: at most one rounding an input, so within 1e-5 for any tile.
        Lanes device{};
        Lanes supply{};
        for (int i = 0; i < inputs(); ++i) {
            const Lanes code = load_lanes(input_codes.row(i) + vector * kLaneWidth);
            const Lanes magnitude = maximum(code, -code);
            const std::size_t at = static_cast<std::size_t>(i);
            device = multiply_add(code * code, broadcast(static_cast<float>(device_energy_per_code2_[at])), device);
            supply = multiply_add(magnitude, broadcast(static_cast<float>(supply_energy_per_code_[at])), supply);
        }
        const int lanes = std::min(kLaneWidth, input_codes.lanes() - vector * kLaneWidth);
        for (int lane = 0; lane < lanes; ++lane) {
            energy.device_j += static_cast<double>(device[lane]);
            energy.supply_j += static_cast<double>(supply[lane]);
        }
    }
    return energy;
}

}  // namespace imssa

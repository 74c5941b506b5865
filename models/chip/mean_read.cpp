#include <algorithm>
#include <cmath>

#include "models/chip/activity.h"
#include "models/device/programming.h"
#include "models/mapping/weight_slices.h"

// The mean energy of array reads from activity statistics, without conductances.

namespace imssa {

namespace {

/// Share of the read time that a bit-serial input of this mean magnitude (of full scale) is driven. The magnitudes are
/// taken as geometric, q^c, for which bit k is set with the odds q^(2^k) to 1. The first `skipped` bits are not driven.
double serial_share(double mean, int limit, int skipped) {
    double power = mean * limit / (1.0 + mean * limit);
    double set = 0.0;
    int bits = 0;
    for (; (1 << bits) - 1 < limit; ++bits) {
        set += bits < skipped ? 0.0 : power / (1.0 + power);
        power *= power;
    }
    return set / (bits - skipped);
}

/// Sum over the slices of a digit's mean over its largest value, relative to that of the whole weight. Magnitudes of
/// weights are taken as geometric: then the digits are, too.
double slice_factor(double mean, int limit, int slices) {
    if (slices == 1 || !(mean > 0.0)) {
        return slices == 1 ? 1.0 : 0.0;
    }
    const int bits = slice_bits(limit, slices);
    const double base = std::ldexp(1.0, bits);
    mean = std::min(mean, 1.0);
    double q = mean * limit / (1.0 + mean * limit);
    double sum = 0.0;
    for (int slice = 0; slice < slices; ++slice) {
        const double next = std::pow(q, base);
        sum += (q / (1.0 - q) - base * next / (1.0 - next)) / (base - 1.0);
        q = next;
    }
    return sum / mean;
}

bool has_no_errors(const DeviceConfig& device) {
    return device.model == DeviceModelName::generic && device.conductance_levels == 0 &&
           device.programming_mean_siemens == 0.0 && device.programming_sigma_siemens == 0.0 &&
           device.programming_sigma_relative == 0.0 && device.time_since_programming_s == 0.0 &&
           device.temperature_coefficient_per_kelvin == 0.0 && device.stuck_low_fraction == 0.0 &&
           device.stuck_high_fraction == 0.0 && !device.write_verify.enabled;
}

}  // namespace

CellResponse cell_response(const DeviceConfig& device) {
    const double at_zero = device.g_min_siemens / device.g_max_siemens;
    if (has_no_errors(device)) {
        return {at_zero, 1.0 - at_zero, 0.0};
    }
    const double low = sample_conductances(device.g_min_siemens, device).mean();
    const Eigen::ArrayXd cells = sample_conductances(0.5 * (device.g_min_siemens + device.g_max_siemens), device);
    const double middle = cells.mean();
    const double deviation = std::sqrt((cells - middle).square().mean());
    return {low / device.g_max_siemens, 2.0 * (middle - low) / device.g_max_siemens, deviation / device.g_max_siemens};
}

ReadShape dense_shape(const QuantizedMatrix& matrix) {
    ReadShape shape;
    shape.positions = static_cast<double>(matrix.inputs()) * matrix.outputs();
    shape.matrix_positions = shape.positions;
    shape.input_limit = matrix.input_limit;
    shape.code_limit = matrix.code_limit;
    return shape;
}

ReadShape kernel_shape(const DeployedKernel& kernel, int heads, const KernelTileCounts& tiles,
                       const KernelActivity& activity, const MappingOptions& mapping) {
    ReadShape shape = dense_shape(kernel.array);
    // A mode has four products with itself, two with u and two with y at most.
    const double weights = kernel.array_makes_state ? 8.0 * kernel.modes : shape.positions;
    shape.nonzero = std::min(1.0, weights / shape.positions);
    shape.matrix_positions = heads * shape.positions;
    shape.positions = tiles.weights;
    const bool fused = kernel.options.mapping == KernelMapping::fused;
    // Of a fused read with digital B the activity does not say which part is B's: all of it counts, on its fewer cells.
    const bool state = kernel.array_makes_state && (fused || mapping.kernel_input == MatrixPlace::cells);
    const bool output = mapping.kernel_output == MatrixPlace::cells;
    shape.weight_share = (state ? 1.0 - activity.output_share : 0.0) + (output ? activity.output_share : 0.0);
    return shape;
}

ReadEnergy mean_read(const ReadShape& shape, const ArrayActivity& activity, const CellResponse& response,
                     const ChipConfig& config) {
    const MappingOptions& mapping = config.mapping;
    const double cells = static_cast<double>(mapping.rows_per_input()) * MappingOptions::columns_per_output();
    const double siemens_seconds =
        cells * config.device.parallel_cells * config.device.g_max_siemens * config.read.read_time_s(shape.input_limit);
    // Of a weight's two signs one is at zero.
    const double weight = activity.drive > 0.0 ? 2.0 * activity.supply / (activity.drive * shape.nonzero) : 0.0;
    const double slices = slice_factor(weight, shape.code_limit, mapping.weight_slices);
    const double base = response.at_zero * shape.positions * mapping.weight_slices;
    const double weights = response.slope * shape.matrix_positions * shape.weight_share * slices;
    double supply = base * activity.drive + weights * activity.supply;
    double device = base * activity.drive_square + weights * activity.device;
    if (config.read.input != InputMode::amplitude) {
        if (config.read.input == InputMode::bit_serial && activity.drive > 0.0) {
            supply *= serial_share(activity.drive, shape.input_limit, config.read.skipped_bits(shape.input_limit)) /
                      activity.drive;
        }
        device = supply;  // full-scale pulses
    }
    const double volt = config.read.v_read_volt;
    return {volt * volt * siemens_seconds * device, config.read.v_supply_volt * volt * siemens_seconds * supply};
}

}  // namespace imssa

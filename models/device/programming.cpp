#include "models/device/programming.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <vector>

#include "models/common/random.h"
#include "models/device/device_model.h"

namespace imssa {

namespace {

constexpr double kReferenceKelvin = 300.0;

std::uint64_t cell_counter(int row, int column, int parallel_cell) {
    return (static_cast<std::uint64_t>(parallel_cell) << 48) | (static_cast<std::uint64_t>(row) << 32) |
           static_cast<std::uint32_t>(column);
}

/// All draws of one tile's cells.
struct CellStreams {
    CellStreams(std::uint64_t seed, std::uint32_t tile)
        : programming(seed, RandomPurpose::programming, tile),
          relaxation(seed, RandomPurpose::relaxation, tile),
          drift(seed, RandomPurpose::drift, tile),
          write_verify(seed, RandomPurpose::write_verify, tile) {}

    CounterRandom programming, relaxation, drift, write_verify;
};

/// Draws of one of the sample cells' parallel cells, in columns of kSampleSide cells.
struct SampleDraws {
    Eigen::ArrayXd programming, relaxation, drift, fault;  ///< normals, and a uniform number
};

constexpr int kSampleSide = 32;
constexpr std::uint64_t kSampleSeed = 1;
constexpr std::size_t kSampledParallelCells = 4;

SampleDraws draw_samples(int parallel_cell) {
    constexpr int kCells = kSampleSide * kSampleSide;
    SampleDraws draws{Eigen::ArrayXd(kCells), Eigen::ArrayXd(kCells), Eigen::ArrayXd(kCells), Eigen::ArrayXd(kCells)};
    const CellStreams streams(kSampleSeed, 0);
    const CounterRandom faults(kSampleSeed, RandomPurpose::faults, 0);
    for (int column = 0; column < kSampleSide; ++column) {
        for (int row = 0; row < kSampleSide; ++row) {
            const std::uint64_t counter = cell_counter(row, column, parallel_cell);
            const int index = column * kSampleSide + row;
            draws.programming[index] = streams.programming.normal(counter);
            draws.relaxation[index] = streams.relaxation.normal(counter);
            draws.drift[index] = streams.drift.normal(counter);
            draws.fault[index] = faults.uniform(counter);
        }
    }
    return draws;
}

/// They depend on no device: drawn once.
const SampleDraws& sample_draws(int parallel_cell) {
    static const std::array<SampleDraws, kSampledParallelCells> kDraws = {draw_samples(0), draw_samples(1),
                                                                          draw_samples(2), draw_samples(3)};
    return kDraws[static_cast<std::size_t>(parallel_cell)];
}

/// Programs single cells of one device.
class CellProgrammer {
public:
    CellProgrammer(const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile)
        : device_(device), model_(make_device_model(device)), streams_(seed, tile) {}

    /// `fault` as in stuck_cells. The read noise's standard deviation goes to `read_sigma`.
    double program(double target, int row, int column, int parallel_cell, int fault, double& read_sigma,
                   ProgrammingSummary& summary) const {
        const std::uint64_t counter = cell_counter(row, column, parallel_cell);
        CellState cell;
        cell.target = level(target);
        cell.programming_normal = streams_.programming.normal(counter);
        if (device_.write_verify.enabled) {
            cell.programmed = write(cell.target, row, column, parallel_cell, fault, summary);
        } else {
            cell.programmed =
                with_error(cell, model_->programming_mean(cell.target), model_->programming_sigma(cell.target));
            summary.pulses += device_.programming_pulses_per_cell;
            summary.failed_cells += fault != 0 ? 1 : 0;
        }
        cell.aged = fault == 0 ? aged(cell, counter) : (fault < 0 ? device_.g_min_siemens : device_.g_max_siemens);
        if (fault != 0) {
            cell.programmed = cell.aged;
        }
        const double of_model = device_.read_noise_scale * model_->read_sigma(cell, device_.time_since_programming_s);
        const double relative = device_.read_noise_scale * device_.read_noise_relative * cell.aged;
        read_sigma = of_model == 0.0 ? relative : std::hypot(relative, of_model);
        if (device_.temperature_coefficient_per_kelvin != 0.0) {
            cell.aged *= temperature_factor();
            read_sigma *= temperature_factor();
        }
        return cell.aged;
    }

    /// Adds `weight` x conductances of cells with one target and these draws. Without write-verify.
    void add_samples(double target, const SampleDraws& draws, double weight, Eigen::ArrayXd& conductances) const {
        CellState cell;
        cell.target = level(target);
        const double mean = model_->programming_mean(cell.target);
        const double sigma = model_->programming_sigma(cell.target);
        const double stuck = device_.stuck_low_fraction + device_.stuck_high_fraction;
        const double factor = temperature_factor();
        for (Eigen::Index index = 0; index < conductances.size(); ++index) {
            cell.programming_normal = draws.programming[index];
            cell.relaxation_normal = draws.relaxation[index];
            cell.drift_normal = draws.drift[index];
            cell.programmed = with_error(cell, mean, sigma);
            double g = aged(cell);
            if (draws.fault[index] < stuck) {
                g = draws.fault[index] < device_.stuck_low_fraction ? device_.g_min_siemens : device_.g_max_siemens;
            }
            conductances[index] += weight * (g * factor);
        }
    }

private:
    double temperature_factor() const {
        return 1.0 + device_.temperature_coefficient_per_kelvin * (device_.temperature_kelvin - kReferenceKelvin);
    }

    double level(double target) const {
        if (device_.conductance_levels == 0) {
            return target;
        }
        const double window = device_.g_max_siemens - device_.g_min_siemens;
        const double steps = device_.conductance_levels - 1;
        return device_.g_min_siemens + window * std::round((target - device_.g_min_siemens) / window * steps) / steps;
    }

    double with_error(const CellState& cell, double mean, double sigma) const {
        const double error = sigma > 0.0 ? mean + sigma * cell.programming_normal : mean;
        return std::max(0.0, cell.target + device_.programming_scale * error);
    }

    double aged(CellState& cell, std::uint64_t counter) const {
        if (device_.time_since_programming_s == 0.0) {
            return cell.programmed;
        }
        cell.relaxation_normal = streams_.relaxation.normal(counter);
        cell.drift_normal = streams_.drift.normal(counter);
        return aged(cell);
    }

    double aged(const CellState& cell) const {
        if (device_.time_since_programming_s == 0.0) {
            return cell.programmed;
        }
        const double change = model_->aged(cell, device_.time_since_programming_s) - cell.programmed;
        return change == 0.0 ? cell.programmed : std::max(0.0, cell.programmed + device_.drift_scale * change);
    }

    /// Pulses until the verify read is within tolerance of the target.
    double write(double target, int row, int column, int parallel_cell, int fault, ProgrammingSummary& summary) const {
        const WriteVerifyConfig& loop = device_.write_verify;
        // 16 bits of row and column each, 8 of the parallel cell, 24 of pulse and draw.
        const std::uint64_t first = (static_cast<std::uint64_t>(row) << 48) |
                                    (static_cast<std::uint64_t>(column) << 32) |
                                    (static_cast<std::uint64_t>(parallel_cell) << 24);
        double g = fault > 0 ? device_.g_max_siemens : device_.g_min_siemens;
        for (int pulse = 0;; ++pulse) {
            const std::uint64_t draw = first + 2 * static_cast<std::uint64_t>(pulse);
            const double noise =
                loop.verify_sigma_siemens == 0.0 ? 0.0 : loop.verify_sigma_siemens * streams_.write_verify.normal(draw);
            const double distance = target - (g + noise);
            if (std::abs(distance) <= loop.tolerance_siemens) {
                return g;
            }
            if (pulse == loop.max_pulses) {
                ++summary.failed_cells;
                return g;
            }
            summary.pulses += 1.0;
            if (fault == 0) {
                const double spread = loop.step_sigma_siemens == 0.0
                                          ? 0.0
                                          : loop.step_sigma_siemens * streams_.write_verify.normal(draw + 1);
                g = std::clamp(g + loop.step_gain * distance + spread, device_.g_min_siemens, device_.g_max_siemens);
            }
        }
    }

    const DeviceConfig& device_;
    std::unique_ptr<const DeviceModel> model_;
    CellStreams streams_;
};

/// Normalised weights of the parallel cells.
std::vector<double> parallel_weights(const DeviceConfig& device) {
    std::vector<double> weights = device.parallel_weights;
    if (weights.empty()) {
        weights.assign(static_cast<std::size_t>(device.parallel_cells), 1.0);
    }
    double sum = 0.0;
    for (const double weight : weights) {
        sum += weight;
    }
    for (double& weight : weights) {
        weight /= sum;
    }
    return weights;
}

}  // namespace

Eigen::MatrixXi stuck_cells(const UsedCells& used, const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile,
                            int parallel_cell) {
    const CounterRandom faults(seed, RandomPurpose::faults, tile);
    const double fraction = device.stuck_low_fraction + device.stuck_high_fraction;
    Eigen::MatrixXi stuck = Eigen::MatrixXi::Zero(used.rows, used.columns);
    if (fraction == 0.0) {
        return stuck;
    }
    for (int row = 0; row < used.rows; ++row) {
        for (int column = 0; column < used.columns; ++column) {
            const double uniform =
                faults.uniform(cell_counter(used.row_place(row), used.column_place(column), parallel_cell));
            if (uniform < fraction) {
                stuck(row, column) = uniform < device.stuck_low_fraction ? -1 : 1;
            }
        }
    }
    return stuck;
}

Eigen::MatrixXi known_stuck_cells(const UsedCells& used, const DeviceConfig& device, std::uint64_t seed,
                                  std::uint32_t tile) {
    Eigen::MatrixXi known = stuck_cells(used, device, seed, tile);
    if (device.known_fault_fraction == 1.0) {
        return known;
    }
    constexpr std::uint64_t kTestDraw = std::uint64_t{1} << 63;  // beside the counters of the faults themselves
    const CounterRandom faults(seed, RandomPurpose::faults, tile);
    for (int row = 0; row < used.rows; ++row) {
        for (int column = 0; column < used.columns; ++column) {
            const std::uint64_t counter = cell_counter(used.row_place(row), used.column_place(column), 0);
            if (known(row, column) != 0 && faults.uniform(kTestDraw | counter) >= device.known_fault_fraction) {
                known(row, column) = 0;
            }
        }
    }
    return known;
}

ProgrammedCells program_cells(const Eigen::MatrixXd& targets, const UsedCells& used, const DeviceConfig& device,
                              std::uint64_t seed, std::uint32_t tile) {
    assert(used.rows <= targets.rows() && used.columns <= targets.cols());
    const CellProgrammer programmer(device, seed, tile);
    const std::vector<double> weights = parallel_weights(device);
    ProgrammedCells cells;
    cells.conductances = targets;
    cells.conductances.topLeftCorner(used.rows, used.columns).setZero();
    Eigen::MatrixXd variance = Eigen::MatrixXd::Zero(used.rows, used.columns);
    for (int copy = 0; copy < device.parallel_cells; ++copy) {
        const Eigen::MatrixXi stuck = stuck_cells(used, device, seed, tile, copy);
        const double weight = weights[static_cast<std::size_t>(copy)];
        cells.summary.stuck_cells += (stuck.array() != 0).count();
        for (int row = 0; row < used.rows; ++row) {
            for (int column = 0; column < used.columns; ++column) {
                double sigma = 0.0;
                cells.conductances(row, column) +=
                    weight * programmer.program(targets(row, column), used.row_place(row), used.column_place(column),
                                                copy, stuck(row, column), sigma, cells.summary);
                variance(row, column) += weight * weight * sigma * sigma;
            }
        }
    }
    if (variance.size() > 0 && variance.maxCoeff() > 0.0) {
        cells.read_sigma = variance.cwiseSqrt();
    }
    cells.summary.cells = static_cast<std::int64_t>(used.rows) * used.columns * device.parallel_cells;
    cells.summary.energy_j = cells.summary.pulses * device.programming_pulse_energy_j;
    cells.summary.time_s = cells.summary.pulses * device.programming_pulse_time_s;
    return cells;
}

Eigen::ArrayXd sample_conductances(double target, const DeviceConfig& device) {
    if (device.write_verify.enabled || device.parallel_cells > static_cast<int>(kSampledParallelCells)) {
        const Eigen::MatrixXd targets = Eigen::MatrixXd::Constant(kSampleSide, kSampleSide, target);
        return program_cells(targets, {kSampleSide, kSampleSide}, device, kSampleSeed, 0)
            .conductances.reshaped()
            .array();
    }
    const CellProgrammer programmer(device, kSampleSeed, 0);
    const std::vector<double> weights = parallel_weights(device);
    Eigen::ArrayXd conductances = Eigen::ArrayXd::Zero(kSampleSide * kSampleSide);
    for (int copy = 0; copy < device.parallel_cells; ++copy) {
        programmer.add_samples(target, sample_draws(copy), weights[static_cast<std::size_t>(copy)], conductances);
    }
    return conductances;
}

}  // namespace imssa

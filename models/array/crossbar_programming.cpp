#include <algorithm>
#include <cmath>

#include "models/array/crossbar.h"
#include "models/array/programmed_codes.h"
#include "models/array/wired_cells.h"
#include "models/common/error.h"
#include "models/device/programming.h"

/// Programming of a tile: from codes to cells, and from cells to what a read needs.

namespace imssa {

namespace {

constexpr double kBoltzmann = 1.380649e-23;            // joule per kelvin (exact, SI 2019)
constexpr double kElementaryCharge = 1.602176634e-19;  // coulomb (exact, SI 2019)

}  // namespace

Crossbar::Crossbar(const QuantizedMatrix& matrix, const MappingOptions& mapping, const DeviceConfig& device,
                   const ReadConfig& read, std::uint64_t seed, std::uint32_t tile, const std::string& name,
                   int inputs_a_read, std::optional<std::uint32_t> drivers)
    : recipe_(std::make_shared<const Recipe>(
          Recipe{matrix, mapping, device, read, seed, tile, name, inputs_a_read, drivers})),
      inputs_a_read_(inputs_a_read > 0 ? inputs_a_read : matrix.inputs()),
      input_stage_(read, matrix, seed, drivers.value_or(tile), inputs_a_read),
      footprint_(imssa::footprint(matrix, mapping, name)),
      bit_serial_(read.input == InputMode::bit_serial),
      seed_(seed),
      tile_(tile) {
    ProgrammedMatrix programmed = program_matrix(matrix, mapping, device, seed, tile);
    conductances_ = std::move(programmed.cells.conductances);
    programming_ = programmed.cells.summary;
    const WiredCells wired = wired_cells(conductances_, programmed.used, inputs_a_read_ * mapping.rows_per_input(),
                                         mapping, read.wires, device.parallel_cells);
    swapped_ = std::move(programmed.swapped);
    set_weights(wired.columns, matrix, mapping, device);
    set_noise(wired.columns, programmed.cells.read_sigma, matrix, mapping, device, read);
    set_read_energy(wired.rows, matrix, mapping.rows_per_input(), device.parallel_cells, read);
}

void Crossbar::reprogram(const MatrixRM& codes) {
    const Recipe& recipe = *recipe_;
    if (codes.rows() != recipe.matrix.codes.rows() || codes.cols() != recipe.matrix.codes.cols() ||
        codes.cwiseAbs().maxCoeff() > static_cast<float>(recipe.matrix.code_limit)) {
        throw UserError(recipe.name + ": weight codes must be " + std::to_string(recipe.matrix.inputs()) + " x " +
                        std::to_string(recipe.matrix.outputs()) + " numbers up to " +
                        std::to_string(recipe.matrix.code_limit));
    }
    QuantizedMatrix matrix = recipe.matrix;
    matrix.codes = codes;
    *this = Crossbar(matrix, recipe.mapping, recipe.device, recipe.read, recipe.seed, recipe.tile, recipe.name,
                     recipe.inputs_a_read, recipe.drivers);
}

Eigen::MatrixXd Crossbar::programmed_codes() const {
    return codes_of_cells(conductances_, swapped_, recipe_->matrix, recipe_->mapping, recipe_->device);
}

void Crossbar::set_weights(const Eigen::MatrixXd& transfer, const QuantizedMatrix& matrix,
                           const MappingOptions& mapping, const DeviceConfig& device) {
    const Eigen::Map<const Eigen::VectorXf> drive(matrix.drive.data(), matrix.inputs());
    const Eigen::VectorXd drive_factors = drive.cast<double>();
    const Eigen::MatrixXd weights = codes_of_cells(transfer, swapped_, matrix, mapping, device);
    const int rows = mapping.rows_per_input();
    const double scale = matrix.code_limit / (device.g_max_siemens - device.g_min_siemens) / rows;
    Eigen::MatrixXd even(input_stage_.has_even_part() ? matrix.inputs() : 0, matrix.outputs());
    for (int i = 0; i < even.rows(); ++i) {
        for (int o = 0; o < matrix.outputs(); ++o) {
            even(i, o) = scale * (transfer.block(i * rows, 2 * o, rows, 1).sum() -
                                  transfer.block(i * rows, 2 * o + 1, rows, 1).sum());
        }
    }
    for (std::size_t output = 0; output < swapped_.size(); ++output) {
        if (swapped_[output]) {
            even.col(static_cast<Eigen::Index>(output)) *= -1.0;
        }
    }
    weights_ = (drive_factors.asDiagonal() * weights).cast<float>();
    if (input_stage_.has_even_part()) {
        even_weights_ = (drive_factors.asDiagonal() * even).cast<float>();
    }
}

/// Least squares: the factor a that minimises sum_i (a w_io - q_io)^2; exactly 1 when the weights are the wanted ones.
void Crossbar::trim_outputs(const std::vector<double>& factors, const ReadEnergy& measurement, int block) {
    trim_energy_.device_j += measurement.device_j;
    trim_energy_.supply_j += measurement.supply_j;
    const int first = first_input(block);
    const int count = inputs_of(block);
    for (Eigen::Index o = 0; o < weights_.cols(); ++o) {
        const float factor = static_cast<float>(factors[static_cast<std::size_t>(o)]);
        weights_.col(o).segment(first, count) *= factor;
        if (even_weights_.size() > 0) {
            even_weights_.col(o).segment(first, count) *= factor;
        }
        if (noise_variance_.size() > 0) {
            noise_variance_.col(o).segment(first, count) *= factor * factor;
        }
        if (shot_variance_.size() > 0) {
            shot_variance_.col(o).segment(first, count) *= factor * factor;
        }
        if (thermal_variance_.size() > 0) {
            thermal_variance_(block, o) *= factor * factor;
        }
    }
}

/// Variances in (weight-code x input-code)^2. Four cells: w = s/2 (g1 - g2 - g3 + g4), two cells: w = s (g+ - g-), s =
/// code_limit / (g_max - g_min). With wires a cell's noise counts as much less as its conductance does.
void Crossbar::set_noise(const Eigen::MatrixXd& transfer, const Eigen::MatrixXd& read_sigma,
                         const QuantizedMatrix& matrix, const MappingOptions& mapping, const DeviceConfig& device,
                         const ReadConfig& read) {
    const int rows = mapping.rows_per_input();
    const double codes_per_siemens = matrix.code_limit / (device.g_max_siemens - device.g_min_siemens) / rows;
    const double codes_per_ampere = codes_per_siemens * matrix.input_limit / read.v_read_volt;
    // The noise of parallel cells is averaged with their currents.
    const double bandwidth = read.bandwidth_hz() / device.parallel_cells;
    // Bit-serial: each bit is a read of its own whose full scale is one bit.
    const double limit = matrix.input_limit;
    const double bit_scale = bit_serial_ ? 1.0 / (limit * limit) : 1.0;
    const Eigen::MatrixXd used = conductances_.topLeftCorner(footprint_.rows, footprint_.columns);
    Eigen::MatrixXd sigma = read_sigma;
    if (sigma.size() > 0 && !read.wires.is_ideal()) {
        sigma = (used.array() > 0.0).select(sigma.array() * transfer.array() / used.array().max(1e-30), 0.0);
    }
    Eigen::MatrixXd cell_variance(sigma.size() > 0 ? matrix.inputs() : 0, matrix.outputs());
    Eigen::MatrixXd shot_variance(read.shot_noise ? matrix.inputs() : 0, matrix.outputs());
    for (int i = 0; i < matrix.inputs(); ++i) {
        const double drive = static_cast<double>(matrix.drive[static_cast<std::size_t>(i)]);
        for (int o = 0; o < matrix.outputs(); ++o) {
            if (sigma.size() > 0) {
                const double squares = sigma.block(i * rows, 2 * o, rows, 2).squaredNorm();
                cell_variance(i, o) = drive * drive * codes_per_siemens * codes_per_siemens * squares;
            }
            if (read.shot_noise) {
                const double volt = read.v_read_volt * drive * (bit_serial_ ? 1.0 : 1.0 / limit);
                const double ampere = volt * used.block(i * rows, 2 * o, rows, 2).sum();
                shot_variance(i, o) =
                    2.0 * kElementaryCharge * bandwidth * ampere * bit_scale * codes_per_ampere * codes_per_ampere;
            }
        }
    }
    noise_variance_ = cell_variance.cast<float>();
    shot_variance_ = shot_variance.cast<float>();
    if (!read.thermal_noise) {
        return;
    }
    double reads = 1.0;
    if (bit_serial_) {
        reads = 0.0;
        for (int bit = read.skipped_bits(matrix.input_limit); (1 << bit) <= matrix.input_limit; ++bit) {
            reads += std::ldexp(1.0, 2 * bit);
        }
    }
    thermal_variance_.resize((matrix.inputs() + inputs_a_read_ - 1) / inputs_a_read_, matrix.outputs());
    for (Eigen::Index block = 0; block < thermal_variance_.rows(); ++block) {
        const Eigen::Index first = block * inputs_a_read_ * rows;
        const Eigen::Index count = std::min<Eigen::Index>(inputs_a_read_ * rows, used.rows() - first);
        for (int o = 0; o < matrix.outputs(); ++o) {
            const double siemens = used.block(first, 2 * o, count, 2).sum();
            const double ampere2 = 4.0 * kBoltzmann * device.temperature_kelvin * siemens * bandwidth;
            thermal_variance_(block, o) =
                static_cast<float>(reads * bit_scale * ampere2 * codes_per_ampere * codes_per_ampere);
        }
    }
}

void Crossbar::set_read_energy(const Eigen::MatrixXd& row_admittance, const QuantizedMatrix& matrix, int rows_per_input,
                               int parallel_cells, const ReadConfig& read) {
    const bool wired = row_admittance.size() > 0;
    const bool pulsed = !input_stage_.is_amplitude();
    Eigen::MatrixXd currents(wired && !pulsed ? inputs() : 0, wired && !pulsed ? footprint_.rows : 0);
    for (int i = 0; i < inputs(); ++i) {
        const double drive = static_cast<double>(matrix.drive[static_cast<std::size_t>(i)]);
        const double volt_per_code = read.v_read_volt * drive / matrix.input_limit;
        Eigen::VectorXd row_currents;  // per volt on this input alone
        double g = 0.0;
        if (wired) {
            row_currents = row_admittance.col(i * rows_per_input);
            if (rows_per_input == 2) {
                row_currents -= row_admittance.col(2 * i + 1);
            }
            g = row_currents(i * rows_per_input) - (rows_per_input == 2 ? row_currents(2 * i + 1) : 0.0);
        } else {
            g = parallel_cells * conductances_.block(i * rows_per_input, 0, rows_per_input, footprint_.columns).sum();
        }
        if (pulsed) {
            // Each input as if it were alone: with wires the rows then share no voltage drop. The drive of an input
            // shortens its pulses, or lowers them when they are single bits.
            const double volt = bit_serial_ ? read.v_read_volt * drive : read.v_read_volt;
            const double time = bit_serial_ ? read.t_read_s : read.t_read_s * drive;
            device_energy_per_code2_.push_back(volt * volt * g * time);
            supply_energy_per_code_.push_back(read.v_supply_volt * volt * g * time);
        } else if (wired) {
            currents.row(i) = volt_per_code * row_currents;
            device_energy_per_ampere_.push_back(static_cast<float>(volt_per_code * read.t_read_s));
        } else {
            device_energy_per_code2_.push_back(volt_per_code * volt_per_code * g * read.t_read_s);
            supply_energy_per_code_.push_back(read.v_supply_volt * volt_per_code * g * read.t_read_s);
        }
    }
    row_current_per_code_ = currents.cast<float>();
    supply_energy_per_ampere_ = static_cast<float>(read.v_supply_volt * read.t_read_s);
}

}  // namespace imssa

#include "models/array/crossbar.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "models/array/lane_product.h"
#include "models/array/wire_grid.h"
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

/// The used cells as a grid of wires. `grid_column` receives the place of each column of the footprint in the grid.
WireGrid grid_of(const Eigen::MatrixXd& conductances, const TileFootprint& footprint, const MappingOptions& mapping,
                 const WireConfig& wires, std::vector<int>& grid_column) {
    WireGrid grid;
    grid.tile_rows = mapping.tile_rows;
    grid.tile_columns = mapping.tile_columns;
    grid.wires = wires;
    grid.conductances.resize(footprint.rows, footprint.columns);
    for (int row = 0; row < footprint.rows; ++row) {
        grid.row_positions.push_back(row);
    }
    const bool separate = wires.column_order == ColumnOrder::separate;
    const int outputs = footprint.columns / 2;
    grid_column.resize(static_cast<std::size_t>(footprint.columns));
    grid.column_positions.resize(static_cast<std::size_t>(footprint.columns));
    for (int column = 0; column < footprint.columns; ++column) {
        const int output = column / 2;
        const bool minus = column % 2 == 1;
        const int place = separate ? output + (minus ? outputs : 0) : column;
        grid_column[static_cast<std::size_t>(column)] = place;
        grid.column_positions[static_cast<std::size_t>(place)] =
            separate ? output + (minus ? mapping.tile_columns / 2 : 0) : column;
        grid.conductances.col(place) = conductances.col(column).head(footprint.rows);
    }
    return grid;
}

/// What each cell contributes to its column per volt on its row: its conductance, or less with wires.
/// `row_admittance` receives the currents of the rows per volt on the rows; it stays empty when wires are ideal.
Eigen::MatrixXd column_transfer(const Eigen::MatrixXd& conductances, const TileFootprint& footprint,
                                const MappingOptions& mapping, const WireConfig& wires,
                                Eigen::MatrixXd& row_admittance) {
    if (wires.is_ideal()) {
        return conductances;
    }
    std::vector<int> grid_column;
    WireTransfer transfer = wire_transfer(grid_of(conductances, footprint, mapping, wires, grid_column));
    row_admittance = std::move(transfer.rows);
    Eigen::MatrixXd columns(footprint.rows, footprint.columns);
    for (int column = 0; column < footprint.columns; ++column) {
        columns.col(column) = transfer.columns.col(grid_column[static_cast<std::size_t>(column)]);
    }
    return columns;
}

}  // namespace

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
    Eigen::MatrixXd row_admittance;
    const Eigen::MatrixXd transfer = column_transfer(conductances_, footprint_, mapping, read.wires, row_admittance);
    const Eigen::MatrixXd weights = effective_weights(transfer, matrix, mapping, device);
    weights_ = (drive_factors.asDiagonal() * weights).cast<float>();
    if (device.read_noise_relative > 0.0) {
        const Eigen::MatrixXd variance = weight_variance(transfer, matrix, mapping, device);
        noise_variance_ = (drive_factors.cwiseAbs2().asDiagonal() * variance).cast<float>();
    }

    set_read_energy(row_admittance, matrix, mapping.rows_per_input(), read);
}

void Crossbar::set_read_energy(const Eigen::MatrixXd& row_admittance, const QuantizedMatrix& matrix, int rows_per_input,
                               const ReadConfig& read) {
    const bool wired = row_admittance.size() > 0;
    Eigen::MatrixXd currents(wired ? inputs() : 0, wired ? footprint_.rows : 0);
    for (int i = 0; i < inputs(); ++i) {
        const double drive = static_cast<double>(matrix.drive[static_cast<std::size_t>(i)]);
        const double volt_per_code = read.v_read_volt * drive / matrix.input_limit;
        if (wired) {
            Eigen::VectorXd row_currents = row_admittance.col(i * rows_per_input);
            if (rows_per_input == 2) {
                row_currents -= row_admittance.col(2 * i + 1);
            }
            currents.row(i) = volt_per_code * row_currents;
            device_energy_per_ampere_.push_back(static_cast<float>(volt_per_code * read.t_read_s));
            continue;
        }
        const double g = conductances_.block(i * rows_per_input, 0, rows_per_input, footprint_.columns).sum();
        device_energy_per_code2_.push_back(volt_per_code * volt_per_code * g * read.t_read_s);
        supply_energy_per_code_.push_back(read.v_supply_volt * volt_per_code * g * read.t_read_s);
    }
    row_current_per_code_ = currents.cast<float>();
    supply_energy_per_ampere_ = static_cast<float>(read.v_supply_volt * read.t_read_s);
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
    if (row_current_per_code_.size() > 0) {
        return wired_read_energy(input_codes);
    }
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

ReadEnergy Crossbar::wired_read_energy(const LaneMatrix& input_codes) const {
    const int rows = static_cast<int>(row_current_per_code_.cols());
    const int rows_per_input = rows / inputs();
    LaneMatrix currents(rows, input_codes.lanes());
    lane_product(row_current_per_code_, input_codes, currents);
    ReadEnergy energy;
    for (int vector = 0; vector < input_codes.vectors(); ++vector) {
        Lanes device{};
        Lanes supply{};
        for (int row = 0; row < rows; ++row) {
            const int input = row / rows_per_input;
            const Lanes current = load_lanes(currents.row(row) + vector * kLaneWidth);
            const Lanes code = load_lanes(input_codes.row(input) + vector * kLaneWidth);
            const float joule = device_energy_per_ampere_[static_cast<std::size_t>(input)];
            // The second row of a pair is driven with the opposite voltage.
            const float factor = row % rows_per_input == 0 ? joule : -joule;
            device = multiply_add(code * current, broadcast(factor), device);
            supply = multiply_add(maximum(current, -current), broadcast(supply_energy_per_ampere_), supply);
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

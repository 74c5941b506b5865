#include "models/array/fault_remap.h"

#include <algorithm>
#include <cmath>

namespace imssa {

namespace {

/// The cells of one weight, first those that count as plus.
class WeightCells {
public:
    WeightCells(int input, int output, int rows_per_input) : rows_(rows_per_input), row_(input * rows_per_input) {
        column_ = 2 * output;
    }
    int count() const { return 2 * rows_; }
    int row(int cell) const { return row_ + cell / 2; }
    int column(int cell) const { return column_ + cell % 2; }
    /// Four cells: [[plus, minus], [minus, plus]].
    double sign(int cell) const { return (cell / 2 + cell % 2) % 2 == 0 ? 1.0 : -1.0; }

private:
    int rows_, row_, column_;
};

/// Remaps weight by weight.
class Remapper {
public:
    Remapper(const Eigen::MatrixXi& stuck, const DeviceConfig& device) : stuck_(stuck), device_(device) {}

    /// What a cell will be: its target, or where it is stuck.
    double value(const Eigen::MatrixXd& targets, int row, int column) const {
        const int fault = stuck_(row, column);
        return fault == 0 ? targets(row, column) : (fault < 0 ? device_.g_min_siemens : device_.g_max_siemens);
    }
    double sum(const Eigen::MatrixXd& targets, const WeightCells& cells) const {
        double sum = 0.0;
        for (int cell = 0; cell < cells.count(); ++cell) {
            sum += cells.sign(cell) * value(targets, cells.row(cell), cells.column(cell));
        }
        return sum;
    }
    bool has_fault(const WeightCells& cells) const {
        for (int cell = 0; cell < cells.count(); ++cell) {
            if (stuck_(cells.row(cell), cells.column(cell)) != 0) {
                return true;
            }
        }
        return false;
    }
    /// Moves the healthy cells until the signed sum is `wanted`, as far as the window allows.
    void reach(double wanted, const WeightCells& cells, Eigen::MatrixXd& targets) const {
        double missing = wanted - sum(targets, cells);
        for (int cell = 0; cell < cells.count() && missing != 0.0; ++cell) {
            const int row = cells.row(cell);
            const int column = cells.column(cell);
            if (stuck_(row, column) != 0) {
                continue;
            }
            double& g = targets(row, column);
            const double moved =
                std::clamp(g + cells.sign(cell) * missing, device_.g_min_siemens, device_.g_max_siemens);
            missing -= cells.sign(cell) * (moved - g);
            g = moved;
        }
    }

private:
    const Eigen::MatrixXi& stuck_;
    const DeviceConfig& device_;
};

}  // namespace

RemappedTargets remap_targets(const Eigen::MatrixXd& targets, const Eigen::MatrixXi& stuck,
                              const QuantizedMatrix& matrix, const MappingOptions& mapping,
                              const DeviceConfig& device) {
    RemappedTargets result{targets, {}};
    if (device.fault_remap == FaultRemap::none || (stuck.array() == 0).all()) {
        return result;
    }
    const int rows = mapping.rows_per_input();
    const Remapper remapper(stuck, device);
    if (device.fault_remap == FaultRemap::swap) {
        Eigen::MatrixXd exchanged = targets;
        for (int output = 0; output < matrix.outputs(); ++output) {
            exchanged.col(2 * output).swap(exchanged.col(2 * output + 1));
        }
        for (int output = 0; output < matrix.outputs(); ++output) {
            double straight_error = 0.0;
            double swapped_error = 0.0;
            for (int input = 0; input < matrix.inputs(); ++input) {
                const WeightCells cells(input, output, rows);
                double wanted = 0.0;
                for (int cell = 0; cell < cells.count(); ++cell) {
                    wanted += cells.sign(cell) * targets(cells.row(cell), cells.column(cell));
                }
                straight_error += std::abs(remapper.sum(targets, cells) - wanted);
                swapped_error += std::abs(remapper.sum(exchanged, cells) + wanted);
            }
            result.swapped.push_back(swapped_error < straight_error);
            if (result.swapped.back()) {
                result.targets.middleCols(2 * output, 2) = exchanged.middleCols(2 * output, 2);
            }
        }
        return result;
    }
    for (int input = 0; input < matrix.inputs(); ++input) {
        for (int output = 0; output < matrix.outputs(); ++output) {
            const WeightCells cells(input, output, rows);
            if (!remapper.has_fault(cells)) {
                continue;
            }
            double wanted = 0.0;
            if (device.fault_remap == FaultRemap::compensate) {
                for (int cell = 0; cell < cells.count(); ++cell) {
                    wanted += cells.sign(cell) * targets(cells.row(cell), cells.column(cell));
                }
            }
            remapper.reach(wanted, cells, result.targets);
        }
    }
    return result;
}

}  // namespace imssa

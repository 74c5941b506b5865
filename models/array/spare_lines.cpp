#include "models/array/spare_lines.h"

#include <cmath>
#include <vector>

namespace imssa {

namespace {

/// Inputs and outputs of a matrix on the places of a tile: an input place has one row or two, an output place two
/// columns. Places beyond the matrix stand for the spare lines.
class LinePlacement {
public:
    LinePlacement(const Eigen::MatrixXd& targets, const QuantizedMatrix& matrix, const MappingOptions& mapping,
                  const DeviceConfig& device)
        : targets_(targets), device_(device), rows_(mapping.rows_per_input()) {
        for (int input = 0; input < matrix.inputs(); ++input) {
            input_place_.push_back(input);
            input_line_.push_back(input * rows_);
        }
        for (int output = 0; output < matrix.outputs(); ++output) {
            output_place_.push_back(output);
            output_line_.push_back(2 * output);
        }
        for (int row = mapping.tile_rows - mapping.spare_rows; row + rows_ <= mapping.tile_rows; row += rows_) {
            input_line_.push_back(row);
        }
        const int first_spare = mapping.tile_columns - mapping.spare_columns;
        for (int column = first_spare; column + 2 <= mapping.tile_columns; column += 2) {
            output_line_.push_back(column);
        }
    }

    /// Draws the known faults of all places; false when there are none.
    bool find_faults(std::uint64_t seed, std::uint32_t tile) {
        faults_ = known_stuck_cells(cells(all(input_line_.size()), all(output_line_.size())), device_, seed, tile);
        return (faults_.array() != 0).any();
    }

    /// Moves the line that gains most; false when none gains.
    bool move_best() {
        double best = 0.0;
        std::vector<int>* of = nullptr;
        std::size_t line = 0;
        int to = 0;
        const auto try_lines = [&](std::vector<int>& places, std::size_t count, auto error) {
            for (std::size_t place = places.size(); place < count; ++place) {
                if (taken(places, static_cast<int>(place))) {
                    continue;
                }
                for (std::size_t at = 0; at < places.size(); ++at) {
                    const double gain = error(at, places[at]) - error(at, static_cast<int>(place));
                    if (gain > best) {
                        best = gain;
                        of = &places;
                        line = at;
                        to = static_cast<int>(place);
                    }
                }
            }
        };
        try_lines(input_place_, input_line_.size(), [this](std::size_t input, int place) {
            double sum = 0.0;
            for (std::size_t output = 0; output < output_place_.size(); ++output) {
                sum += weight_error(input, output, place, output_place_[output]);
            }
            return sum;
        });
        try_lines(output_place_, output_line_.size(), [this](std::size_t output, int place) {
            double sum = 0.0;
            for (std::size_t input = 0; input < input_place_.size(); ++input) {
                sum += weight_error(input, output, input_place_[input], place);
            }
            return sum;
        });
        if (of == nullptr) {
            return false;
        }
        (*of)[line] = to;
        return true;
    }

    UsedCells used() const { return cells(input_place_, output_place_); }

private:
    static std::vector<int> all(std::size_t count) {
        std::vector<int> places;
        for (std::size_t place = 0; place < count; ++place) {
            places.push_back(static_cast<int>(place));
        }
        return places;
    }
    static bool taken(const std::vector<int>& places, int place) {
        for (const int used : places) {
            if (used == place) {
                return true;
            }
        }
        return false;
    }

    UsedCells cells(const std::vector<int>& inputs, const std::vector<int>& outputs) const {
        UsedCells used;
        for (const int place : inputs) {
            for (int row = 0; row < rows_; ++row) {
                used.row_places.push_back(input_line_[static_cast<std::size_t>(place)] + row);
            }
        }
        for (const int place : outputs) {
            for (int column = 0; column < 2; ++column) {
                used.column_places.push_back(output_line_[static_cast<std::size_t>(place)] + column);
            }
        }
        used.rows = static_cast<int>(used.row_places.size());
        used.columns = static_cast<int>(used.column_places.size());
        return used;
    }

    /// What the known stuck cells at these places make of a weight, in siemens.
    double weight_error(std::size_t input, std::size_t output, int input_place, int output_place) const {
        double error = 0.0;
        for (int row = 0; row < rows_; ++row) {
            for (int column = 0; column < 2; ++column) {
                const int fault = faults_(input_place * rows_ + row, 2 * output_place + column);
                if (fault == 0) {
                    continue;
                }
                const double target =
                    targets_(static_cast<int>(input) * rows_ + row, 2 * static_cast<int>(output) + column);
                const double stuck = fault < 0 ? device_.g_min_siemens : device_.g_max_siemens;
                error += (row + column) % 2 == 0 ? stuck - target : target - stuck;
            }
        }
        return std::abs(error);
    }

    const Eigen::MatrixXd& targets_;
    const DeviceConfig& device_;
    int rows_;
    std::vector<int> input_place_, output_place_;  ///< place of each input and output
    std::vector<int> input_line_, output_line_;    ///< first row and column of each place, spares last
    Eigen::MatrixXi faults_;
};

}  // namespace

UsedCells place_lines(const Eigen::MatrixXd& targets, const QuantizedMatrix& matrix, const MappingOptions& mapping,
                      const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile) {
    UsedCells in_order;
    in_order.rows = matrix.inputs() * mapping.rows_per_input();
    in_order.columns = matrix.outputs() * MappingOptions::columns_per_output();
    if (mapping.spare_rows + mapping.spare_columns == 0) {
        return in_order;
    }
    LinePlacement placement(targets, matrix, mapping, device);
    if (!placement.find_faults(seed, tile)) {
        return in_order;
    }
    bool moved = false;
    while (placement.move_best()) {
        moved = true;
    }
    return moved ? placement.used() : in_order;
}

}  // namespace imssa

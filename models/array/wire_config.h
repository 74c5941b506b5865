#pragma once

#include <array>
#include <utility>

namespace imssa {

/// Where the drivers of the rows sit.
enum class DriverSide { left, right, both };
constexpr auto enum_names(DriverSide) {
    return std::array{std::pair{"left", DriverSide::left}, std::pair{"right", DriverSide::right},
                      std::pair{"both", DriverSide::both}};
}

/// Where the sense amplifiers (virtual grounds) of the columns sit.
enum class SenseSide { bottom, top, both };
constexpr auto enum_names(SenseSide) {
    return std::array{std::pair{"bottom", SenseSide::bottom}, std::pair{"top", SenseSide::top},
                      std::pair{"both", SenseSide::both}};
}

/// Where the two columns of a differential output run: side by side, or all plus columns in the left half of the tile
/// and all minus columns in the right half.
enum class ColumnOrder { interleaved, separate };
constexpr auto enum_names(ColumnOrder) {
    return std::array{std::pair{"interleaved", ColumnOrder::interleaved}, std::pair{"separate", ColumnOrder::separate}};
}

/// Resistance of a tile's lines. One segment a cell: the first cell of a row is one segment away from its driver, the
/// last cell of a column one segment away from its sense amplifier. All zero: ideal wires; else 1e-6 to 1e9 ohm.
struct WireConfig {
    double row_ohm_per_cell = 0.0;
    double column_ohm_per_cell = 0.0;
    double driver_ohm = 0.0;  ///< output resistance of a row driver
    double sense_ohm = 0.0;   ///< input resistance of a sense amplifier
    DriverSide driver_side = DriverSide::left;
    SenseSide sense_side = SenseSide::bottom;
    ColumnOrder column_order = ColumnOrder::interleaved;

    void validate() const;
    bool is_ideal() const {
        return row_ohm_per_cell == 0.0 && column_ohm_per_cell == 0.0 && driver_ohm == 0.0 && sense_ohm == 0.0;
    }
};

template <class Visitor>
void visit_fields(Visitor& visit, WireConfig& config) {
    visit("row_ohm_per_cell", config.row_ohm_per_cell);
    visit("column_ohm_per_cell", config.column_ohm_per_cell);
    visit("driver_ohm", config.driver_ohm);
    visit("sense_ohm", config.sense_ohm);
    visit("driver_side", config.driver_side);
    visit("sense_side", config.sense_side);
    visit("column_order", config.column_order);
}

}  // namespace imssa

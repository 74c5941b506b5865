#pragma once

#include <functional>
#include <systemc>

#include "models/array/crossbar.h"

namespace imssa {

/// How many of a tile's lines one read of it concerns.
struct TileLines {
    int driven_inputs = 0;      ///< all, or those of one head where gates keep the others without current
    int conversion_rounds = 0;  ///< conversions, one after another, of the busiest converter behind its columns
};

/// One tile in the chip's module tree: the cells, and the port through which a host programs and erases them. Untimed:
/// whoever reads the tile spends the cycles of the read.
class CrossbarTile final : public sc_core::sc_module {
public:
    /// The array must outlive the module. `calibrate`: start-up calibration of its columns, as after every programming.
    CrossbarTile(const sc_core::sc_module_name& name, Crossbar& array, const TileLines& lines,
                 std::function<void()> calibrate);

    /// Programs the cells anew: codes of the weights, inputs x outputs as codes(). Throws UserError for another shape.
    void program(const MatrixRM& codes);
    /// Programs all weights to zero.
    void erase();

    const MatrixRM& codes() const { return array_.codes(); }
    const Crossbar& array() const { return array_; }
    const TileLines& lines() const { return lines_; }

private:
    Crossbar& array_;
    TileLines lines_;
    std::function<void()> calibrate_;
};

}  // namespace imssa

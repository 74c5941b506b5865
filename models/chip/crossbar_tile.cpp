#include "models/chip/crossbar_tile.h"

#include <utility>

namespace imssa {

CrossbarTile::CrossbarTile(const sc_core::sc_module_name& module_name, Crossbar& array, const TileLines& lines,
                           std::function<void()> calibrate)
    : sc_core::sc_module(module_name), array_(array), lines_(lines), calibrate_(std::move(calibrate)) {}

void CrossbarTile::program(const MatrixRM& codes) {
    array_.reprogram(codes);
    calibrate_();
}

void CrossbarTile::erase() {
    program(MatrixRM::Zero(codes().rows(), codes().cols()));
}

}  // namespace imssa

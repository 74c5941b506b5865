#include "models/chip/crossbar_tile.h"

namespace imssa {

CrossbarTile::CrossbarTile(const sc_core::sc_module_name& module_name, Crossbar& array, const TileLines& lines)
    : sc_core::sc_module(module_name), array_(array), lines_(lines) {}

void CrossbarTile::erase() {
    program(MatrixRM::Zero(codes().rows(), codes().cols()));
}

}  // namespace imssa

#include "models/array/read_config.h"

#include <cmath>
#include <string>

#include "models/common/error.h"

namespace imssa {

namespace {

void check_positive(double value, const char* key) {
    if (!(value > 0.0) || !std::isfinite(value)) {
        throw UserError(std::string(key) + " = " + std::to_string(value) + " is out of range: set a positive number");
    }
}

}  // namespace

void ReadConfig::validate() const {
    check_positive(v_read_volt, "v_read_volt");
    check_positive(t_read_s, "t_read_s");
    check_positive(v_supply_volt, "v_supply_volt");
    wires.validate();
}

}  // namespace imssa

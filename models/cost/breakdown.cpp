#include "models/cost/breakdown.h"

#include <algorithm>
#include <cmath>

#include "models/common/error.h"

namespace imssa {

namespace {

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_arithmetic(const EnergyRow& row) {
    return row.item == to_string(Action::digital_multiply) || row.item == to_string(Action::digital_add);
}

}  // namespace

std::string phase_of(const EnergyRow& row) {
    if (row.group == ComponentGroup::leakage) {
        return "LEAKAGE";
    }
    if (row.group == ComponentGroup::coefficients) {
        return "LOAD";
    }
    if (row.item == to_string(Action::control_cycle)) {
        return "SEQUENCING";
    }
    if (row.item == to_string(Action::buffer_bit) || row.item == to_string(Action::network_bit)) {
        return "TRANSFER";
    }
    if (row.item == to_string(Action::off_chip_bit)) {
        return "INPUT_OUTPUT";
    }
    if (ends_with(row.unit, ".pooling")) {
        return "POOLING";
    }
    if (row.item == to_string(Action::table_lookup) && ends_with(row.unit, ".table")) {
        return "TABLE";
    }
    if (row.group == ComponentGroup::layer_units) {
        return "LAYER_UNIT";
    }
    if (row.item == to_string(Action::dac_conversion) || row.item == to_string(Action::row_line_cell)) {
        return "DRIVE";
    }
    if (row.item == to_string(Action::array_read) || row.item == to_string(Action::transimpedance)) {
        return "SETTLE";
    }
    if (row.item == to_string(Action::sample_hold)) {
        return "SAMPLE";
    }
    if (row.item == to_string(Action::adc_conversion)) {
        return "CONVERT";
    }
    if (row.item == to_string(Action::register_bit_read)) {
        return "LOAD";
    }
    if (is_arithmetic(row) && ends_with(row.unit, ".decay")) {
        return "DECAY";
    }
    return "WRITE_BACK";
}

std::string layer_of(const std::string& unit) {
    const std::size_t first = unit.find('.');
    if (first == std::string::npos) {
        return unit;
    }
    const std::string rest = unit.substr(first + 1);
    const std::string part = rest.substr(0, rest.find('.'));
    return ends_with(part, "_input") ? part.substr(0, part.size() - 6) : part;
}

std::vector<EnergyShare> energy_by(const std::vector<EnergyRow>& rows,
                                   const std::function<std::string(const EnergyRow&)>& key) {
    std::vector<EnergyShare> shares;
    for (const EnergyRow& row : rows) {
        const std::string name = key(row);
        auto at = std::find_if(shares.begin(), shares.end(),
                               [&name](const EnergyShare& share) { return share.name == name; });
        if (at == shares.end()) {
            shares.push_back({name, {}});
            at = shares.end() - 1;
        }
        at->total.energy_j += row.energy_j;
        at->total.energy_low_j += row.energy_low_j;
        at->total.energy_high_j += row.energy_high_j;
    }
    return shares;
}

std::vector<EnergyShare> energy_by_unit(const std::vector<EnergyRow>& rows) {
    return energy_by(rows, [](const EnergyRow& row) { return row.unit; });
}

std::vector<EnergyShare> energy_by_layer(const std::vector<EnergyRow>& rows) {
    return energy_by(rows, [](const EnergyRow& row) { return layer_of(row.unit); });
}

std::vector<EnergyShare> energy_by_phase(const std::vector<EnergyRow>& rows) {
    return energy_by(rows, phase_of);
}

std::vector<EnergyRow> rows_per_sequence(const std::vector<EnergyRow>& rows, double sequences) {
    std::vector<EnergyRow> of_one = rows;
    for (EnergyRow& row : of_one) {
        row.count /= sequences;
        row.energy_j /= sequences;
        row.energy_low_j /= sequences;
        row.energy_high_j /= sequences;
        row.array_device_j /= sequences;
    }
    return of_one;
}

void check_rows(const std::vector<EnergyRow>& rows) {
    for (const EnergyRow& row : rows) {
        const std::string what = "energy of " + row.unit + ", " + row.item;
        for (const double value : {row.count, row.unit_cost_j, row.energy_low_j, row.energy_j, row.energy_high_j}) {
            if (!std::isfinite(value) || value < 0.0) {
                throw NumericalError(what + ": " + std::to_string(value) + " is not a finite number of at least 0");
            }
        }
        // The division of array energies leaves a last bit.
        if (row.energy_low_j > row.energy_j * (1.0 + 1e-12) || row.energy_j > row.energy_high_j * (1.0 + 1e-12)) {
            throw NumericalError(what + ": low, nominal and high are out of order");
        }
        if (row.energy_high_j == 0.0 && row.item != to_string(Action::array_read)) {
            throw NumericalError(what + ": the action happened and has no cost: give it a price above zero");
        }
    }
}

}  // namespace imssa

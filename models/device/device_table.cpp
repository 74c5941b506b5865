#include "models/device/device_table.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/common/error.h"

namespace imssa {

namespace {

/// The three numbers of a line, or false.
bool read_line(std::string line, double (&values)[3]) {
    for (char& c : line) {
        c = c == ',' || c == ';' ? ' ' : c;
    }
    std::istringstream text(line);
    std::string rest;
    return (text >> values[0] >> values[1] >> values[2]) && !(text >> rest);
}

}  // namespace

void load_device_table(DeviceConfig& config, const std::string& folder) {
    if (config.table_csv.empty()) {
        return;
    }
    const std::string path = (std::filesystem::path(folder) / config.table_csv).string();
    std::ifstream file(path);
    if (!file) {
        throw UserError("device table '" + path + "' cannot be opened: check device.table_csv");
    }
    config.table_conductance_siemens.clear();
    config.table_mean_siemens.clear();
    config.table_sigma_siemens.clear();
    int number = 0;
    bool header_allowed = true;
    for (std::string line; std::getline(file, line);) {
        ++number;
        if (line.empty() || line[0] == '#' || line == "\r") {
            continue;
        }
        const std::string where = path + ":" + std::to_string(number) + ": ";
        double values[3] = {};
        if (!read_line(line, values)) {
            if (header_allowed) {
                header_allowed = false;
                continue;
            }
            throw UserError(where + "expected three numbers: conductance, mean error, sigma in siemens");
        }
        header_allowed = false;
        const std::vector<double>& g = config.table_conductance_siemens;
        if (!g.empty() && values[0] <= g.back()) {
            throw UserError(where + "conductances must ascend");
        }
        if (!std::isfinite(values[1]) || !(values[2] >= 0.0) || !(std::abs(values[0]) <= 1.0)) {
            throw UserError(where + "the numbers are siemens, sigma at least 0");
        }
        config.table_conductance_siemens.push_back(values[0]);
        config.table_mean_siemens.push_back(values[1]);
        config.table_sigma_siemens.push_back(values[2]);
    }
    if (config.table_conductance_siemens.empty()) {
        throw UserError("device table '" + path + "' has no rows");
    }
}

}  // namespace imssa

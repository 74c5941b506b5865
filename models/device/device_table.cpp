#include "models/device/device_table.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "models/common/error.h"

namespace imssa {

namespace {

/// What stands between the commas of a line.
std::vector<std::string> fields_of(std::string line) {
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == ',' || c == ';'; }, ' ');
    std::istringstream text(line);
    return {std::istream_iterator<std::string>(text), std::istream_iterator<std::string>()};
}

/// The numbers of a line; empty when anything else stands in it.
std::vector<double> numbers_of(const std::vector<std::string>& fields) {
    std::vector<double> numbers;
    for (const std::string& field : fields) {
        std::istringstream text(field);
        double number = 0.0;
        if (!(text >> number) || text.peek() != std::istringstream::traits_type::eof()) {
            return {};
        }
        numbers.push_back(number);
    }
    return numbers;
}

bool is_table_width(std::size_t columns) {
    return columns == 2 || columns == 3;
}

std::string expected_numbers(std::size_t columns) {
    if (columns == 0) {
        return "expected two or three numbers: conductance, [mean error,] sigma in siemens";
    }
    return columns == 2 ? "expected two numbers: conductance, sigma in siemens"
                        : "expected three numbers: conductance, mean error, sigma in siemens";
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
    std::size_t columns = 0;  // as the header or the first row has them
    for (std::string line; std::getline(file, line);) {
        ++number;
        if (line.empty() || line[0] == '#' || line == "\r") {
            continue;
        }
        const std::string where = path + ":" + std::to_string(number) + ": ";
        const std::vector<std::string> fields = fields_of(line);
        const std::vector<double> values = numbers_of(fields);
        if (values.empty() && header_allowed) {
            header_allowed = false;
            columns = is_table_width(fields.size()) ? fields.size() : 0;
            continue;
        }
        if (!is_table_width(values.size()) || (columns != 0 && values.size() != columns)) {
            throw UserError(where + expected_numbers(columns));
        }
        columns = values.size();
        const double mean = columns == 3 ? values[1] : 0.0;
        const double sigma = values.back();
        header_allowed = false;
        const std::vector<double>& g = config.table_conductance_siemens;
        if (!g.empty() && values[0] <= g.back()) {
            throw UserError(where + "conductances must ascend");
        }
        if (!(std::abs(mean) <= 1.0) || !(sigma >= 0.0) || !(sigma <= 1.0) || !(std::abs(values[0]) <= 1.0)) {
            throw UserError(where + "the numbers are siemens of at most 1, sigma at least 0");
        }
        config.table_conductance_siemens.push_back(values[0]);
        config.table_mean_siemens.push_back(mean);
        config.table_sigma_siemens.push_back(sigma);
    }
    if (config.table_conductance_siemens.empty()) {
        throw UserError("device table '" + path + "' has no rows");
    }
}

}  // namespace imssa

#include "scenarios/support/complex_kernels.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/common/error.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

std::complex<double> complex_of(const nlohmann::json& pair) {
    return {pair.at(0).get<double>(), pair.at(1).get<double>()};
}

std::vector<std::complex<double>> complex_list(const nlohmann::json& list) {
    std::vector<std::complex<double>> values;
    for (const nlohmann::json& pair : list) {
        values.push_back(complex_of(pair));
    }
    return values;
}

Eigen::MatrixXd square_of(const nlohmann::json& rows, std::size_t size) {
    Eigen::MatrixXd cells(static_cast<Eigen::Index>(size), static_cast<Eigen::Index>(size));
    for (std::size_t row = 0; row < size; ++row) {
        for (std::size_t column = 0; column < size; ++column) {
            cells(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(column)) =
                rows.at(row).at(column).get<double>();
        }
    }
    return cells;
}

NamedComplexKernel kernel_of(const std::string& name, const nlohmann::json& entry, const std::string& path) {
    NamedComplexKernel named;
    named.name = name;
    ComplexKernel& kernel = named.kernel;
    try {
        kernel = {complex_list(entry.at("A")), complex_list(entry.at("B")), complex_list(entry.at("C")),
                  complex_of(entry.at("D"))};
        if (entry.contains("G")) {
            named.cells = square_of(entry.at("G"), 4 * (kernel.a.size() + 1));
        }
    } catch (const nlohmann::json::exception& error) {
        throw UserError(path + ": kernel '" + name + "' needs A, B, C (lists of [re, im]) and D: " + error.what());
    }
    if (kernel.a.empty() || kernel.a.size() != kernel.b.size() || kernel.a.size() != kernel.c.size()) {
        throw UserError(path + ": kernel '" + name + "' needs one factor a mode in each of A, B and C");
    }
    return named;
}

}  // namespace

std::vector<NamedComplexKernel> load_complex_kernels(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
        throw UserError("cannot read the kernels '" + path + "': is the file there?");
    }
    const nlohmann::json all = nlohmann::json::parse(file, nullptr, false);
    if (!all.is_object() || all.empty()) {
        throw UserError("the kernels '" + path + "' are no JSON object of kernels by name");
    }
    std::vector<NamedComplexKernel> kernels;
    for (const auto& [name, entry] : all.items()) {
        kernels.push_back(kernel_of(name, entry, path));
    }
    return kernels;
}

QuantizedMatrix array_on_chip(const ComplexKernel& kernel, const ChipConfig& config) {
    const int levels = config.device.conductance_levels;
    return complex_kernel_array(kernel, levels > 0 ? levels - 1 : code_limit(config.kernel.weight_bits));
}

ComplexKernelCells map_complex_kernel(const NamedComplexKernel& kernel, const ChipConfig& config) {
    constexpr double kEqual = 1e-9;
    if (kernel.cells.size() > 0 && config.mapping.cells_per_weight != 4) {
        throw UserError("kernel '" + kernel.name + "' has cells of 4 a weight: set mapping.cells_per_weight = 4");
    }
    const QuantizedMatrix array = array_on_chip(kernel.kernel, config);
    ComplexKernelCells mapped;
    mapped.footprint = footprint(array, config.mapping, kernel.name);
    mapped.conductances = target_conductances(array, config.mapping, config.device);
    const double window = config.device.g_max_siemens - config.device.g_min_siemens;
    for (Eigen::Index row = 0; row < kernel.cells.rows(); ++row) {
        for (Eigen::Index column = 0; column < kernel.cells.cols(); ++column) {
            const double part = (mapped.conductances(row, column) - config.device.g_min_siemens) / window;
            const double difference = std::abs(part - kernel.cells(row, column));
            mapped.as_in_file += difference <= kEqual ? 1 : 0;
            mapped.largest_difference = std::max(mapped.largest_difference, difference);
        }
    }
    return mapped;
}

}  // namespace imssa

#pragma once

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/cost/cost_table.h"
#include "models/network/parameters.h"

namespace imssa {

/// The same inference on other hardware, by operation counts: a comparison of energy, not a design.
struct Baseline {
    std::string name;
    Figure sequence_j;
    std::string how;  ///< counts and unit costs in words
};

/// Multiplications and moved bits of one sequence of the recurrent model in digital hardware.
struct DigitalCounts {
    double multiply_8x8 = 0.0;   ///< 8 x 8-bit equivalents
    double accumulations = 0.0;  ///< into 32 bits
    double sram_bits = 0.0;      ///< weights read, states read and written
    double memory_byte = 0.0;    ///< weights and states
};
DigitalCounts digital_counts(const ModelConfig& model, int steps, int register_bits);

/// An int8 multiply-accumulate array with SRAM at the table's technology, and a microcontroller.
std::vector<Baseline> digital_baselines(const ModelConfig& model, int steps, int register_bits, const CostTable& table);

/// Published systems, with what is and is not comparable.
struct ReferenceSystem {
    const char* name;
    const char* figure;
    const char* comparable;
    const char* status;
};
const std::vector<ReferenceSystem>& reference_systems();

nlohmann::ordered_json baselines_json(const std::vector<Baseline>& baselines);
void print_baselines(const std::vector<Baseline>& baselines, double chip_sequence_j, std::FILE* out);

}  // namespace imssa

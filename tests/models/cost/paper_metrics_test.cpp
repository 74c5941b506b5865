#include "models/cost/paper_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace imssa {
namespace {

constexpr PaperModel kCifar{4, 128, 128, 1, 10};
constexpr PaperModel kPathfinder{6, 256, 64, 1, 2};
constexpr PaperModel kHeidelbergDigits{1, 128, 128, 1, 10};

/// Published with three digits.
void expect_three_digits(double value, double published) {
    EXPECT_NEAR(value / published, 1.0, 0.005);
}

TEST(PaperMetricsTest, ReproduceTheFloatBaselineOfCifar) {
    const PaperBits bits;
    expect_three_digits(arithmetic_computation_effort(kCifar, bits), 2.03e8);
    expect_three_digits(paper_model_size_bits(kCifar, bits) / 8e3, 787.0);
    expect_three_digits(adc_complexity(kCifar, bits), 2.13e6);
}

TEST(PaperMetricsTest, ReproduceTheFloatBaselineOfPathfinder) {
    const PaperBits bits;
    expect_three_digits(arithmetic_computation_effort(kPathfinder, bits), 6.05e8);
    expect_three_digits(paper_model_size_bits(kPathfinder, bits) / 8e3, 2361.0);
    expect_three_digits(adc_complexity(kPathfinder, bits), 3.25e6);
}

TEST(PaperMetricsTest, ReproduceTheFloatBaselineOfHeidelbergDigits) {
    const PaperBits bits;
    expect_three_digits(arithmetic_computation_effort(kHeidelbergDigits, bits), 5.18e7);
    expect_three_digits(paper_model_size_bits(kHeidelbergDigits, bits) / 8e3, 198.0);
    expect_three_digits(adc_complexity(kHeidelbergDigits, bits), 5.37e5);
}

TEST(PaperMetricsTest, ReproduceTheTwelveBitRowsOfTheLogs) {
    PaperBits bits;
    bits.a = bits.c = bits.state = bits.activation = bits.mixing = bits.coder = bits.step = 12.0;
    EXPECT_DOUBLE_EQ(arithmetic_computation_effort(kCifar, bits), 28514304.0);
    EXPECT_DOUBLE_EQ(arithmetic_computation_effort(kCifar, bits, AceForm::with_step), 132323328.0);
    EXPECT_DOUBLE_EQ(paper_model_size_bits(kCifar, bits), 2362368.0);
    EXPECT_DOUBLE_EQ(adc_complexity(kCifar, bits), 800376.0);
}

TEST(PaperMetricsTest, CountEveryMultiplyOfAModelWorkedByHand) {
    const PaperModel model{2, 3, 4, 5, 6};
    const PaperBits bits{7.0, 2.0, 3.0, 5.0, 11.0, 13.0, 17.0, 1.0};
    // A: 12 * 7 * 5, B: 12 * 2 * 11, C: 12 * 3 * 5, mixing: 9 * 11 * 13; coders: 3 * 11 * 17 * 11.
    EXPECT_DOUBLE_EQ(arithmetic_computation_effort(model, bits), 2.0 * (420 + 264 + 180 + 1287) + 6171.0);
    EXPECT_DOUBLE_EQ(paper_model_size_bits(model, bits), 2.0 * (12 * 10 + 9 * 13) + 2.0 * 3 * 5 * 17);
    EXPECT_DOUBLE_EQ(adc_complexity(model, bits), 2.0 * (3 * (4 * 5 + 11) + 3 * 13) + 3 * 11 + 6 * 11);
}

TEST(PaperMetricsTest, MemoryOfAModelWorkedByHand) {
    MemoryBits memory;
    memory.bits = {8.0, 4.0, 4.0, 6.0, 5.0, 3.0, 2.0, 16.0};
    memory.d = 4.0;
    memory.bias = 32.0;
    memory.glu = true;
    const InferenceMemory result = inference_memory({1, 2, 4, 1, 3}, memory);
    // N H = 8 of Abar, Bbar, C; 2 D; mixing 4 x 2 with 4 biases; encoder 2 and decoder 6 weights, 2 + 3 biases.
    EXPECT_DOUBLE_EQ(result.parameters, 8 * (8 + 4 + 4) + 2 * 4 + 8 * 3 + 4 * 32 + 8 * 2 + 5 * 32);
    EXPECT_DOUBLE_EQ(result.states, 8 * 6);
    EXPECT_DOUBLE_EQ(result.activations, (6 + 4 + 4) * 5);
}

TEST(PaperMetricsTest, EveryGroupCountsAtItsOwnBits) {
    const PaperModel model{2, 3, 4, 5, 6};
    PaperBits bits{7.0, 2.0, 3.0, 5.0, 11.0, 13.0, 17.0, 1.0};
    bits.decoder = 19.0;
    bits.input = 23.0;
    bits.logits = 29.0;
    // The encoder's 3 x 5 weights meet inputs, the decoder's 3 x 6 pooled outputs.
    EXPECT_DOUBLE_EQ(arithmetic_computation_effort(model, bits),
                     2.0 * (420 + 264 + 180 + 1287) + 15 * 17 * 23 + 18 * 19 * 11);
    EXPECT_DOUBLE_EQ(paper_model_size_bits(model, bits), 2.0 * (12 * 10 + 9 * 13) + 3 * 5 * (17 + 19));
    EXPECT_DOUBLE_EQ(adc_complexity(model, bits), 2.0 * (3 * (4 * 5 + 11) + 3 * 13) + 3 * 11 + 6 * 29);
}

TEST(PaperMetricsTest, KernelsThatWereRemovedDoNotCount) {
    PaperModel model{2, 3, 4, 5, 6};
    model.left = KernelTotal{4.0, 14.0};  // 3 kernels of 4 states, one of 2
    const PaperBits bits{7.0, 2.0, 3.0, 5.0, 11.0, 13.0, 17.0, 1.0};
    // 14 states; 4 x 3 products of mixing, whose 2 x 3 outputs stay.
    EXPECT_DOUBLE_EQ(arithmetic_computation_effort(model, bits),
                     14 * (7 * 5 + 2 * 11 + 3 * 5) + 12 * 11 * 13 + 3 * 11 * 17 * 11);
    EXPECT_DOUBLE_EQ(paper_model_size_bits(model, bits), 14 * 10 + 12 * 13 + 2 * 3 * 5 * 17);
    EXPECT_DOUBLE_EQ(adc_complexity(model, bits), 14 * 5 + 4 * 11 + 6 * 13 + 3 * 11 + 6 * 11);
    MemoryBits memory;
    memory.bits = bits;
    memory.d = 9.0;
    memory.bias = 21.0;
    memory.gain = 31.0;
    memory.norm = true;
    memory.discrete = false;
    const InferenceMemory result = inference_memory(model, memory);
    // Abar, Bbar, C of 14 states; D, step and mixing rows of 4 kernels; biases and norms of all heads; coders.
    EXPECT_DOUBLE_EQ(result.parameters,
                     14 * 12 + 4 * (9 + 1 + 3 * 13) + 6 * 21 + 2 * 6 * 31 + 3 * 11 * 17 + (3 + 6) * 21);
    EXPECT_DOUBLE_EQ(result.states, 14 * 5);
    EXPECT_DOUBLE_EQ(result.activations, (2 * 4 + 2 * 6 + 6) * 11);
}

/// Saving against 32 bits everywhere, per cent, of the single-layer models of Zhao et al. (Table III).
double zhao_saving(int heads, double weight, double activation, double abar, double state) {
    const PaperModel model{1, heads, 64, 1, 10};
    MemoryBits full;
    full.bits.b = 32.0;
    full.glu = true;
    MemoryBits low = full;
    low.bits = {abar, weight, weight, state, activation, weight, weight, 32.0};
    low.d = weight;
    return 100.0 * (1.0 - inference_memory(model, low).total() / inference_memory(model, full).total());
}

/// The published accounting is not known; ours stays below it, by 1.2 to 2.7 points.
TEST(PaperMetricsTest, MemoryComesNearThePublishedSavings) {
    struct Row {
        int heads;
        double weight, activation, abar, state, published;
    };
    const Row rows[] = {{16, 8, 8, 8, 8, 76.55}, {16, 4, 6, 16, 16, 73.54}, {16, 4, 6, 8, 8, 82.96},
                        {16, 4, 6, 6, 6, 85.31}, {64, 8, 8, 8, 8, 76.29},   {64, 4, 6, 16, 16, 76.70},
                        {64, 4, 6, 8, 8, 84.05}, {64, 4, 6, 6, 6, 85.89}};
    for (const Row& row : rows) {
        const double ours = zhao_saving(row.heads, row.weight, row.activation, row.abar, row.state);
        EXPECT_NEAR(ours, row.published, row.heads == 16 ? 3.0 : 2.5) << ours;
    }
}

struct LogFile {
    const char* name;
    enum { ace, ace_with_step, size, adc } cost;
    int complete_rows;
};
constexpr LogFile kLogs[] = {
    {"2025_01_02__11_35_18", LogFile::ace, 263},           {"2025_01_03__11_07_22", LogFile::ace, 252},
    {"2025_01_06__10_01_59", LogFile::ace, 121},           {"2025_01_06__15_54_07", LogFile::size, 256},
    {"2025_01_10__10_18_22", LogFile::adc, 128},           {"2025_01_14__08_06_57", LogFile::ace_with_step, 110},
    {"2025_01_14__12_26_16", LogFile::ace_with_step, 149}, {"2025_01_15__09_49_21", LogFile::ace_with_step, 143},
};

double logged_cost(const LogFile& log, const PaperBits& bits) {
    switch (log.cost) {
        case LogFile::ace:
            return arithmetic_computation_effort(kCifar, bits) / 1e6;
        case LogFile::ace_with_step:
            return arithmetic_computation_effort(kCifar, bits, AceForm::with_step) / 1e6;
        case LogFile::size:
            return paper_model_size_bits(kCifar, bits);
        default:
            return adc_complexity(kCifar, bits);
    }
}

TEST(PaperMetricsTest, ReproduceEveryCompleteRowOfThePublishedLogs) {
    const std::string folder = std::string(IMSSA_SOURCE_DIR) + "/../shared/references/data";
    if (!std::filesystem::is_directory(folder)) {
        GTEST_SKIP() << "shared/references/data is not here";
    }
    for (const LogFile& log : kLogs) {
        std::ifstream file(folder + "/qs4d_summary_" + log.name + ".tsv");
        if (!file) {
            GTEST_SKIP() << "no log " << log.name;
        }
        std::string line;
        std::getline(file, line);
        int rows = 0;
        while (std::getline(file, line)) {
            std::istringstream fields(line);
            std::vector<double> values;
            for (double value; fields >> value;) {
                values.push_back(value);
            }
            if (values.size() < 10) {
                continue;  // the run in progress when the log was copied
            }
            PaperBits bits;
            bits.a = values[0];
            bits.c = values[1];
            bits.state = values[2];
            bits.activation = values[3];
            bits.mixing = values[4];
            bits.coder = values[5];
            bits.step = values[6];
            EXPECT_NEAR(logged_cost(log, bits), values[7], 1e-9 * values[7]) << log.name << ": " << line;
            ++rows;
        }
        EXPECT_EQ(rows, log.complete_rows) << log.name;
    }
}

}  // namespace
}  // namespace imssa

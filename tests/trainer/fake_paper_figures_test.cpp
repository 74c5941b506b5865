#include "trainer/fake_paper_figures.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "trainer/initialize.h"

namespace imssa {
namespace {

ModelConfig small_model() {
    ModelConfig model;
    model.channels = 5;
    model.classes = 6;
    model.layers = 2;
    model.heads = 3;
    model.states = 4;
    return model;
}

QuantizerOptions of_bits(int bits) {
    QuantizerOptions options;
    options.quantizer = Quantizer::max_scale;
    options.bits = bits;
    return options;
}

/// The quantizers of QS4D.
FakeQuantization continuous_quantizers() {
    FakeQuantization options;
    options.a_re = of_bits(6);
    options.a_im = of_bits(8);
    options.step = of_bits(10);
    options.c = of_bits(1);
    options.state = of_bits(3);
    options.activations = of_bits(5);
    options.mixing = of_bits(4);
    options.encoder = of_bits(2);
    options.biases = of_bits(9);
    return options;
}

FakePaperFigures figures_of(const FakeQuantization& options, const NetworkParameters& parameters) {
    return fake_paper_figures(small_model(), parameters, options);
}

NetworkParameters whole_parameters() {
    return initialize_parameters(small_model(), 1);
}

TEST(FakePaperFigures, AreTheFormulasAtTheBitsOfTheGroups) {
    const FakePaperFigures figures = figures_of(continuous_quantizers(), whole_parameters());
    // A 7 (mean of 6 and 8), B none, C 1 (ternary), decoder and D not quantized.
    EXPECT_DOUBLE_EQ(figures.ace, 2.0 * (12 * 7 * 3 + 12 * 1 * 3 + 9 * 5 * 4) + 15 * 2 * 5 + 18 * 32 * 5);
    EXPECT_DOUBLE_EQ(figures.model_size_bits, 2.0 * (12 * (7 + 1) + 9 * 4) + 15 * (2 + 32));
    EXPECT_DOUBLE_EQ(figures.adc_complexity, 2.0 * (12 * 3 + 3 * 5 + 3 * 4) + 3 * 5 + 6 * 5);
    // A and C; a step size, D, a row of mixing a head; biases; a layer norm's numbers; coders.
    EXPECT_DOUBLE_EQ(figures.memory.parameters,
                     24 * (7 + 1) + 6 * (10 + 32 + 3 * 4) + 6 * 9 + 12 * 32 + 15 * 2 + 18 * 32 + 9 * 9);
    EXPECT_DOUBLE_EQ(figures.memory.states, 24 * 3);
    EXPECT_DOUBLE_EQ(figures.memory.activations, (2 * 12 + 6) * 5);
}

TEST(FakePaperFigures, CountDiscreteMatricesWhereTheyAreQuantized) {
    FakeQuantization options;
    options.abar = of_bits(8);
    options.bbar = of_bits(4);
    options.d = of_bits(3);
    const FakePaperFigures figures = figures_of(options, whole_parameters());
    EXPECT_DOUBLE_EQ(figures.ace, 2.0 * 12 * (8 * 32 + 4 * 32 + 32 * 32) + 18 * 32 * 32 + (15 + 18) * 32 * 32);
    EXPECT_DOUBLE_EQ(figures.memory.parameters, 24 * (8 + 4 + 32) + 6 * (3 + 3 * 32) + (6 + 12 + 15 + 18 + 9) * 32);
}

TEST(FakePaperFigures, CountATrainedBAlsoWhereItIsNotQuantized) {
    ModelConfig model = small_model();
    model.trained_b = true;
    const NetworkParameters parameters = initialize_parameters(model, 1);
    FakeQuantization options = continuous_quantizers();
    EXPECT_DOUBLE_EQ(paper_bits(model, options).b, 32.0);
    const double without = figures_of(options, whole_parameters()).memory.parameters;
    EXPECT_DOUBLE_EQ(fake_paper_figures(model, parameters, options).memory.parameters, without + 24 * 32);
    options.bbar = of_bits(4);
    EXPECT_DOUBLE_EQ(fake_paper_figures(model, parameters, options).memory.parameters, without + 24 * 4);
    EXPECT_EQ(group_bits(model, options)[3].name, "bbar");
    EXPECT_EQ(group_bits(model, options)[3].bits, 4);
}

TEST(FakePaperFigures, LeaveOutWhatIsPruned) {
    NetworkParameters parameters = whole_parameters();
    LayerParameters& first = parameters.layers[0];
    first.c_re.row(1).setZero();
    first.c_im.row(1).setZero();
    first.d(1) = 0.0F;
    first.mixing.col(2).setZero();
    LayerParameters& second = parameters.layers[1];
    second.c_re.col(0).setZero();
    second.c_im.col(0).setZero();
    const FakePaperFigures figures = figures_of(continuous_quantizers(), parameters);
    // One kernel of 4 states, three of 2.
    EXPECT_DOUBLE_EQ(figures.ace, 10 * (7 * 3 + 1 * 3) + 4 * 3 * 5 * 4 + 15 * 2 * 5 + 18 * 32 * 5);
    EXPECT_DOUBLE_EQ(figures.memory.states, 10 * 3);
    const std::vector<std::string> report = fake_paper_report(small_model(), parameters, continuous_quantizers());
    EXPECT_EQ(report.back(), "  counted without what is pruned: 4 of 6 kernels, 10 of 24 states");
}

TEST(FakePaperFigures, TheReportNamesTheBitsOfEveryGroup) {
    std::string text;
    for (const std::string& line : fake_paper_report(small_model(), whole_parameters(), continuous_quantizers())) {
        EXPECT_LE(line.size(), 110U) << line;
        text += line + "\n";
    }
    for (const char* part : {"a_re 6, a_im 8, step 10, c 1, d 32, state 3, activations 5, mixing 4", "encoder 2",
                             "decoder 32", "biases 9", "(ACE) 3966 bit^2", "model size               774 bits"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
    EXPECT_EQ(text.find("abar"), std::string::npos) << "it is made of a_re, a_im and step";
}

}  // namespace
}  // namespace imssa

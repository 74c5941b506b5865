#include "trainer/quantized_unit_pass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/common/random.h"
#include "models/network/quantizer.h"
#include "tests/support/random_network.h"
#include "trainer/lane_buffer.h"
#include "trainer/layer_unit_pass.h"

namespace imssa {
namespace {

constexpr int kHeads = 5;
constexpr std::size_t kSize = static_cast<std::size_t>(kHeads) * kBlockWidth;

struct UnitCase {
    const char* name;
    Norm norm;
    bool residual;
};

void PrintTo(const UnitCase& unit_case, std::ostream* out) {
    *out << unit_case.name;
}

class QuantizedUnit : public ::testing::TestWithParam<UnitCase> {
protected:
    QuantizedUnit() : network_(make_network()), sums_(kSize), input_(kSize) {
        const CounterRandom random(7, RandomPurpose::initialisation, 54);
        const QuantizedMatrix& mixing = network_.layers[0].mixing;
        for (std::size_t at = 0; at < kSize; ++at) {
            // Some sums go beyond the limit of the codes.
            const double code = 80.0 * random.normal(2 * at);
            sums_[at] = static_cast<float>(std::nearbyint(code / mixing.gain[at / kBlockWidth]));
            input_[at] = static_cast<float>(std::nearbyint(254.0 * random.uniform(2 * at + 1) - 127.0));
        }
    }

    static DeployedNetwork make_network() {
        ModelConfig model;
        model.heads = kHeads;
        model.states = 4;
        model.layers = 1;
        model.norm = GetParam().norm;
        model.residual = GetParam().residual;
        const testing::RandomNetwork random = testing::random_network(model, 3);
        return deploy(model, random.parameters, random.ranges, DeploymentOptions{}, 10);
    }

    std::vector<float> mixing_codes() const {
        const QuantizedMatrix& mixing = network_.layers[0].mixing;
        std::vector<float> codes(kSize);
        for (std::size_t at = 0; at < kSize; at += kLaneWidth) {
            const std::size_t head = at / kBlockWidth;
            store_lanes(codes.data() + at, convert(load_lanes(sums_.data() + at), mixing.gain[head],
                                                   mixing.offset[head], mixing.output_limit[head]));
        }
        return codes;
    }

    void run() {
        quantized_unit(network_.layers[0].mixing, network_.layers[0].unit, sums_.data(), input_.data(), kHeads,
                       {out_.data(), out_codes_.data(), normalized_.data(), inverse_.data(), mixing_inside_.data(),
                        out_inside_.data()});
    }

    DeployedNetwork network_;
    std::vector<float> sums_, input_;
    std::vector<NarrowCode> out_codes_ = std::vector<NarrowCode>(kSize);
    std::vector<float> out_ = std::vector<float>(kSize), normalized_ = std::vector<float>(kSize),
                       inverse_ = std::vector<float>(kBlockWidth);
    std::vector<LaneMask> mixing_inside_ = std::vector<LaneMask>(kSize / kLaneWidth),
                          out_inside_ = std::vector<LaneMask>(kSize / kLaneWidth);
};

TEST_P(QuantizedUnit, MakesTheCodesOfTheLayerUnit) {
    run();
    const std::vector<float> codes = mixing_codes();
    std::vector<float> expected(kSize);
    layer_unit(network_.layers[0].unit, codes.data(), input_.data(), expected.data(), kHeads, kBlockWidth, kBlockWidth);
    EXPECT_EQ(out_, expected);
    for (std::size_t at = 0; at < kSize; ++at) {
        ASSERT_EQ(static_cast<float>(out_codes_[at]), expected[at]) << at;
    }
}

TEST_P(QuantizedUnit, MarksTheCodesBelowTheirLimit) {
    run();
    const std::vector<float> codes = mixing_codes();
    int limited = 0;
    for (std::size_t at = 0; at < kSize; ++at) {
        const int lane = static_cast<int>(at % kLaneWidth);
        EXPECT_EQ(mixing_inside_[at / kLaneWidth] >> lane & 1, std::abs(codes[at]) < 127.0F ? 1 : 0) << at;
        EXPECT_EQ(out_inside_[at / kLaneWidth] >> lane & 1, std::abs(out_[at]) < 127.0F ? 1 : 0) << at;
        limited += std::abs(codes[at]) < 127.0F ? 0 : 1;
    }
    EXPECT_GT(limited, 10) << "the test says little";
}

TEST_P(QuantizedUnit, KeepsTheNormalizedNumbersOfTheUnitInRealNumbers) {
    run();
    const EffectiveNetwork effective = effective_quantized_network(network_);
    std::vector<float> normalized(kSize), inverse(kBlockWidth);
    layer_unit_forward(network_.model, effective.units[0], effective.tensors.layers[0], mixing_codes().data(),
                       input_.data(), normalized.data(), inverse.data(), nullptr);
    for (std::size_t at = 0; at < kSize; ++at) {
        EXPECT_NEAR(normalized_[at], normalized[at], 2e-6F * std::max(1.0F, std::abs(normalized[at])));
    }
    for (std::size_t at = 0; at < inverse.size(); ++at) {
        EXPECT_NEAR(inverse_[at], inverse[at], 2e-6F * inverse[at]);
    }
}

TEST_P(QuantizedUnit, PassesGradientsByMasksAsByCodes) {
    run();
    const EffectiveNetwork effective = effective_quantized_network(network_);
    const CounterRandom random(8, RandomPurpose::initialisation, 55);
    std::vector<float> gradient(kSize), masked_gradient(kSize);
    for (std::size_t at = 0; at < kSize; ++at) {
        gradient[at] = static_cast<float>(random.normal(at));
        masked_gradient[at] = std::abs(out_[at]) < 127.0F ? gradient[at] : 0.0F;
    }
    struct Gradients {
        std::vector<float> mixing = std::vector<float>(kSize), input = std::vector<float>(kSize),
                           gamma = std::vector<float>(kHeads * kLaneWidth),
                           beta = std::vector<float>(kHeads * kLaneWidth);
    };
    const auto run_backward = [&](const std::vector<float>& from, const UnitMasks& masks) {
        Gradients to;
        layer_unit_backward(network_.model, effective.units[0], effective.tensors.layers[0], mixing_codes().data(),
                            normalized_.data(), inverse_.data(), from.data(), to.mixing.data(), to.input.data(),
                            to.gamma.data(), to.beta.data(), masks);
        return to;
    };
    const Gradients by_codes = run_backward(masked_gradient, {});
    const Gradients by_masks = run_backward(gradient, {mixing_inside_.data(), out_inside_.data()});
    EXPECT_EQ(by_masks.mixing, by_codes.mixing);
    EXPECT_EQ(by_masks.input, by_codes.input);
    EXPECT_EQ(by_masks.gamma, by_codes.gamma);
    EXPECT_EQ(by_masks.beta, by_codes.beta);
}

const UnitCase kUnitCases[] = {
    {"LayerNorm", Norm::layer, true},
    {"LayerNormWithoutResidual", Norm::layer, false},
    {"BatchNorm", Norm::batch, true},
    {"NoNorm", Norm::none, true},
};

INSTANTIATE_TEST_SUITE_P(Units, QuantizedUnit, ::testing::ValuesIn(kUnitCases),
                         [](const auto& information) { return information.param.name; });

TEST(LaneMask, HoldsTheLanesBelowTheLimit) {
    Lanes value = {};
    value[0] = 3.0F;
    value[3] = -3.5F;
    value[7] = 4.0F;
    value[9] = -4.0F;
    value[15] = std::numeric_limits<float>::quiet_NaN();
    const LaneMask inside = lanes_inside(value, broadcast(4.0F));
    EXPECT_EQ(inside, 0xffff & ~(1 << 7 | 1 << 9 | 1 << 15));
    const Lanes kept = where(inside, value);
    EXPECT_EQ(kept[0], 3.0F);
    EXPECT_EQ(kept[3], -3.5F);
    EXPECT_EQ(kept[7], 0.0F);
    EXPECT_EQ(kept[15], 0.0F);
}

}  // namespace
}  // namespace imssa

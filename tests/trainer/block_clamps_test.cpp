#include "trainer/block_clamps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <ostream>

#include "tests/trainer/naive_network.h"
#include "trainer/fake_quantization.h"
#include "trainer/state_scan.h"

namespace imssa {
namespace {

struct ClampCase {
    const char* name;
    StateRounding rounding;
    bool requantizes;
    int bits;
    double least, state_limit;  ///< of a range up to 1
};

void PrintTo(const ClampCase& instance, std::ostream* out) {
    *out << instance.name;
}

/// Modes on and within the unit circle, whose grids are those of a case.
class ClampsOfABlock : public testing::TestWithParam<ClampCase> {
protected:
    ClampsOfABlock() {
        network.config = test::small_model();
        network.config.heads = 2;
        network.config.states = 10;
        network.tensors = zero_effective_tensors(network.config);
        options.state.quantizer = GetParam().least == -1.0 ? Quantizer::symmetric : Quantizer::asymmetric;
        options.state.bits = GetParam().bits;
        options.state.scale = ScaleGranularity::mode;
        options.state.rounding = GetParam().rounding;
        options.state_limit = GetParam().state_limit;
        options.requantize_products = GetParam().requantizes;
        const std::complex<float> poles[] = {{1.0F, 0.0F},        {0.0F, 1.0F}, {0.6F, 0.8F},  {0.96F, 0.28F},
                                             {0.9999F, -0.0001F}, {0.7F, 0.2F}, {0.2F, -0.9F}, {-1.0F, 0.0F},
                                             {0.995F, 0.09987F},  {0.0F, 0.0F}};
        EffectiveLayerTensors& layer = network.tensors.layers[0];
        for (std::size_t at = 0; at < std::size(poles); ++at) {
            layer.a_re[at] = poles[at].real();
            layer.a_im[at] = poles[at].imag();
            layer.b_re[at] = at % 3 == 0 ? 0.1F : 0.06F;
            layer.b_im[at] = at % 3 == 0 ? 0.0F : 0.05F;
        }
        // A coarse grid of Bbar u, whose rounding is larger than that of the state.
        layer.b_re[7] = 2.0F;
        layer.b_im[7] = 0.0F;
        FakeLayerGrids grids;
        const std::size_t count = layer.a_re.size();
        grids.state.assign(count, make_grid(options.state, GetParam().least, 1.0));
        grids.state_range.assign(count, 1.0F);
        scans = mode_scans(options, network, grids, 0, 1.0F);
    }

    /// Where rounding is dithered, the dither that makes each component larger.
    template <Clamps Needed>
    StateLanes next(const ModeScan& mode, const StateLanes& x, Lanes input) const {
        const PoleLanes a{splat(mode.a_re), splat(mode.a_im)};
        if (options.requantize_products) {
            return next_requantized<CodeRange::any, Needed>(mode, a, x, input);
        }
        StateLanes state = advance(a, x, driven(mode, input));
        if (options.state.rounding == StateRounding::nearest) {
            round_nearest<CodeRange::any, Needed>(mode, state);
            return state;
        }
        const auto most = [](Lanes value) { return value > 0.0F ? broadcast(0x1.fffffep0F) : broadcast(1.0F); };
        state = advance(a, x, driven_from(mode, input, {most(state.re), most(state.im)}));
        round_dithered<CodeRange::any, Needed>(mode, state);
        return state;
    }

    /// Inputs of magnitude `size`, signed so that every one of them makes the state longer.
    void drive(const ModeScan& mode, StateLanes x, float size, float* u) const {
        for (int step = 0; step < kBlockSteps; ++step) {
            Lanes input = {};
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                const std::complex<float> decayed =
                    std::complex<float>(mode.a_re, mode.a_im) * std::complex<float>(x.re[lane], x.im[lane]);
                const float along = decayed.real() * mode.b_re + decayed.imag() * mode.b_im;
                input[lane] = along < 0.0F ? -size : size;
            }
            store_lanes(u + step * kLaneWidth, input);
            x = next<Clamps::none>(mode, x, input);
        }
    }

    /// A state of this length in every lane, whole numbers: along the axes and between them.
    static StateLanes start(float length) {
        StateLanes x;
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            const double angle = 2.0 * 3.14159265358979 * lane / kLaneWidth;
            x.re[lane] = static_cast<float>(std::trunc(length * std::cos(angle) * 1.0000001));
            x.im[lane] = static_cast<float>(std::trunc(length * std::sin(angle) * 1.0000001));
        }
        return x;
    }

    EffectiveNetwork network;
    FakeQuantization options;
    std::vector<ModeScan> scans;
};

TEST_P(ClampsOfABlock, AreNotNeededOnlyWhereNoneIsEverAtWork) {
    int none = 0, at_work = 0;
    for (int mode = 0; mode < 10; ++mode) {
        const ModeScan k[] = {scans[static_cast<std::size_t>(mode)]};
        const float drive_of_one = std::max(std::abs(k[0].b_re), std::abs(k[0].b_im));
        const float product = GetParam().requantizes ? std::max(std::abs(k[0].product_b_re), 1e-6F) : drive_of_one;
        // Halves of codes, so that roundings add up, of what is added, and what comes near the limits.
        for (const float size : {0.0F, 0.5001F / drive_of_one, 1.5001F / drive_of_one, 0.5001F / product,
                                 2.5001F / product, 0.05F * k[0].most / drive_of_one}) {
            const float rim = k[0].block_room - k[0].block_reach * size;
            for (const float length :
                 {rim - 0.01F, 0.99F * rim - 1.0F, 0.5F * rim, rim + 1.0F, 0.9F * k[0].most, 1.1F * k[0].most}) {
                const StateLanes x = start(std::max(length, 0.0F));
                float u[kBlockWidth];
                drive(k[0], x, size, u);
                const Lanes re[] = {x.re}, im[] = {x.im};
                const Clamps clamps = clamps_of_block(u, k, re, im);
                StateLanes free = x, clamped = x;
                bool same = true;
                for (int step = 0; step < kBlockSteps; ++step) {
                    const Lanes input = load_lanes(u + step * kLaneWidth);
                    free = next<Clamps::none>(k[0], free, input);
                    clamped = next<Clamps::all>(k[0], clamped, input);
                    for (int lane = 0; lane < kLaneWidth; ++lane) {
                        same = same && free.re[lane] == clamped.re[lane] && free.im[lane] == clamped.im[lane];
                    }
                }
                none += clamps == Clamps::none ? 1 : 0;
                at_work += same ? 0 : 1;
                EXPECT_TRUE(same || clamps != Clamps::none)
                    << "mode " << mode << ", input " << size << ", length " << length;
            }
        }
    }
    EXPECT_GT(none, 20);
    EXPECT_GT(at_work, 20);
}

TEST_P(ClampsOfABlock, AreNeededWhereAnInputOrAStateIsNotANumber) {
    const ModeScan k[] = {scans[5]};
    float u[kBlockWidth] = {};
    const Lanes re[] = {Lanes{}};
    Lanes im[] = {Lanes{}};
    EXPECT_EQ(clamps_of_block(u, k, re, im), Clamps::none);
    im[0][3] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_NE(clamps_of_block(u, k, re, im), Clamps::none);
    im[0][3] = 0.0F;
    u[5 * kLaneWidth + 1] = -std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(clamps_of_block(u, k, re, im), Clamps::all);
    u[5 * kLaneWidth + 1] = -std::numeric_limits<float>::infinity();
    EXPECT_EQ(clamps_of_block(u, k, re, im), Clamps::all);
}

constexpr StateRounding kNearest = StateRounding::nearest, kDithered = StateRounding::dithered;

INSTANTIATE_TEST_SUITE_P(Rules, ClampsOfABlock,
                         testing::Values(ClampCase{"nearest", kNearest, false, 7, -1.0, 0.0},
                                         ClampCase{"nearest_16_bits", kNearest, false, 16, -1.0, 0.0},
                                         ClampCase{"nearest_clipped", kNearest, false, 8, -1.0, 0.6},
                                         ClampCase{"nearest_zero_point", kNearest, false, 8, -0.3, 0.0},
                                         ClampCase{"dithered", kDithered, false, 7, -1.0, 0.0},
                                         ClampCase{"dithered_zero_point", kDithered, false, 8, -0.3, 0.0},
                                         ClampCase{"requantized", kNearest, true, 7, -1.0, 0.0},
                                         ClampCase{"requantized_clipped", kNearest, true, 8, -1.0, 0.6},
                                         ClampCase{"requantized_zero_point", kNearest, true, 8, -0.3, 0.0}),
                         [](const testing::TestParamInfo<ClampCase>& instance) {
                             return std::string(instance.param.name);
                         });

TEST(ClampsOfAGrowingMode, AreAlwaysNeeded) {
    FakeQuantization options;
    options.state.quantizer = Quantizer::symmetric;
    EffectiveNetwork network;
    network.config = test::small_model();
    network.tensors = zero_effective_tensors(network.config);
    network.tensors.layers[0].a_re[0] = 0.8F;
    network.tensors.layers[0].a_im[0] = 0.7F;
    FakeLayerGrids grids;
    const std::size_t count = network.tensors.layers[0].a_re.size();
    grids.state.assign(count, make_grid(options.state, -1.0, 1.0));
    grids.state_range.assign(count, 1.0F);
    const std::vector<ModeScan> scans = mode_scans(options, network, grids, 0, 1.0F);
    EXPECT_EQ(scans[0].block_room, 0.0F);
    EXPECT_GT(scans[1].block_room, 0.0F);
    const ModeScan k[] = {scans[0]};
    const float u[kBlockWidth] = {};
    const Lanes re[] = {Lanes{}}, im[] = {Lanes{}};
    EXPECT_NE(clamps_of_block(u, k, re, im), Clamps::none);
}

}  // namespace
}  // namespace imssa

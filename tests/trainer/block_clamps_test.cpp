#include "trainer/block_clamps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>

#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/fake_pass.h"
#include "trainer/observed_bounds.h"
#include "trainer/state_scan.h"

namespace imssa {
namespace {

struct ClampCase {
    const char* name;
    StateRounding rounding;
    bool requantizes;
};

class ClampsOfABlock : public testing::TestWithParam<ClampCase> {
protected:
    ClampsOfABlock() {
        config = test::small_model();
        config.states = 16;
        const Dataset data = test::random_dataset(16, 24, config.channels, config.classes, 7);
        const NetworkParameters parameters = test::random_parameters(config, 3);
        options.state.quantizer = Quantizer::symmetric;
        options.state.bits = 7;
        options.state.scale = ScaleGranularity::mode;
        options.state.rounding = GetParam().rounding;
        options.requantize_products = GetParam().requantizes;
        const ObservedBounds bounds = calibrate_bounds(config, parameters, options, data, 16);
        fake = fake_network(config, parameters, calibrate(config, parameters, data, 16), options, data.steps, 0, 0.0,
                            EvaluationMode::recurrent, &bounds);
    }

    template <Clamps Needed>
    StateLanes next(const ModeScan& mode, const StateLanes& x, Lanes input, std::uint32_t step) const {
        const PoleLanes a{splat(mode.a_re), splat(mode.a_im)};
        if (options.requantize_products) {
            return next_requantized<CodeRange::any, Needed>(mode, a, x, input);
        }
        if (options.state.rounding == StateRounding::dithered) {
            const LanesUint word = dither_word(LanesUint{} + 7U, mode.dither_key, step);
            StateLanes state = advance(a, x, driven_from(mode, input, dither_of(mode, word)));
            round_dithered<CodeRange::any, Needed>(mode, state);
            return state;
        }
        StateLanes state = advance(a, x, driven(mode, input));
        round_nearest<CodeRange::any, Needed>(mode, state);
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
            x = next<Clamps::none>(mode, x, input, static_cast<std::uint32_t>(step));
        }
    }

    ModelConfig config;
    FakeQuantization options;
    FakeNetwork fake;
};

TEST_P(ClampsOfABlock, AreNotNeededOnlyWhereNoneIsEverAtWork) {
    const CounterRandom random(5, RandomPurpose::initialisation, 9);
    int none = 0, needed = 0, at_work = 0;
    for (int mode = 0; mode < config.modes(); ++mode) {
        const ModeScan k[] = {fake.scans_of(0, 0)[mode]};
        const float reach = k[0].high / (std::hypot(k[0].b_re, k[0].b_im) + 1e-6F);
        for (std::uint64_t trial = 0; trial < 200; ++trial) {
            StateLanes x;
            const float part = 1.2F * static_cast<float>(trial % 20) / 20.0F;
            for (int lane = 0; lane < kLaneWidth; ++lane) {
                const float angle = static_cast<float>(random.normal(trial * 100 + static_cast<std::uint64_t>(lane)));
                x.re[lane] = std::nearbyint(part * k[0].high * std::cos(angle));
                x.im[lane] = std::nearbyint(part * k[0].high * std::sin(angle));
            }
            float u[kBlockWidth];
            drive(k[0], x, 0.02F * reach * static_cast<float>(trial / 20), u);
            const Lanes re[] = {x.re}, im[] = {x.im};
            const Clamps clamps = clamps_of_block(u, k, re, im);
            none += clamps == Clamps::none ? 1 : 0;
            needed += clamps == Clamps::none ? 0 : 1;
            StateLanes free = x, clamped = x;
            bool same = true;
            for (int step = 0; step < kBlockSteps; ++step) {
                const Lanes input = load_lanes(u + step * kLaneWidth);
                free = next<Clamps::none>(k[0], free, input, static_cast<std::uint32_t>(step));
                clamped = next<Clamps::all>(k[0], clamped, input, static_cast<std::uint32_t>(step));
                for (int lane = 0; lane < kLaneWidth; ++lane) {
                    same = same && free.re[lane] == clamped.re[lane] && free.im[lane] == clamped.im[lane];
                }
            }
            at_work += same ? 0 : 1;
            EXPECT_TRUE(same || clamps != Clamps::none) << "mode " << mode << ", trial " << trial;
        }
    }
    EXPECT_GT(none, 100);
    EXPECT_GT(needed, 100);
    EXPECT_GT(at_work, 100);
}

TEST_P(ClampsOfABlock, AreNeededWhereAnInputOrAStateIsNotANumber) {
    const ModeScan k[] = {fake.scans_of(0, 0)[0]};
    float u[kBlockWidth] = {};
    Lanes re[] = {Lanes{}}, im[] = {Lanes{}};
    EXPECT_EQ(clamps_of_block(u, k, re, im), Clamps::none);
    im[0][3] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_NE(clamps_of_block(u, k, re, im), Clamps::none);
    im[0][3] = 0.0F;
    u[5 * kLaneWidth + 1] = -std::numeric_limits<float>::quiet_NaN();
    EXPECT_NE(clamps_of_block(u, k, re, im), Clamps::none);
    u[5 * kLaneWidth + 1] = -std::numeric_limits<float>::infinity();
    EXPECT_NE(clamps_of_block(u, k, re, im), Clamps::none);
}

INSTANTIATE_TEST_SUITE_P(Rules, ClampsOfABlock,
                         testing::Values(ClampCase{"nearest", StateRounding::nearest, false},
                                         ClampCase{"dithered", StateRounding::dithered, false},
                                         ClampCase{"requantized", StateRounding::nearest, true}),
                         [](const testing::TestParamInfo<ClampCase>& instance) {
                             return std::string(instance.param.name);
                         });

TEST(ClampsOfAGrowingMode, AreAlwaysNeeded) {
    ModelConfig config = test::small_model();
    FakeQuantization options;
    options.state.quantizer = Quantizer::symmetric;
    EffectiveNetwork network;
    network.config = config;
    network.tensors = zero_effective_tensors(config);
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

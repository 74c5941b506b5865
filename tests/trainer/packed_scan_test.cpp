#include "trainer/packed_scan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/random.h"
#include "trainer/lane_buffer.h"
#include "trainer/quantized_scan.h"

namespace imssa {
namespace {

constexpr int kBlocks = 14;
constexpr int kSteps = kBlocks * kBlockSteps;

struct PackedCase {
    const char* name;
    int modes;
    double step_size;  ///< dt: slow modes take increments, fast ones replace their registers
    int register_bits = 16;
    Feedthrough feedthrough = Feedthrough::digital;
    bool packs = true;
    PackedForm first = kNoForm, rest = kNoForm;  ///< forms of the last group of eight, where they matter
    double slowest_im = 0.0;                     ///< imaginary part of A of mode 0
};

void PrintTo(const PackedCase& packed_case, std::ostream* out) {
    *out << packed_case.name;
}

/// S4D-Lin with random C; ranges so tight that registers and outputs do saturate.
DeployedKernel make_kernel(const PackedCase& test_case) {
    const CounterRandom random(3, RandomPurpose::initialisation, 50);
    DiscreteKernel kernel;
    KernelScales scales;
    for (int mode = 0; mode < test_case.modes; ++mode) {
        const std::complex<double> a(-0.5, mode == 0 ? test_case.slowest_im : 3.14159265358979 * mode);
        const std::complex<double> abar = std::exp(test_case.step_size * a);
        kernel.abar.push_back(abar);
        kernel.bbar.push_back((abar - 1.0) / a);
        kernel.c.emplace_back(random.normal(static_cast<std::uint64_t>(2 * mode)),
                              random.normal(static_cast<std::uint64_t>(2 * mode + 1)));
        scales.state.push_back(3.0);
        scales.increment.push_back(1.0);
    }
    kernel.d = 0.7;
    scales.input = 1.0 / 127.0;
    scales.output = 0.02 * std::sqrt(test_case.step_size);
    KernelOptions options;
    options.register_bits = test_case.register_bits;
    options.feedthrough = test_case.feedthrough;
    return deploy_kernel(kernel, scales, options, 8);
}

/// Codes of u: noise, then full scale for many steps, then noise.
std::vector<float> input_codes() {
    const CounterRandom random(4, RandomPurpose::initialisation, 51);
    std::vector<float> codes(static_cast<std::size_t>(kSteps) * kLaneWidth);
    for (std::size_t at = 0; at < codes.size(); ++at) {
        const bool full = at > codes.size() / 3 && at < 2 * codes.size() / 3;
        const double value = full ? (at % 2 == 0 ? 127.0 : -127.0) : 60.0 * random.normal(at);
        codes[at] = static_cast<float>(std::nearbyint(std::min(127.0, std::max(-127.0, value))));
    }
    return codes;
}

class PackedScan : public testing::TestWithParam<PackedCase> {
protected:
    PackedScan()
        : deployed_(make_kernel(GetParam())),
          kernel_(make_quantized_kernel(deployed_, 0, 127.0F)),
          u_(input_codes()),
          registers_in_(static_cast<std::size_t>(2 * deployed_.modes) * kLaneWidth) {
        const CounterRandom random(5, RandomPurpose::initialisation, 52);
        for (std::size_t at = 0; at < registers_in_.size(); ++at) {
            registers_in_[at] = static_cast<std::int32_t>(deployed_.register_limit * (2.0 * random.uniform(at) - 1.0));
        }
        // Ties of the DAC above even and odd codes, and both ends.
        const std::int32_t half = 1 << (deployed_.register_shift - 1);
        const std::int32_t edges[] = {
            half, 3 * half, -half, -3 * half, deployed_.register_limit, -deployed_.register_limit};
        std::copy(std::begin(edges), std::end(edges), registers_in_.begin());
        reference();
    }

    /// Step by step with the pieces that the reference inference is made of.
    void reference() {
        registers_ = registers_in_;
        y_.resize(u_.size());
        const float inverse_shift = 1.0F / static_cast<float>(1 << deployed_.register_shift);
        const auto record = [&] {
            for (int mode = 0; mode < deployed_.modes; ++mode) {
                const std::int32_t* at = registers_.data() + 2 * mode * kLaneWidth;
                codes_.push_back(state_dac_code(load_lanes_int(at), inverse_shift, 127.0F));
                codes_.push_back(state_dac_code(load_lanes_int(at + kLaneWidth), inverse_shift, 127.0F));
            }
        };
        record();
        for (int step = 0; step < kSteps; ++step) {
            const Lanes u = load_lanes(u_.data() + step * kLaneWidth);
            Lanes sum = u * kernel_.u_output;
            for (int mode = 0; mode < deployed_.modes; ++mode) {
                std::int32_t* at = registers_.data() + 2 * mode * kLaneWidth;
                const ComplexRegister next = decay_register({load_lanes_int(at), load_lanes_int(at + kLaneWidth)},
                                                            deployed_.poles[static_cast<std::size_t>(mode)], to_int(u),
                                                            deployed_.input_shift, deployed_.register_limit);
                store_lanes_int(at, next.re);
                store_lanes_int(at + kLaneWidth, next.im);
            }
            record();
            for (int mode = 0; mode < deployed_.modes; ++mode) {
                const QuantizedKernel::ModeCells& cells = kernel_.cells[static_cast<std::size_t>(mode)];
                const std::size_t at = codes_.size() - 2 * static_cast<std::size_t>(deployed_.modes - mode);
                sum += codes_[at] * cells.c_re + codes_[at + 1] * cells.c_im;
            }
            const std::size_t column = static_cast<std::size_t>(deployed_.output_column());
            Lanes y = convert(sum, deployed_.array.gain[column], deployed_.array.offset[column],
                              deployed_.array.output_limit[column]);
            if (deployed_.digital_feedthrough()) {
                y = convert(y + u * deployed_.feedthrough, 1.0F, 0.0F, 127.0F);
            }
            store_lanes(y_.data() + step * kLaneWidth, y);
        }
    }

    DeployedKernel deployed_;
    QuantizedKernel kernel_;
    std::vector<float> u_, y_;
    std::vector<std::int32_t> registers_in_, registers_;
    std::vector<Lanes> codes_;  ///< before the first and after every step, re and im of every mode
};

TEST_P(PackedScan, EqualsTheStepsOfTheReferenceCodeForCode) {
    std::vector<float> y(u_.size());
    std::vector<std::int32_t> registers(registers_in_.size());
    quantized_scan(kernel_, LanesUint{}, 0, u_.data(), y.data(), kBlockWidth, kBlocks, registers_in_.data(),
                   registers.data());
    EXPECT_EQ(y, y_);
    EXPECT_EQ(registers, registers_);
    EXPECT_GT(*std::max_element(y.begin(), y.end()), 100.0F) << "the outputs say little";
}

TEST_P(PackedScan, RecordsTheStatesOfTheReference) {
    for (int first = 0; first < deployed_.modes;) {
        const int left = deployed_.modes - first;
        const int count = left >= 4 ? 4 : (left >= 2 ? 2 : 1);
        std::vector<std::int32_t> states(static_cast<std::size_t>(kSteps + 1) * count * kLaneWidth);
        quantized_scan_states(kernel_, LanesUint{}, 0, first, count, u_.data(), kBlockWidth, kBlocks,
                              registers_in_.data(), states.data());
        for (int step = 0; step <= kSteps; ++step) {
            for (int mode = 0; mode < count; ++mode) {
                const LanesInt pair = load_lanes_int(states.data() + (step * count + mode) * kLaneWidth);
                const std::size_t at = static_cast<std::size_t>(2 * (step * deployed_.modes + first + mode));
                for (int lane = 0; lane < kLaneWidth; ++lane) {
                    ASSERT_EQ(static_cast<float>(pair_re(pair)[lane]), codes_[at][lane]) << "step " << step;
                    ASSERT_EQ(static_cast<float>(pair_im(pair)[lane]), codes_[at + 1][lane]) << "step " << step;
                }
            }
        }
        first += count;
    }
}

TEST_P(PackedScan, RunsPackedWhereTheMachineAndTheModesPermit) {
#if defined(__AVX512BW__) && defined(__AVX512VNNI__)
    const int count = deployed_.modes >= 8 ? 8 : 1;
    const PackedGroup group = packed_group(kernel_.packed, deployed_.modes - count, count);
    EXPECT_EQ(group.packs(), GetParam().packs);
    if (GetParam().first != kNoForm) {
        EXPECT_EQ(group.first, GetParam().first);
        EXPECT_EQ(group.rest, GetParam().rest);
    }
#else
    EXPECT_FALSE(packed_group(kernel_.packed, 0, 1).packs());
#endif
}

const PackedCase kPackedCases[] = {
    {"VerySlow", 8, 0.0003, 16, Feedthrough::digital, true, kSlowIncrement, kSlowIncrement},
    {"Slow", 8, 0.001},
    {"Middle", 8, 0.02, 16, Feedthrough::digital, true, kIncrement, kIncrement},
    {"Fast", 8, 0.1, 16, Feedthrough::digital, true, kReplace, kReplace},
    {"MiddleAndOneSlow", 8, 0.02, 16, Feedthrough::digital, true, kSlowIncrement, kIncrement, 0.003},
    {"FastAndOneSlow", 8, 0.1, 16, Feedthrough::digital, true, kSlowIncrement, kReplace, 0.0006},
    {"FastManyModes", 32, 0.1},
    {"FastNarrowRegisters", 8, 0.1, 12, Feedthrough::digital, true, kReplace, kReplace},
    {"VerySlowNarrowRegisters", 8, 0.0003, 14, Feedthrough::digital, true, kSlowIncrement, kSlowIncrement},
    {"OddModes", 15, 0.01},
    {"OneMode", 1, 0.01},
    {"NarrowRegisters", 8, 0.02, 12},
    {"WideRegistersDoNotFit", 8, 0.02, 18, Feedthrough::digital, false},
    {"RegistersOfTheWidthOfTheDac", 8, 0.05, 8, Feedthrough::digital, false},
    {"DirectCells", 8, 0.02, 16, Feedthrough::cells},
};

INSTANTIATE_TEST_SUITE_P(Kernels, PackedScan, testing::ValuesIn(kPackedCases),
                         [](const auto& information) { return information.param.name; });

}  // namespace
}  // namespace imssa

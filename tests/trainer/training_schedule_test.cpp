#include "trainer/training_schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/error.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

PhaseConfig lowering(int from, int epochs_per_bit, int epochs) {
    PhaseConfig phase;
    phase.precision = Precision::quantized;
    phase.lower_bits_from = from;
    phase.epochs_per_bit = epochs_per_bit;
    phase.epochs = epochs;
    return phase;
}

TEST(BitSchedule, LowersOneBitAfterTheOther) {
    const PhaseConfig phase = lowering(8, 2, 10);
    EXPECT_EQ(bits_of_epoch(phase, 1), 8);
    EXPECT_EQ(bits_of_epoch(phase, 2), 8);
    EXPECT_EQ(bits_of_epoch(phase, 3), 7);
    EXPECT_EQ(bits_of_epoch(phase, 10), 4);
}

TEST(BitSchedule, StopsEveryGroupAtItsOwnBits) {
    DeploymentOptions options;
    options.weight_bits = 4;
    options.kernel.a_bits = 10;
    const DeploymentOptions now = with_at_least(options, 6);
    EXPECT_EQ(now.weight_bits, 6);
    EXPECT_EQ(now.kernel.a_bits, 10);
    EXPECT_EQ(now.mixing_bits, 0) << "follows weight_bits";
    FakeQuantization fake;
    fake.c.quantizer = Quantizer::max_scale;
    fake.c.bits = 1;
    EXPECT_EQ(with_at_least(fake, 3).c.bits, 3);
}

KernelOptions fused() {
    KernelOptions kernel;
    kernel.mapping = KernelMapping::fused;
    kernel.form = OutputForm::immediate;
    kernel.input_matrix = InputMatrix::cells;
    return kernel;
}

TEST(BitSchedule, RaisesTogetherWhatTheCellsOfAFusedArrayShare) {
    DeploymentOptions options;
    options.kernel = fused();
    options.kernel.a_bits = options.kernel.weight_bits = 4;
    for (const int bits : {4, 6, 8, 12}) {
        const DeploymentOptions now = with_at_least(options, bits);
        EXPECT_EQ(now.kernel.a_bits, bits);
        EXPECT_EQ(now.kernel.weight_bits, bits);
        EXPECT_NO_THROW(now.validate());
    }
    EXPECT_NO_THROW(check_bit_schedule(lowering(8, 1, 5), options, {}));
}

TEST(BitSchedule, RaisesRegistersAsFarAsTheirStates) {
    DeploymentOptions options;
    options.kernel.state_bits = 4;
    options.kernel.register_bits = 6;
    EXPECT_EQ(with_at_least(options, 8).kernel.register_bits, 8);
    EXPECT_EQ(with_at_least(options, 5).kernel.register_bits, 6);
    EXPECT_NO_THROW(with_at_least(options, 12).validate());
    EXPECT_NO_THROW(check_bit_schedule(lowering(8, 1, 5), options, {}));
}

TEST(BitSchedule, NamesTheEpochWhoseBitsAreRefused) {
    DeploymentOptions options;
    options.kernel = fused();
    options.kernel.a_bits = 12;
    try {
        check_bit_schedule(lowering(9, 2, 4), options, {});
        FAIL() << "no error";
    } catch (const UserError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("epoch 1, which 'lower_bits_from' gives at least 9 bits: a_bits"), std::string::npos)
            << text;
    }
}

TEST(BitSchedule, MustReachTheBitsAskedFor) {
    DeploymentOptions options;
    options.weight_bits = 4;
    EXPECT_THROW(check_bit_schedule(lowering(8, 2, 4), options, {}), UserError);
    EXPECT_NO_THROW(check_bit_schedule(lowering(8, 1, 5), options, {}));
    DeploymentOptions eight;  // bits that its representation has no use for do not count
    eight.kernel.magnitude_bits = 4;
    eight.kernel.phase_bits = 3;
    eight.kernel.step_bits = 2;
    EXPECT_NO_THROW(check_bit_schedule(lowering(10, 1, 3), eight, {}));
    eight.kernel.representation = StateRepresentation::abar_log_polar;
    EXPECT_THROW(check_bit_schedule(lowering(10, 1, 3), eight, {}), UserError);
    PhaseConfig in_float = lowering(8, 1, 5);
    in_float.precision = Precision::in_float;
    EXPECT_THROW(check_bit_schedule(in_float, options, {}), UserError);
}

TEST(Poles, ThatExplodeAreNamed) {
    ModelConfig model;
    model.heads = 3;
    NetworkParameters parameters = testing::random_network(model, 1).parameters;
    EXPECT_NO_THROW(check_poles(parameters, "epoch 1, step 2"));
    parameters.layers[1].log_neg_re(2, 5) = -100.0F;  // no decay left in double precision
    try {
        check_poles(parameters, "epoch 1, step 2");
        FAIL() << "no error";
    } catch (const NumericalError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("layers.1, head 2, mode 5"), std::string::npos) << text;
        EXPECT_NE(text.find("epoch 1, step 2"), std::string::npos) << text;
    }
    parameters.layers[1].log_neg_re(2, 5) = std::nanf("");
    EXPECT_THROW(check_poles(parameters, ""), NumericalError);
}

}  // namespace
}  // namespace imssa

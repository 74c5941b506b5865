#include "models/network/kernel_options.h"

#include <gtest/gtest.h>

#include "models/common/error.h"
#include "tests/support/random_network.h"

namespace imssa {
namespace {

TEST(KernelOptions, DefaultsAreTheDigitalDecay) {
    EXPECT_NO_THROW(KernelOptions{}.validate());
    EXPECT_EQ(KernelOptions{}.mapping, KernelMapping::digital_decay);
}

TEST(KernelOptions, RefuseCombinationsThatMakeNoSenseWithAReason) {
    KernelOptions fused;
    fused.mapping = KernelMapping::fused;
    fused.input_matrix = InputMatrix::cells;
    EXPECT_THROW(fused.validate(), UserError);  // form 'current' stays from the default
    fused.form = OutputForm::immediate;
    EXPECT_NO_THROW(fused.validate());
    fused.representation = StateRepresentation::abar_cartesian;
    EXPECT_THROW(fused.validate(), UserError);  // Abar in cells cannot accumulate
    fused.registers = RegisterUpdate::replace;
    EXPECT_NO_THROW(fused.validate());
    fused.a_bits = 6;
    EXPECT_THROW(fused.validate(), UserError);
    KernelOptions delayed;
    delayed.form = OutputForm::delayed;
    EXPECT_THROW(delayed.validate(), UserError);
    KernelOptions bits;
    bits.state_bits = 40;
    EXPECT_THROW(bits.validate(), UserError);
}

TEST(KernelOptions, EnumeratedCombinationsHoldAllForms) {
    int delayed = 0;
    int current = 0;
    for (const KernelOptions& options : testing::all_kernel_options()) {
        delayed += options.form == OutputForm::delayed ? 1 : 0;
        current += options.form == OutputForm::current ? 1 : 0;
    }
    EXPECT_GT(delayed, 10);
    EXPECT_GT(current, 3);
}

}  // namespace
}  // namespace imssa

#include "trainer/code_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/common/random.h"

namespace imssa {
namespace {

/// Every code at every place of a vector, in a scattered order.
void expect_entries(const std::vector<float>& entries, int limit) {
    const CodeTable table(entries, limit);
    const int size = 2 * limit + 1;
    const int count = 64 * size;
    std::vector<float> codes, out(static_cast<std::size_t>(count));
    for (int index = 0; index < count; ++index) {
        codes.push_back(static_cast<float>((index * 37 + index / size) % size - limit));
    }
    table.look_up(codes.data(), out.data(), count);
    const std::vector<NarrowCode> narrow(codes.begin(), codes.end());
    std::vector<float> of_narrow(out.size());
    table.look_up(narrow.data(), of_narrow.data(), count);
    EXPECT_EQ(of_narrow, out);
    for (std::size_t index = 0; index < codes.size(); ++index) {
        ASSERT_EQ(out[index], entries[static_cast<std::size_t>(codes[index] + static_cast<float>(limit))])
            << "code " << codes[index] << " at " << index;
    }
}

class CodeTableOfLimit : public testing::TestWithParam<int> {};

TEST_P(CodeTableOfLimit, LooksUpWholeNumbers) {
    std::vector<float> entries;
    for (int code = -GetParam(); code <= GetParam(); ++code) {
        entries.push_back(static_cast<float>((code * 5) % (GetParam() + 1)));
    }
    expect_entries(entries, GetParam());
}

TEST_P(CodeTableOfLimit, LooksUpRealNumbersToTheBit) {
    const CounterRandom random(6, RandomPurpose::initialisation, 53);
    std::vector<float> entries;
    for (int index = 0; index <= 2 * GetParam(); ++index) {
        entries.push_back(static_cast<float>(random.normal(static_cast<std::uint64_t>(index))));
    }
    expect_entries(entries, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Limits, CodeTableOfLimit, testing::Values(1, 7, 127, 128, 2047));

}  // namespace
}  // namespace imssa

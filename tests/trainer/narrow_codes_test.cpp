#include "trainer/narrow_codes.h"

#include <gtest/gtest.h>

#include <vector>

namespace imssa {
namespace {

TEST(NarrowCodes, KeepEveryCodeOfSixteenBits) {
    constexpr int kLimit = 32767;
    std::vector<float> codes;
    for (int code = -kLimit; code <= kLimit + 1; ++code) {
        codes.push_back(static_cast<float>(code > kLimit ? 0 : code));
    }
    const int count = static_cast<int>(codes.size());
    ASSERT_EQ(count % kLaneWidth, 0);
    std::vector<NarrowCode> narrow(codes.size());
    std::vector<float> wide(codes.size());
    narrow_codes(codes.data(), narrow.data(), count);
    widen_codes(narrow.data(), wide.data(), count);
    for (std::size_t at = 0; at < codes.size(); ++at) {
        ASSERT_EQ(static_cast<float>(narrow[at]), codes[at]);
    }
    EXPECT_EQ(wide, codes);
}

}  // namespace
}  // namespace imssa

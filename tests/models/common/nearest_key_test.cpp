#include "models/common/nearest_key.h"

#include <gtest/gtest.h>

namespace imssa {
namespace {

TEST(NearestKey, IsTheOneWithTheFewestSlips) {
    EXPECT_EQ(nearest_key({"steps", "seed"}, "setps"), "steps");
    EXPECT_EQ(nearest_key({"bits", "birth"}, "bitz"), "bits");
    EXPECT_EQ(nearest_key({"off", "nearest"}, "of"), "off");
}

TEST(NearestKey, IsNoneWhereMoreThanHalfOfItWouldChange) {
    EXPECT_EQ(nearest_key({"off", "max_scale"}, "foo"), "");
    EXPECT_EQ(nearest_key({"c", "d"}, "e"), "");
    EXPECT_EQ(nearest_key({}, "steps"), "");
}

}  // namespace
}  // namespace imssa

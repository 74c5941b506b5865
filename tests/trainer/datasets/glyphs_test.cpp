#include "trainer/datasets/glyphs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "trainer/datasets/data_config.h"

namespace imssa {
namespace {

TEST(GlyphsTest, DependOnSeedSplitAndIndexOnly) {
    const Dataset few = make_glyphs(7, Split::kTrain, 20);
    const Dataset many = make_glyphs(7, Split::kTrain, 50);
    EXPECT_TRUE(std::equal(few.values.begin(), few.values.end(), many.values.begin()));
    EXPECT_TRUE(std::equal(few.labels.begin(), few.labels.end(), many.labels.begin()));
    EXPECT_EQ(make_glyph(7, Split::kTrain, 33).pixels, make_glyph(7, Split::kTrain, 33).pixels);
    EXPECT_EQ(many.sequence(33)[400], pixel_value(make_glyph(7, Split::kTrain, 33).pixels[400]));
}

TEST(GlyphsTest, AreAllDifferentAcrossSeedsSplitsAndIndices) {
    std::set<decltype(Glyph::pixels)> seen;
    const std::uint64_t far_seed = (std::uint64_t{1} << 32) + 1;  // differs from seed 1 in the upper half only
    for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{2}, far_seed}) {
        for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
            for (int i = 0; i < 100; ++i) {
                seen.insert(make_glyph(seed, split, i).pixels);
            }
        }
    }
    EXPECT_EQ(seen.size(), 900U);
}

TEST(GlyphsTest, HoldEveryDigitOnceInEachTen) {
    const Dataset dataset = make_glyphs(3, Split::kTest, 200);
    std::set<std::vector<int>> orders;
    for (int ten = 0; ten < 20; ++ten) {
        const std::vector<int> order(dataset.labels.begin() + 10 * ten, dataset.labels.begin() + 10 * ten + 10);
        EXPECT_EQ(std::set<int>(order.begin(), order.end()).size(), 10U);
        orders.insert(order);
    }
    EXPECT_GT(orders.size(), 15U);
}

TEST(GlyphsTest, HoldInputsInRangeWithInkAndBackground) {
    for (int i = 0; i < 300; ++i) {
        const Glyph glyph = make_glyph(5, Split::kTrain, i);
        int ink = 0;
        for (const std::uint8_t pixel : glyph.pixels) {
            ink += pixel > 127 ? 1 : 0;
        }
        EXPECT_GT(ink, 10) << "sample " << i;
        EXPECT_LT(ink, 300) << "sample " << i;
    }
}

/// Share of `test` whose nearest neighbour among `train` (Euclidean) has the same label.
double nearest_neighbour_accuracy(const Dataset& train, const Dataset& test) {
    int right = 0;
    for (int i = 0; i < test.count(); ++i) {
        float best = std::numeric_limits<float>::max();
        int label = -1;
        for (int j = 0; j < train.count(); ++j) {
            float distance = 0.0F;
            for (int k = 0; k < test.steps; ++k) {
                const float difference = test.sequence(i)[k] - train.sequence(j)[k];
                distance += difference * difference;
            }
            if (distance < best) {
                best = distance;
                label = train.labels[j];
            }
        }
        right += label == test.labels[i] ? 1 : 0;
    }
    return static_cast<double>(right) / test.count();
}

TEST(GlyphsTest, AreLearnableButNotTrivial) {
    const Dataset test = make_glyphs(1, Split::kTest, 200);
    const double with_ten = nearest_neighbour_accuracy(make_glyphs(1, Split::kTrain, 10), test);
    const double with_many = nearest_neighbour_accuracy(make_glyphs(1, Split::kTrain, 2000), test);
    EXPECT_GT(with_ten, 0.15);
    EXPECT_LT(with_ten, 0.7);
    EXPECT_GT(with_many, 0.85);
    RecordProperty("with_ten", std::to_string(with_ten));
    RecordProperty("with_many", std::to_string(with_many));
}

TEST(GlyphsTest, LoadByNameWithoutFiles) {
    DataConfig config;
    config.name = "glyphs";
    config.train_count = 30;
    config.test_count = 20;
    config.validation_count = 10;
    config.seed = 4;
    EXPECT_EQ(load_dataset(config, Split::kTrain, "no/such/folder").count(), 30);
    EXPECT_EQ(load_dataset(config, Split::kValidation).count(), 10);
    EXPECT_EQ(load_dataset(config, Split::kTest).values, make_glyphs(4, Split::kTest, 20).values);
    config.test_count = 0;
    EXPECT_EQ(load_dataset(config, Split::kTest).count(), 5000);
}

}  // namespace
}  // namespace imssa

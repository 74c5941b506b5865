#include "trainer/datasets/sequence_shape.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "models/common/error.h"
#include "trainer/datasets/data_config.h"

namespace imssa {
namespace {

/// Two images of 3 x 3: ink in the middle row, and none.
Dataset images() {
    Dataset data;
    data.steps = 9;
    data.classes = 2;
    data.values.assign(18, -0.5F);
    data.values[4] = 0.3F;
    data.labels = {0, 1};
    return data;
}

TEST(SequenceShape, RowsAreStepsOfAsManyChannels) {
    Dataset data = images();
    shape_sequences(SequenceLayout::rows, SequenceLengths::full, 3, data);
    EXPECT_EQ(data.steps, 3);
    EXPECT_EQ(data.channels, 3);
    EXPECT_EQ(data.values, images().values);
    EXPECT_EQ(data.length(0), 3);
}

TEST(SequenceShape, ContentEndsWithTheLastRowThatHasInk) {
    for (const SequenceLayout layout : {SequenceLayout::pixels, SequenceLayout::rows}) {
        Dataset data = images();
        shape_sequences(layout, SequenceLengths::content, 3, data);
        const int steps_a_row = layout == SequenceLayout::rows ? 1 : 3;
        EXPECT_EQ(data.lengths, (std::vector<int>{2 * steps_a_row, steps_a_row}));
        EXPECT_EQ(data.values[5], -0.5F);
        EXPECT_EQ(data.values[6], 0.0F);
        EXPECT_EQ(data.values[12], 0.0F);
    }
}

TEST(SequenceShape, GlyphsOfUnequalLengthNeedNoFiles) {
    DataConfig config;
    config.name = "glyphs";
    config.train_count = 50;
    config.layout = SequenceLayout::rows;
    config.lengths = SequenceLengths::content;
    const Dataset data = load_dataset(config, Split::kTrain);
    const auto [shortest, longest] = std::minmax_element(data.lengths.begin(), data.lengths.end());
    EXPECT_EQ(data.channels, 28);
    EXPECT_GE(*shortest, 10);
    EXPECT_LT(*shortest, *longest);
    EXPECT_LE(*longest, 28);
}

}  // namespace
}  // namespace imssa

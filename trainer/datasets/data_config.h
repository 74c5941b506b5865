#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/common/error.h"
#include "trainer/datasets/dataset.h"
#include "trainer/datasets/sequence_shape.h"

namespace imssa {

/// [data] of a configuration.
struct DataConfig {
    std::string name = "mnist";  ///< mnist, or glyphs (generated, needs no files)
    int train_count = 0;         ///< 0: all that validation leaves (mnist), 20000 (glyphs)
    int test_count = 0;          ///< 0: all (mnist), 5000 (glyphs)
    int validation_count = 0;    ///< mnist: the last ones of the training files; glyphs: a stream of its own
    std::uint64_t seed = 1;      ///< of generated data
    SequenceLayout layout = SequenceLayout::pixels;   ///< 784 steps of one pixel, or 28 steps of a row
    SequenceLengths lengths = SequenceLengths::full;  ///< content: ends with the last row that has ink

    void validate() const {
        if (name != "mnist" && name != "glyphs") {
            throw UserError("name must be 'mnist' or 'glyphs', got '" + name + "'");
        }
        if (train_count < 0 || test_count < 0 || validation_count < 0) {
            throw UserError("train_count, test_count and validation_count must not be negative");
        }
    }
};

template <class Visitor>
void visit_fields(Visitor& visit, DataConfig& c) {
    visit("name", c.name);
    visit("train_count", c.train_count);
    visit("test_count", c.test_count);
    visit("validation_count", c.validation_count);
    visit("seed", c.seed);
    visit("layout", c.layout);
    visit("lengths", c.lengths);
}

/// Loads or generates one split. data_folder is what --data gave, if anything. Throws UserError, also when the
/// validation split is asked for and validation_count is 0.
Dataset load_dataset(const DataConfig& config, Split split,
                     const std::optional<std::string>& data_folder = std::nullopt);

}  // namespace imssa

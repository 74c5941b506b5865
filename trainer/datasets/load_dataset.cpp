#include "trainer/datasets/data_config.h"
#include "trainer/datasets/data_location.h"
#include "trainer/datasets/glyphs.h"
#include "trainer/datasets/mnist.h"

namespace imssa {
namespace {

constexpr int kMnistTrainCount = 60000;
constexpr int kGlyphTrainCount = 20000;
constexpr int kGlyphTestCount = 5000;

Dataset load_mnist_split(const DataConfig& config, Split split, const std::string& folder) {
    MnistOptions options;
    const int kept = kMnistTrainCount - config.validation_count;
    if (split == Split::kTest) {
        options.count = config.test_count;
    } else if (kept < 1 || config.train_count > kept) {
        throw UserError("data.train_count " + std::to_string(config.train_count) + " and data.validation_count " +
                        std::to_string(config.validation_count) +
                        " do not fit into MNIST's 60000 training images; lower one of them");
    } else if (split == Split::kValidation) {
        options.first = kept;
        options.count = config.validation_count;
    } else {
        options.count = config.train_count == 0 ? kept : config.train_count;
    }
    return load_mnist(folder, split, options);
}

int glyph_count(const DataConfig& config, Split split) {
    switch (split) {
        case Split::kTrain:
            return config.train_count == 0 ? kGlyphTrainCount : config.train_count;
        case Split::kTest:
            return config.test_count == 0 ? kGlyphTestCount : config.test_count;
        case Split::kValidation:
            break;
    }
    return config.validation_count;
}

/// Images, one pixel a step.
Dataset load_images(const DataConfig& config, Split split, const std::optional<std::string>& data_folder) {
    if (split == Split::kValidation && config.validation_count == 0) {
        throw UserError("data.validation_count is 0, so there is no validation split; set it, or use the test split");
    }
    if (config.name == "glyphs") {
        constexpr int kMostGlyphs = 2000000;  // 6 GB
        if (glyph_count(config, split) > kMostGlyphs) {
            throw UserError(std::to_string(glyph_count(config, split)) + " glyphs do not fit into memory; at most " +
                            std::to_string(kMostGlyphs) + " can be generated");
        }
        return make_glyphs(config.seed, split, glyph_count(config, split));
    }
    return load_mnist_split(config, split, find_data_folder(data_folder));
}

}  // namespace

Dataset load_dataset(const DataConfig& config, Split split, const std::optional<std::string>& data_folder) {
    config.validate();
    Dataset dataset = load_images(config, split, data_folder);
    shape_sequences(config.layout, config.lengths, kGlyphSide, dataset);
    return dataset;
}

}  // namespace imssa

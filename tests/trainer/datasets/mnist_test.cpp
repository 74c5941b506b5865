#include "trainer/datasets/mnist.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>
#include <string>

#include "tests/trainer/datasets/mnist_available.h"
#include "trainer/datasets/data_config.h"
#include "trainer/datasets/data_location.h"

namespace imssa {
namespace {

/// Real files, where there are any.
class MnistTest : public testing::Test {
protected:
    void SetUp() override {
        folder_ = std::getenv("IMSSA_DATA") != nullptr ? std::getenv("IMSSA_DATA") : IMSSA_SOURCE_DIR "/../shared/data";
        if (!mnist_available(folder_)) {
            GTEST_SKIP() << "no MNIST in " << folder_;
        }
    }
    std::string folder_;
};

TEST_F(MnistTest, LoadsTheTestSet) {
    const Dataset dataset = load_mnist(folder_, Split::kTest);
    EXPECT_EQ(dataset.count(), 10000);
    EXPECT_EQ(dataset.classes, 10);
    EXPECT_EQ(dataset.values.size(), 10000U * 784U);
    EXPECT_EQ(dataset.labels[0], 7);
    EXPECT_EQ(dataset.labels[9999], 6);
    const double sum = std::accumulate(dataset.values.begin(), dataset.values.end(), 0.0);
    EXPECT_NEAR((sum / (10000.0 * 784.0) + 1.0) / 2.0, 0.13251, 1e-4);  // the known mean grey level
}

TEST_F(MnistTest, TakesValidationFromTheEndOfTheTrainingSet) {
    DataConfig config;
    config.validation_count = 50;
    config.train_count = 100;
    const Dataset train = load_dataset(config, Split::kTrain, folder_);
    const Dataset validation = load_dataset(config, Split::kValidation, folder_);
    EXPECT_EQ(train.count(), 100);
    EXPECT_EQ(train.labels[0], 5);
    EXPECT_EQ(validation.count(), 50);
    EXPECT_EQ(validation.labels[49], 8);
    MnistOptions last;
    last.first = 59950;
    EXPECT_EQ(load_mnist(folder_, Split::kTrain, last).values, validation.values);
}

}  // namespace
}  // namespace imssa

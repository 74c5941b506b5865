#include "trainer/datasets/data_location.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/trainer/datasets/idx_files.h"
#include "tests/trainer/datasets/mnist_available.h"
#include "trainer/datasets/data_config.h"
#include "trainer/datasets/mnist.h"

namespace imssa {
namespace {

using testing::HasSubstr;

constexpr int kRows = 28;

/// Writes MNIST look-alikes: `count` images whose pixels all equal their index.
void write_look_alikes(const std::string& folder, const std::string& ending, std::uint32_t count) {
    std::filesystem::create_directories(folder);
    IdxArray images{{count, kRows, kRows}, {}};
    IdxArray labels{{count}, {}};
    for (std::uint32_t i = 0; i < count; ++i) {
        images.values.insert(images.values.end(), kRows * kRows, static_cast<std::uint8_t>(i));
        labels.values.push_back(static_cast<std::uint8_t>(i % 10));
    }
    for (const std::string stem : {"train", "t10k"}) {
        const bool packed = ending == ".gz";
        const auto write = [&](std::string path, const IdxArray& array) {
            write_bytes(path.append(ending), packed ? gzip(idx_bytes(array)) : idx_bytes(array));
        };
        const std::string start = (std::filesystem::path(folder) / stem).string();
        write(start + "-images-idx3-ubyte", images);
        write(start + "-labels-idx1-ubyte", labels);
    }
}

TEST(DataLocationTest, PrefersTheArgumentToTheEnvironment) {
    const TestFolder folder;
    setenv("IMSSA_DATA", folder.path().c_str(), 1);
    EXPECT_EQ(find_data_folder(), folder.path());
    EXPECT_EQ(find_data_folder(testing::TempDir()), testing::TempDir());
    unsetenv("IMSSA_DATA");
}

TEST(DataLocationTest, NamesEveryPlaceThatWasSearched) {
    unsetenv("IMSSA_DATA");
    const TestFolder folder;
    std::filesystem::create_directories(folder.path() + "/inner");
    std::filesystem::current_path(folder.path() + "/inner");
    EXPECT_EQ(error_of([] { find_data_folder(); }),
              "no data folder: searched ../shared/data, as --data is not given and $IMSSA_DATA is not set; "
              "scripts/check_mnist.sh says where MNIST is found; generated digits need no files (train: --set "
              "data.name=glyphs; infer: scenarios/checkpoints/glyphs_small_8bit.h5)");
    EXPECT_THAT(error_of([] { find_data_folder("absent"); }), HasSubstr("searched --data absent; "));
    setenv("IMSSA_DATA", "gone", 1);
    EXPECT_THAT(error_of([] { find_data_folder(); }), HasSubstr("searched $IMSSA_DATA (gone), as --data is not given"));
    unsetenv("IMSSA_DATA");
    EXPECT_EQ(error_of([] { find_mnist_files(".", Split::kTest); }),
              "MNIST: t10k-images-idx3-ubyte.gz (or unpacked) is neither in ./mnist nor in .; "
              "scripts/check_mnist.sh says where MNIST is found; generated digits need no files (train: --set "
              "data.name=glyphs; infer: scenarios/checkpoints/glyphs_small_8bit.h5)");
    EXPECT_FALSE(mnist_available("."));
    std::filesystem::current_path("/");
}

TEST(DataLocationTest, FindsPackedAndUnpackedFilesInBothPlaces) {
    for (const std::string place : {"", "/mnist"}) {
        for (const std::string ending : {"", ".gz"}) {
            const TestFolder folder;
            EXPECT_FALSE(mnist_available(folder.path()));
            write_look_alikes(folder.path() + place, ending, 3);
            EXPECT_TRUE(mnist_available(folder.path()));
            const std::string found = find_mnist_files(folder.path(), Split::kValidation).labels;
            EXPECT_EQ(found.substr(folder.path().size()),
                      std::string(place).append("/train-labels-idx1-ubyte").append(ending));
        }
    }
}

TEST(LoadMnistTest, ReadsUnpackedFilesOfOtherDigitsWhenNotToldToVerify) {
    const TestFolder folder;
    write_look_alikes(folder.path(), "", 20);
    MnistOptions options;
    options.verify = false;
    options.count = 12;
    const Dataset dataset = load_mnist(folder.path(), Split::kTest, options);
    EXPECT_EQ(dataset.count(), 12);
    EXPECT_EQ(dataset.steps, 784);
    EXPECT_EQ(dataset.labels[11], 1);
    EXPECT_FLOAT_EQ(dataset.sequence(11)[783], 11.0F / 127.5F - 1.0F);
    options.count = 21;
    EXPECT_THAT(error_of([&] { load_mnist(folder.path(), Split::kTest, options); }),
                HasSubstr("holds 20 images, too few for 21 from number 0; lower the counts in [data]"));
}

TEST(LoadDatasetTest, ReportsFilesThatAreNotTheOfficialOnesPackedOrNot) {
    for (const char* ending : {"", ".gz"}) {
        const TestFolder folder;
        write_look_alikes(folder.path(), ending, 20);
        const std::string message = error_of([&] { load_dataset({}, Split::kTest, folder.path()); });
        EXPECT_THAT(message, HasSubstr(std::string("t10k-images-idx3-ubyte") + ending +
                                       ": is not MNIST's official file: its content's sha256 is "));
        EXPECT_THAT(message, HasSubstr("expected 0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"));
    }
}

TEST(LoadDatasetTest, RejectsCountsThatCannotBe) {
    DataConfig config;
    config.validation_count = 60000;
    EXPECT_THAT(error_of([&] { load_dataset(config, Split::kTrain, testing::TempDir()); }),
                HasSubstr("do not fit into MNIST's 60000 training images"));
    config.validation_count = 0;
    EXPECT_THAT(error_of([&] { load_dataset(config, Split::kValidation); }),
                HasSubstr("data.validation_count is 0, so there is no validation split"));
    config.train_count = -1;
    EXPECT_THAT(error_of([&] { load_dataset(config, Split::kTrain); }), HasSubstr("must not be negative"));
    config.name = "cifar";
    EXPECT_EQ(error_of([&] { config.validate(); }), "name must be 'mnist' or 'glyphs', got 'cifar'");
}

}  // namespace
}  // namespace imssa

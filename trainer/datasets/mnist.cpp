#include "trainer/datasets/mnist.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "models/common/error.h"
#include "trainer/datasets/data_location.h"
#include "trainer/datasets/idx.h"

namespace imssa {
namespace {

constexpr int kClasses = 10;
constexpr int kRows = 28;

/// SHA-256 of the unpacked official files (the same whether they were downloaded packed or not).
struct OfficialFile {
    std::string_view images_sha256;
    std::string_view labels_sha256;
};
constexpr OfficialFile kTrainFiles{"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                                   "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"};
constexpr OfficialFile kTestFiles{"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                                  "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"};

std::string sha256(const std::vector<std::uint8_t>& bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("libcrypto cannot compute SHA-256");
    }
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
        text += "0123456789abcdef"[digest[i] >> 4];
        text += "0123456789abcdef"[digest[i] & 15];
    }
    return text;
}

IdxArray read_verified(const std::string& path, std::string_view expected, bool verify) {
    const std::vector<std::uint8_t> content = unpack_gzip(read_file_bytes(path), path);
    IdxArray array = parse_idx(content, path);
    if (verify) {
        const std::string found = sha256(content);
        if (found != expected) {
            throw UserError(path + ": is not MNIST's official file: its content's sha256 is " + found + ", expected " +
                            std::string(expected) + "; download it again (scripts/check_mnist.sh says where)");
        }
    }
    return array;
}

}  // namespace

Dataset load_mnist(const std::string& folder, Split split, const MnistOptions& options) {
    const ImageFiles files = find_mnist_files(folder, split);
    const OfficialFile& official = split == Split::kTest ? kTestFiles : kTrainFiles;
    IdxArray pixels = read_verified(files.images, official.images_sha256, options.verify);
    IdxArray labels = read_verified(files.labels, official.labels_sha256, options.verify);
    const IdxImages images =
        pair_images_with_labels(std::move(pixels), files.images, std::move(labels), files.labels, kClasses);
    if (images.rows != kRows || images.columns != kRows) {
        throw UserError(files.images + ": holds images of " + std::to_string(images.rows) + " x " +
                        std::to_string(images.columns) + " pixels; MNIST's have 28 x 28");
    }
    const int count = options.count == 0 ? images.count - options.first : options.count;
    if (options.first < 0 || count < 1 || count > images.count - options.first) {
        throw UserError(files.images + ": holds " + std::to_string(images.count) + " images, too few for " +
                        std::to_string(count) + " from number " + std::to_string(options.first) +
                        "; lower the counts in [data], or --sequences of infer");
    }
    Dataset dataset;
    dataset.name = "mnist";
    dataset.steps = kRows * kRows;
    dataset.classes = kClasses;
    const auto first = static_cast<std::size_t>(options.first);
    const auto samples = static_cast<std::size_t>(count);
    const auto steps = static_cast<std::size_t>(dataset.steps);
    dataset.values.resize(samples * steps);
    for (std::size_t i = 0; i < dataset.values.size(); ++i) {
        dataset.values[i] = pixel_value(images.pixels[first * steps + i]);
    }
    dataset.labels.assign(images.labels.begin() + options.first, images.labels.begin() + options.first + count);
    return dataset;
}

}  // namespace imssa

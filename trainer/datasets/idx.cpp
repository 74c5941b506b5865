#include "trainer/datasets/idx.h"

#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

#include "models/common/error.h"

namespace imssa {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 31;  // far above every data set in this format
const char* const kDownloadAgain = "; download the file again";

[[noreturn]] void fail(const std::string& path, const std::string& what) {
    throw UserError(path + ": " + what);
}

bool is_gzip(const std::vector<std::uint8_t>& bytes) {
    return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/// Ends zlib's inflation on every way out.
struct Inflation {
    z_stream stream{};
    explicit Inflation(const std::string& path) {
        constexpr int kGzipWindow = 15 + 16;
        if (inflateInit2(&stream, kGzipWindow) != Z_OK) {
            fail(path, "cannot start to decompress; is there enough memory?");
        }
    }
    Inflation(const Inflation&) = delete;
    Inflation& operator=(const Inflation&) = delete;
    ~Inflation() { inflateEnd(&stream); }
};

std::vector<std::uint8_t> decompress(const std::vector<std::uint8_t>& bytes, const std::string& path) {
    if (bytes.size() > std::numeric_limits<uInt>::max()) {
        fail(path, "is too large for an idx file");
    }
    Inflation inflation(path);
    z_stream& stream = inflation.stream;
    stream.next_in = const_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    std::vector<std::uint8_t> result;
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        constexpr std::size_t kChunk = std::size_t{1} << 20;
        const std::size_t done = result.size();
        if (done > kMaxBytes) {
            fail(path, "holds more than 2 GiB: no idx file that is known here");
        }
        result.resize(done + std::max(kChunk, done));
        const std::size_t room = result.size() - done;
        stream.next_out = result.data() + done;
        stream.avail_out = static_cast<uInt>(room);
        status = inflate(&stream, Z_NO_FLUSH);
        result.resize(result.size() - stream.avail_out);
        if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out != 0)) {
            fail(path, std::string("the gzip stream is truncated") + kDownloadAgain);
        }
        if (status != Z_OK && status != Z_STREAM_END) {
            fail(path, std::string("the gzip stream is damaged") + kDownloadAgain);
        }
    }
    if (stream.avail_in != 0) {
        fail(path, std::to_string(stream.avail_in) + " bytes follow the gzip stream" + kDownloadAgain);
    }
    return result;
}

std::string hexadecimal(const std::uint8_t* bytes, std::size_t count) {
    static const char* const kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 15];
    }
    return text;
}

IdxArray parse_plain_idx(const std::vector<std::uint8_t>& bytes, const std::string& path) {
    if (bytes.size() < 4) {
        fail(path, "the idx header is truncated: " + std::to_string(bytes.size()) + " of 4 bytes" + kDownloadAgain);
    }
    if (bytes[0] != 0 || bytes[1] != 0) {
        fail(path, "is no idx file: it starts with 0x" + hexadecimal(bytes.data(), 4) + ", not with two zero bytes");
    }
    if (bytes[2] != 8) {
        fail(path, "the idx type is 0x" + hexadecimal(&bytes[2], 1) + "; only 0x08 (unsigned bytes) is supported");
    }
    const std::size_t dimension_count = bytes[3];
    if (dimension_count < 1 || dimension_count > 3) {
        fail(path, "the idx array has " + std::to_string(dimension_count) + " dimensions; 1 to 3 are supported");
    }
    const std::size_t header = 4 + 4 * dimension_count;
    if (bytes.size() < header) {
        fail(path, "the idx header is truncated: " + std::to_string(bytes.size()) + " of " + std::to_string(header) +
                       " bytes" + kDownloadAgain);
    }
    IdxArray array;
    std::uint64_t expected = 1;
    for (std::size_t i = 0; i < dimension_count; ++i) {
        const std::uint8_t* at = &bytes[4 + 4 * i];
        const std::uint32_t dimension = (std::uint32_t{at[0]} << 24) | (std::uint32_t{at[1]} << 16) |
                                        (std::uint32_t{at[2]} << 8) | std::uint32_t{at[3]};
        array.dimensions.push_back(dimension);
        // Dimensions beyond the cap cannot wrap around: the product stays below 2^31 * 2^32.
        expected = std::min(expected, kMaxBytes) * dimension;
    }
    const std::uint64_t found = bytes.size() - header;
    if (found != expected) {
        fail(path, std::string(found < expected ? "the values are truncated: " : "bytes follow the values: ") +
                       std::to_string(found) + " bytes after the header, which announces " +
                       (expected > kMaxBytes ? "more than 2 GiB" : std::to_string(expected)) + kDownloadAgain);
    }
    array.values.assign(bytes.begin() + static_cast<std::ptrdiff_t>(header), bytes.end());
    return array;
}

}  // namespace

std::vector<std::uint8_t> read_file_bytes(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
        fail(path, std::filesystem::exists(path, error) ? "is no file" : "does not exist; check --data");
    }
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::vector<std::uint8_t> bytes(file ? static_cast<std::size_t>(file.tellg()) : 0);
    file.seekg(0);
    if (!file || (!bytes.empty() &&
                  !file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))) {
        fail(path, "cannot be read; check its permissions");
    }
    if (bytes.empty()) {
        fail(path, std::string("is empty") + kDownloadAgain);
    }
    return bytes;
}

std::vector<std::uint8_t> unpack_gzip(const std::vector<std::uint8_t>& bytes, const std::string& path) {
    return is_gzip(bytes) ? decompress(bytes, path) : bytes;
}

IdxArray parse_idx(const std::vector<std::uint8_t>& bytes, const std::string& path) {
    return is_gzip(bytes) ? parse_plain_idx(decompress(bytes, path), path) : parse_plain_idx(bytes, path);
}

IdxImages pair_images_with_labels(IdxArray images, const std::string& images_path, IdxArray labels,
                                  const std::string& labels_path, int classes) {
    if (images.dimensions.size() != 3) {
        fail(images_path, "holds an array of " + std::to_string(images.dimensions.size()) +
                              " dimensions; images have 3 (is it the label file?)");
    }
    if (labels.dimensions.size() != 1) {
        fail(labels_path, "holds an array of " + std::to_string(labels.dimensions.size()) +
                              " dimensions; labels have 1 (is it the image file?)");
    }
    if (images.values.empty()) {
        fail(images_path, std::string("holds no images") + kDownloadAgain);
    }
    if (images.dimensions[0] != labels.dimensions[0]) {
        fail(images_path, "holds " + std::to_string(images.dimensions[0]) + " images, but " + labels_path + " holds " +
                              std::to_string(labels.dimensions[0]) + " labels; the two belong to different sets");
    }
    for (std::size_t i = 0; i < labels.values.size(); ++i) {
        if (labels.values[i] >= classes) {
            fail(labels_path, "label " + std::to_string(i) + " is " + std::to_string(labels.values[i]) +
                                  "; labels go from 0 to " + std::to_string(classes - 1));
        }
    }
    IdxImages result;
    result.count = static_cast<int>(images.dimensions[0]);
    result.rows = static_cast<int>(images.dimensions[1]);
    result.columns = static_cast<int>(images.dimensions[2]);
    result.pixels = std::move(images.values);
    result.labels = std::move(labels.values);
    return result;
}

}  // namespace imssa

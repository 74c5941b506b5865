#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/common/error.h"
#include "trainer/datasets/idx.h"

namespace imssa {

using Bytes = std::vector<std::uint8_t>;

/// The bytes of an idx file.
inline Bytes idx_bytes(const IdxArray& array) {
    Bytes bytes = {0, 0, 8, static_cast<std::uint8_t>(array.dimensions.size())};
    for (const std::uint32_t dimension : array.dimensions) {
        for (const int shift : {24, 16, 8, 0}) {
            bytes.push_back(static_cast<std::uint8_t>(dimension >> shift));
        }
    }
    bytes.insert(bytes.end(), array.values.begin(), array.values.end());
    return bytes;
}

inline Bytes gzip(const Bytes& bytes) {
    z_stream stream{};
    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::runtime_error("deflateInit2");
    }
    Bytes packed(bytes.size() + 1000);
    stream.next_in = const_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
        throw std::runtime_error("deflate");
    }
    packed.resize(packed.size() - stream.avail_out);
    deflateEnd(&stream);
    return packed;
}

inline void write_bytes(const std::string& path, const Bytes& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// An empty folder of the running test, removed with the object.
class TestFolder {
public:
    TestFolder()
        : path_(testing::TempDir() + "imssa_" +
                testing::UnitTest::GetInstance()->current_test_info()->test_suite_name() + "_" +
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    ~TestFolder() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// The message of the UserError that a call ends with.
template <class Call>
std::string error_of(Call&& call) {
    try {
        std::forward<Call>(call)();
    } catch (const UserError& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace imssa

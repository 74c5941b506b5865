#include "trainer/checkpoint_file.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "models/common/error.h"

namespace imssa {

namespace {

constexpr char kMagic[] = "IMSSA-CHECKPOINT";
constexpr std::size_t kMagicBytes = 16;
constexpr std::size_t kVersionAt = 16, kLengthAt = 20, kDigestAt = 28, kZerosAt = kDigestAt + SHA256_DIGEST_LENGTH;

void put_little_endian(char* to, std::uint64_t value, int bytes) {
    for (int index = 0; index < bytes; ++index) {
        to[index] = static_cast<char>((value >> (8 * index)) & 0xffU);
    }
}

std::uint64_t get_little_endian(const char* from, int bytes) {
    std::uint64_t value = 0;
    for (int index = 0; index < bytes; ++index) {
        value |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[index])) << (8 * index);
    }
    return value;
}

std::string read_file(const std::string& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        throw UserError("cannot read checkpoint '" + path + "': it is a folder");
    }
    if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
        throw UserError("cannot read checkpoint '" + path + "': it is no regular file");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw UserError("cannot open checkpoint '" + path + "': " + std::strerror(errno));
    }
    std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (file.bad()) {
        throw UserError("cannot read checkpoint '" + path + "': " + std::strerror(errno));
    }
    return content;
}

std::array<char, SHA256_DIGEST_LENGTH> digest(const char* data, std::size_t size) {
    std::array<char, SHA256_DIGEST_LENGTH> result{};
    SHA256(reinterpret_cast<const unsigned char*>(data), size, reinterpret_cast<unsigned char*>(result.data()));
    return result;
}

[[noreturn]] void fail_write(const std::string& path) {
    throw UserError("cannot write checkpoint '" + path + "': " + std::strerror(errno));
}

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }

private:
    int number_;
};

void write_synced(const std::string& path, const std::string& content) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (file.number() < 0) {
        fail_write(path);
    }
    for (std::size_t at = 0; at < content.size();) {
        const ssize_t written = ::write(file.number(), content.data() + at, content.size() - at);
        if (written < 0 && errno != EINTR) {
            fail_write(path);
        }
        at += static_cast<std::size_t>(std::max<ssize_t>(written, 0));
    }
    if (::fsync(file.number()) != 0) {
        fail_write(path);
    }
}

/// Moves a synced temporary file over `path` and syncs the folder.
void replace_file(const std::string& temporary, const std::string& path) {
    if (std::rename(temporary.c_str(), path.c_str()) != 0) {
        fail_write(path);
    }
    const std::string folder = std::filesystem::path(path).parent_path().string();
    const Descriptor descriptor(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.number() >= 0) {
        ::fsync(descriptor.number());
    }
}

}  // namespace

std::string read_sealed_file(const std::string& path, int newest_version) {
    std::string content = read_file(path);
    if (content.size() < kUserBlockBytes || std::memcmp(content.data(), kMagic, kMagicBytes) != 0) {
        const bool begins_like_one =
            content.compare(0, kMagicBytes, kMagic, std::min(kMagicBytes, content.size())) == 0;
        throw UserError("'" + path + "' is " +
                        (begins_like_one
                             ? "cut short: only " + std::to_string(content.size()) + " bytes of a checkpoint"
                             : std::string("not an imssa checkpoint (make one with train)")));
    }
    const std::uint64_t version = get_little_endian(content.data() + kVersionAt, 4);
    if (version > static_cast<std::uint64_t>(newest_version)) {
        throw UserError("checkpoint '" + path + "' has format version " + std::to_string(version) + ", newer than " +
                        std::to_string(newest_version) +
                        ", the newest this build reads; use a newer imssa, or train again");
    }
    const std::size_t payload = content.size() - kUserBlockBytes;
    const std::uint64_t expected = get_little_endian(content.data() + kLengthAt, 8);
    if (payload < expected) {
        throw UserError("checkpoint '" + path + "' is cut short: " + std::to_string(content.size()) + " of " +
                        std::to_string(expected + kUserBlockBytes) + " bytes; copy it again or train again");
    }
    const auto sum = digest(content.data() + kUserBlockBytes, payload);
    bool intact =
        payload == expected && version >= 1 && std::memcmp(sum.data(), content.data() + kDigestAt, sum.size()) == 0;
    for (std::size_t at = kZerosAt; at < kUserBlockBytes; ++at) {
        intact = intact && content[at] == 0;
    }
    if (!intact) {
        throw UserError("checkpoint '" + path +
                        "' is damaged: its checksum does not match; copy it again or train again");
    }
    return content;
}

std::string hexadecimal_digest(const std::string& content) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const char byte : digest(content.data(), content.size())) {
        const unsigned value = static_cast<unsigned char>(byte);
        text += kDigits[value >> 4U];
        text += kDigits[value & 15U];
    }
    return text;
}

void write_sealed_file(std::string content, int version, const std::string& path) {
    const std::size_t payload = content.size() - kUserBlockBytes;
    std::memcpy(content.data(), kMagic, kMagicBytes);
    put_little_endian(content.data() + kVersionAt, static_cast<std::uint64_t>(version), 4);
    put_little_endian(content.data() + kLengthAt, payload, 8);
    const auto sum = digest(content.data() + kUserBlockBytes, payload);
    std::memcpy(content.data() + kDigestAt, sum.data(), sum.size());
    const std::string temporary = path + "." + std::to_string(::getpid()) + ".tmp";
    try {
        write_synced(temporary, content);
        replace_file(temporary, path);
    } catch (...) {
        std::remove(temporary.c_str());
        throw;
    }
}

}  // namespace imssa

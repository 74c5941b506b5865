#include "models/common/file_output.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "models/common/error.h"

namespace imssa {

void check_output_file(const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (!folder.empty()) {
        create_output_folder(folder.string());
    }
    if (std::filesystem::is_directory(path)) {
        throw UserError("cannot write '" + path + "': it is a folder; remove it or choose another name");
    }
    if (::access(folder.empty() ? "." : folder.c_str(), W_OK) != 0) {
        throw UserError("cannot write '" + path + "': its folder is not writable");
    }
}

void create_output_folder(const std::string& path) {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (code) {
        throw UserError("cannot create the output folder '" + path + "': " + code.message() + "; name another folder");
    }
}

namespace {

void write_stream(const std::string& path, const std::string& text) {
    std::ofstream stream(path, std::ios::binary);
    stream << text;
    stream.close();
    if (!stream) {
        throw UserError("cannot write '" + path + "': is the folder writable and the disk not full?");
    }
}

}  // namespace

void write_file_atomically(const std::string& path, const std::string& text) {
    const std::filesystem::path target(path);
    if (target.has_parent_path()) {
        create_output_folder(target.parent_path().string());
    }
    std::error_code code;
    const std::filesystem::file_status status = std::filesystem::status(target, code);
    if (std::filesystem::is_directory(status)) {
        throw UserError("cannot write '" + path + "': it is a folder; remove it or choose another name");
    }
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        // A device or pipe (/dev/stdout) is written to; a rename would replace it.
        write_stream(path, text);
        return;
    }
    const std::string temporary = path + ".tmp" + std::to_string(::getpid());
    try {
        write_stream(temporary, text);
    } catch (const UserError&) {
        std::remove(temporary.c_str());
        throw UserError("cannot write '" + path + "': is the folder writable and the disk not full?");
    }
    std::filesystem::rename(temporary, target, code);
    if (code) {
        std::remove(temporary.c_str());
        throw UserError("cannot write '" + path + "': " + code.message());
    }
}

void commit_streamed_file(const std::string& temporary, const std::string& path) {
    // The writer of the file does not report errors. A full disk cuts it, and then refuses this block, too.
    constexpr std::size_t kProbeBytes = 65536;
    std::error_code code;
    const std::uintmax_t size = std::filesystem::file_size(temporary, code);
    bool whole = !code;
    if (whole) {
        std::ofstream probe(temporary, std::ios::binary | std::ios::app);
        probe << std::string(kProbeBytes, '\n');
        probe.close();
        whole = static_cast<bool>(probe);
        std::filesystem::resize_file(temporary, size, code);
    }
    if (whole) {
        std::filesystem::rename(temporary, path, code);
        whole = !code;
    }
    if (!whole) {
        std::remove(temporary.c_str());
        throw UserError("cannot write '" + path + "': is the folder writable and the disk not full?");
    }
}

}  // namespace imssa

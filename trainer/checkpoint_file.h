#pragma once

#include <string>

namespace imssa {

/// User block of a checkpoint file, 512 bytes before the HDF5 superblock (HDF5 tools skip it):
///   0  16 bytes  "IMSSA-CHECKPOINT"
///  16   4 bytes  format version, little-endian
///  20   8 bytes  bytes behind the user block, little-endian
///  28  32 bytes  SHA-256 of the bytes behind the user block
///  60            zeros
constexpr int kUserBlockBytes = 512;

/// Fills in the user block of a file's content and writes it, through a temporary file in the same folder that is
/// synced and renamed: whatever happens, `path` holds the whole content or what it held before.
void write_sealed_file(std::string content, int version, const std::string& path);

/// SHA-256 in hexadecimal digits.
std::string hexadecimal_digest(const std::string& content);

/// Reads a whole checkpoint file and verifies its user block; throws UserError of one line.
std::string read_sealed_file(const std::string& path, int newest_version);

}  // namespace imssa

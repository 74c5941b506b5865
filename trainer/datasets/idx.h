#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imssa {

/// An array of bytes as MNIST's files hold it.
struct IdxArray {
    std::vector<std::uint32_t> dimensions;
    std::vector<std::uint8_t> values;  ///< the product of the dimensions, last index fastest
};

/// Labelled images of one size.
struct IdxImages {
    int count = 0;
    int rows = 0;
    int columns = 0;
    std::vector<std::uint8_t> pixels;  ///< count x rows x columns
    std::vector<std::uint8_t> labels;  ///< count
};

/// The bytes of a file. Throws UserError if it is missing, empty or unreadable.
std::vector<std::uint8_t> read_file_bytes(const std::string& path);

/// The content of a file's bytes: unpacked when they are gzipped. Throws UserError when the stream is cut or damaged.
std::vector<std::uint8_t> unpack_gzip(const std::vector<std::uint8_t>& bytes, const std::string& path);

/// Reads an idx file from its bytes, gzipped or not: two zero bytes, type 8 (unsigned byte), number of dimensions, one
/// big-endian uint32 a dimension, values. Throws UserError, which names path, unless the file is exactly that.
IdxArray parse_idx(const std::vector<std::uint8_t>& bytes, const std::string& path);

/// Pairs images (three dimensions) with labels (one dimension) below `classes`. Throws UserError if shapes, counts or
/// labels do not fit; the paths are for its message.
IdxImages pair_images_with_labels(IdxArray images, const std::string& images_path, IdxArray labels,
                                  const std::string& labels_path, int classes);

}  // namespace imssa

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "trainer/lane_buffer.h"
#include "trainer/narrow_codes.h"

namespace imssa {

/// A table over integer codes in [-limit, limit], looked up for many codes at once. Tables of up to 8-bit codes are cut
/// into planes of bytes, which permutations of bytes (AVX-512 VBMI) look up 64 at a time; others are gathered.
class CodeTable {
public:
    CodeTable() = default;
    /// entries: 2 limit + 1 values, indexed by code + limit.
    CodeTable(const std::vector<float>& entries, int limit);

    /// out[i] = table[codes[i]] for `count` codes, a multiple of 64.
    void look_up(const float* codes, float* out, int count) const { look_up_any(codes, out, count); }
    void look_up(const NarrowCode* codes, float* out, int count) const { look_up_any(codes, out, count); }

private:
    static constexpr int kPlanes = 4;
    static constexpr int kPlaneSize = 256;  ///< indexed by the code as an unsigned byte

    template <class Code>
    void look_up_any(const Code* codes, float* out, int count) const;
    template <int FirstPlane, class Code>
    void permute(const Code* codes, float* out, int count) const;
    template <class Code>
    void gather(const Code* codes, float* out, int count) const;

    std::vector<float> entries_;
    int limit_ = 0;
    bool fits_bytes_ = false;
    bool high_half_only_ = false;  ///< the lower two bytes of every entry are zero, as in whole numbers of 8 bits
    AlignedArray<std::uint8_t> planes_;
};

}  // namespace imssa

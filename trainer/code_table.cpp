#include "trainer/code_table.h"

#include <cstring>

namespace imssa {

namespace {

inline LanesInt codes_of(const float* codes) {
    return to_int(load_lanes(codes));
}
inline LanesInt codes_of(const NarrowCode* codes) {
    return load_narrow_int(codes);
}

}  // namespace

#if defined(__AVX512VBMI__) && defined(__AVX512BW__)

namespace {

constexpr bool kMachinePermutes = true;

/// Of two vectors in 16 bits, quarter by quarter.
template <class Code>
__m512i code_pairs(const Code* codes) {
    return _mm512_packs_epi32(reinterpret_cast<__m512i>(codes_of(codes)),
                              reinterpret_cast<__m512i>(codes_of(codes + kLaneWidth)));
}

inline void store_bits(float* to, __m512i value) {
    std::memcpy(to, &value, sizeof(value));
}

/// 256 bytes in four vectors.
struct Plane {
    __m512i quarter[4];

    explicit Plane(const std::uint8_t* from) { std::memcpy(quarter, from, sizeof(quarter)); }

    __m512i of(__m512i codes, __mmask64 negative) const {
        return _mm512_mask_blend_epi8(negative, _mm512_permutex2var_epi8(quarter[0], codes, quarter[1]),
                                      _mm512_permutex2var_epi8(quarter[2], codes, quarter[3]));
    }
};

}  // namespace

template <int FirstPlane, class Code>
void CodeTable::permute(const Code* codes, float* out, int count) const {
    const Plane planes[kPlanes] = {Plane(planes_.data()), Plane(planes_.data() + kPlaneSize),
                                   Plane(planes_.data() + 2 * kPlaneSize), Plane(planes_.data() + 3 * kPlaneSize)};
    for (int at = 0; at < count; at += 4 * kLaneWidth) {
        const Code* from = codes + at;
        // Packing and unpacking work within quarters of a vector: what one interleaves, the other puts back.
        const __m512i index = _mm512_packs_epi16(code_pairs(from), code_pairs(from + 2 * kLaneWidth));
        const __mmask64 negative = _mm512_movepi8_mask(index);
        __m512i bytes[kPlanes] = {};
        for (int plane = FirstPlane; plane < kPlanes; ++plane) {
            bytes[plane] = planes[plane].of(index, negative);
        }
        const __m512i low[2] = {_mm512_unpacklo_epi8(bytes[0], bytes[1]), _mm512_unpackhi_epi8(bytes[0], bytes[1])};
        const __m512i high[2] = {_mm512_unpacklo_epi8(bytes[2], bytes[3]), _mm512_unpackhi_epi8(bytes[2], bytes[3])};
        for (int half = 0; half < 2; ++half) {
            float* to = out + at + 2 * half * kLaneWidth;
            store_bits(to, _mm512_unpacklo_epi16(low[half], high[half]));
            store_bits(to + kLaneWidth, _mm512_unpackhi_epi16(low[half], high[half]));
        }
    }
}

#else

namespace {

constexpr bool kMachinePermutes = false;

}  // namespace

template <int FirstPlane, class Code>
void CodeTable::permute(const Code* codes, float* out, int count) const {
    gather(codes, out, count);
}

#endif

CodeTable::CodeTable(const std::vector<float>& entries, int limit)
    : entries_(entries),
      limit_(limit),
      fits_bytes_(kMachinePermutes && limit < kPlaneSize / 2),
      high_half_only_(true),
      planes_(static_cast<std::size_t>(kPlanes) * kPlaneSize) {
    for (int code = -limit; fits_bytes_ && code <= limit; ++code) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &entries_[static_cast<std::size_t>(code + limit)], sizeof(bits));
        high_half_only_ = high_half_only_ && (bits & 0xffffU) == 0;
        for (int plane = 0; plane < kPlanes; ++plane) {
            planes_[static_cast<std::size_t>(plane * kPlaneSize + (code & (kPlaneSize - 1)))] =
                static_cast<std::uint8_t>(bits >> (8 * plane));
        }
    }
}

template <class Code>
void CodeTable::look_up_any(const Code* codes, float* out, int count) const {
    if (!fits_bytes_) {
        gather(codes, out, count);
    } else if (high_half_only_) {
        permute<2>(codes, out, count);
    } else {
        permute<0>(codes, out, count);
    }
}

template <class Code>
void CodeTable::gather(const Code* codes, float* out, int count) const {
    const float* table = entries_.data();
    const LanesInt limit = LanesInt{} + limit_;
    for (int at = 0; at < count; at += kLaneWidth) {
        const LanesInt index = codes_of(codes + at) + limit;
#if defined(__AVX512F__)
        store_lanes(out + at, reinterpret_cast<Lanes>(_mm512_i32gather_ps(reinterpret_cast<__m512i>(index), table, 4)));
#else
        for (int lane = 0; lane < kLaneWidth; ++lane) {
            out[at + lane] = table[index[lane]];
        }
#endif
    }
}

template void CodeTable::look_up_any(const float* codes, float* out, int count) const;
template void CodeTable::look_up_any(const NarrowCode* codes, float* out, int count) const;

}  // namespace imssa

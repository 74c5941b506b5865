#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace imssa {

/// While it lives, numbers below the least normal float (1.2e-38) count as zero in this thread, as operands and as
/// results. Fast modes and the tails of activations make many of them, and some processors take more than a hundred
/// cycles for an operation on one. Elsewhere than on x86 it does nothing.
class FlushSubnormals {
public:
#if defined(__SSE__)
    static constexpr bool kFlushes = true;

    FlushSubnormals() : before_(_mm_getcsr()) {
        _mm_setcsr(before_ | kFlushToZero | kSubnormalsAreZero);
    }
    ~FlushSubnormals() {
        _mm_setcsr(before_);
    }
#else
    static constexpr bool kFlushes = false;

    FlushSubnormals() = default;
#endif
    FlushSubnormals(const FlushSubnormals&) = delete;
    FlushSubnormals& operator=(const FlushSubnormals&) = delete;

private:
#if defined(__SSE__)
    // Bits of the control register MXCSR (Intel 64 and IA-32 Architectures Software Developer's Manual 1, 10.2.3).
    static constexpr unsigned kFlushToZero = 1U << 15, kSubnormalsAreZero = 1U << 6;
    unsigned before_;
#endif
};

}  // namespace imssa

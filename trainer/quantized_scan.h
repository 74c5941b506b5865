#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/network/deployed_kernel.h"
#include "trainer/kernel_scan.h"
#include "trainer/packed_scan.h"

namespace imssa {

/// A deployed kernel of one head, prepared for the scan over time.
struct QuantizedKernel {
    const DeployedKernel* deployed = nullptr;
    std::uint32_t first_unit = 0;  ///< dither unit of mode 0
    // Cells (with the drive of their row) that connect one mode to itself, to the inputs and to the output.
    struct ModeCells {
        float re_re = 0.0F, im_re = 0.0F, re_im = 0.0F, im_im = 0.0F;  ///< from x component to state column
        float u_re = 0.0F, u_im = 0.0F;                                ///< from u to the state columns
        float c_re = 0.0F, c_im = 0.0F;                                ///< from x component to the output column
    };
    std::vector<ModeCells> cells;
    float u_output = 0.0F;  ///< from u to the output column
    OutputConversion conversion;
    PackedKernel packed;  ///< what of it runs in pairs of 16-bit numbers
};

QuantizedKernel make_quantized_kernel(const DeployedKernel& deployed, std::uint32_t first_unit, float activation_limit);

/// One head over consecutive blocks in codes; places of u and y as in scan_forward. Registers are modes x {re, im} x
/// 16; `first_step` is the step number of the first block.
void quantized_scan(const QuantizedKernel& kernel, LanesUint sequence_keys, std::uint32_t first_step, const float* u,
                    float* y, std::size_t stride, int blocks, const std::int32_t* registers_in,
                    std::int32_t* registers_out);

/// The DAC codes of modes [first_mode, first_mode + count), count 1, 2 or 4, after every step: states[t + 1] is count x
/// 16 pairs (pack_pair), states[0] is the state before.
void quantized_scan_states(const QuantizedKernel& kernel, LanesUint sequence_keys, std::uint32_t first_step,
                           int first_mode, int count, const float* u, std::size_t stride, int blocks,
                           const std::int32_t* registers_in, std::int32_t* states);

}  // namespace imssa

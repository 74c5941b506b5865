#include "models/network/kernel_options.h"

#include <string>

#include "models/common/error.h"

namespace imssa {

namespace {

void require_range(const char* key, int value, int low, int high) {
    if (value < low || value > high) {
        throw UserError("key '" + std::string(key) + "' is " + std::to_string(value) + ": must lie in [" +
                        std::to_string(low) + ", " + std::to_string(high) + "]");
    }
}

}  // namespace

void KernelOptions::validate() const {
    require_range("a_bits", a_bits, 2, 12);
    require_range("weight_bits", weight_bits, 2, 12);
    require_range("state_bits", state_bits, 2, 12);
    require_range("register_bits", register_bits, state_bits, 20);
    require_range("magnitude_bits", magnitude_bits, 1, 16);
    require_range("phase_bits", phase_bits, 1, 16);
    require_range("step_bits", step_bits, 1, 16);
    require_range("d_bits", d_bits, 0, 16);
    if (d_bits > 0 && feedthrough == Feedthrough::cells) {
        throw UserError("d_bits need feedthrough 'digital': in cells D has the levels of weight_bits");
    }
    if (state_range == StateRange::planes) {
        if (mapping != KernelMapping::fused || weight_range != WeightRange::column) {
            throw UserError(
                "state_range 'planes' needs mapping 'fused' and weight_range 'column': it gives the real and the "
                "imaginary part of Abar in cells a range of their own");
        }
        if (rounding == StateRounding::dithered) {
            throw UserError("state_range 'planes' adds two conversions a state: use rounding 'nearest'");
        }
    }
    if (mapping == KernelMapping::fused) {
        if (representation == StateRepresentation::abar_log_polar ||
            representation == StateRepresentation::a_continuous) {
            throw UserError(
                "representations 'abar_log_polar' and 'a_continuous' need mapping 'digital_decay': cells hold real and "
                "imaginary parts of Abar or Abar - 1, a digital rotator decodes the others");
        }
        if (a_bits != weight_bits) {
            throw UserError(
                "a_bits must equal weight_bits with mapping 'fused': the cells of one array share their levels");
        }
        if (form == OutputForm::current) {
            throw UserError(
                "form 'current' needs mapping 'digital_decay': a fused read makes x_t and the output at once; "
                "use 'immediate' or 'delayed'");
        }
        if (input_matrix == InputMatrix::folded) {
            throw UserError(
                "input_matrix 'folded' needs mapping 'digital_decay', whose registers add u: a fused array would hold "
                "B = 1 in the same cells as Bbar; use 'cells' (digital products: mapping.kernel_input = 'digital')");
        }
        if (form == OutputForm::delayed && feedthrough == Feedthrough::cells) {
            throw UserError(
                "form 'delayed' needs feedthrough 'digital': cells would add D u_t to y_{t-1}, one sample late");
        }
        if (representation == StateRepresentation::abar_cartesian && registers == RegisterUpdate::accumulate) {
            throw UserError(
                "registers 'accumulate' need representation 'abar_delta': with 'abar_cartesian' a conversion is the "
                "new state; use 'replace'");
        }
        return;
    }
    if (form == OutputForm::delayed) {
        throw UserError("form 'delayed' needs mapping 'fused'; use 'current' or 'immediate' with 'digital_decay'");
    }
    if (form == OutputForm::current && input_matrix == InputMatrix::cells) {
        throw UserError(
            "form 'current' with input_matrix 'cells' would need two reads a step; use form 'immediate' or fold B into "
            "C (input_matrix 'folded')");
    }
    if (input_matrix == InputMatrix::folded && state_scale == ScaleGranularity::mode) {
        throw UserError(
            "state_scale 'mode' needs input_matrix 'cells': a folded input enters all modes of a head with one shift; "
            "use "
            "'head' or 'tensor'");
    }
    if (representation == StateRepresentation::abar_cartesian) {
        throw UserError(
            "mapping 'digital_decay' multiplies with Abar - 1: use representation 'abar_delta', 'abar_log_polar' or "
            "'a_continuous'");
    }
    if (rounding == StateRounding::dithered) {
        throw UserError(
            "rounding 'dithered' needs mapping 'fused': the digital decay rounds its wide product to nearest");
    }
}

bool KernelOptions::operator==(const KernelOptions& other) const {
    return mapping == other.mapping && representation == other.representation && form == other.form &&
           input_matrix == other.input_matrix && feedthrough == other.feedthrough && registers == other.registers &&
           rounding == other.rounding && state_scale == other.state_scale && weight_range == other.weight_range &&
           state_range == other.state_range && a_bits == other.a_bits && weight_bits == other.weight_bits &&
           state_bits == other.state_bits && register_bits == other.register_bits &&
           magnitude_bits == other.magnitude_bits && phase_bits == other.phase_bits && step_bits == other.step_bits &&
           d_bits == other.d_bits;
}

}  // namespace imssa

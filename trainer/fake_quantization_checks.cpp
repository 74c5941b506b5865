#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "models/common/error.h"
#include "trainer/fake_quantization.h"

/// Which quantizers go together, and with which mode.

namespace imssa {

namespace {

void check_products(const FakeQuantization& options) {
    if (!options.requantize_products) {
        return;
    }
    if (!options.state.active()) {
        throw UserError("'requantize_products' puts Abar x and Bbar u on grids of state.bits: set state.quantizer");
    }
    for (const QuantizerOptions* group : {&options.state, &options.activations}) {
        if (group->active() && (group->ranges == RangeSource::dynamic || group->rounding != StateRounding::nearest)) {
            throw UserError(
                "'requantize_products' has ranges from calibration and rounds to the nearest: set ranges 'fixed' or "
                "'ema' and rounding 'nearest' of 'state' and 'activations'");
        }
    }
}

}  // namespace

void FakeQuantization::validate() const {
    if (!(std::isfinite(state_limit) && state_limit >= 0.0)) {
        throw UserError("key 'state_limit' must be finite and must not be negative (0: no limit)");
    }
    if (!(std::isfinite(output_limit) && output_limit >= 0.0)) {
        throw UserError("key 'output_limit' must be finite and must not be negative (0: no limit)");
    }
    check_products(*this);
    if ((a_re.active() || a_im.active() || step.active()) && abar.active()) {
        throw UserError(
            "'abar' is what 'a_re', 'a_im' and 'step' make: quantize either before the exponential (QS4D) or after "
            "discretization (Zhao et al.)");
    }
    for (const QuantizerOptions* options :
         {&a_re, &a_im, &step, &abar, &bbar, &c, &d, &mixing, &encoder, &decoder, &biases}) {
        if (options->active() && options->ranges != RangeSource::fixed) {
            throw UserError(
                "'ranges' is for 'state' and 'activations': parameters are observed whenever they are quantized");
        }
    }
    if (state.dynamic() && state.scale != ScaleGranularity::head) {
        throw UserError("state.ranges 'dynamic' goes over the modes of a head at a time step: use state.scale 'head'");
    }
    if (state.active() && state.ranges == RangeSource::ema && state_limit > 0.0) {
        throw UserError(
            "state.ranges 'ema' follows states that 'state_limit' has clipped and can shrink without end: set "
            "state.ranges 'fixed' or 'dynamic', or state_limit 0");
    }
    if (activations.scale != ScaleGranularity::tensor) {
        throw UserError("'activations' have one calibrated range a tensor: use activations.scale 'tensor'");
    }
}

void check_scales(const FakeQuantization& options, const ModelConfig& model) {
    struct Group {
        const char* name;
        const QuantizerOptions& options;
        int numbers_a_head;  ///< that share a scale 'head'
    };
    const int modes = model.modes();
    const Group groups[] = {{"a_re", options.a_re, modes},
                            {"a_im", options.a_im, modes},
                            {"step", options.step, 1},
                            {"d", options.d, 1},
                            {"mixing", options.mixing, model.heads},
                            {"encoder", options.encoder, model.channels},
                            {"decoder", options.decoder, model.heads},
                            {"biases", options.biases, 2}};
    for (const Group& group : groups) {
        const bool alone = group.options.scale == ScaleGranularity::mode ||
                           (group.options.scale == ScaleGranularity::head && group.numbers_a_head == 1);
        if (group.options.active() && group.options.range == 0.0 && alone) {
            const char* advice = group.options.scale == ScaleGranularity::mode && group.numbers_a_head > 1
                                     ? "'head' or 'tensor'"
                                     : "'tensor'";
            throw UserError("fake_quantization." + std::string(group.name) +
                            ".scale gives every number a scale of its own, which represents it exactly: use " + advice +
                            ", or set its range");
        }
    }
}

bool any_active(const FakeQuantization& options) {
    const QuantizerOptions* groups[] = {&options.a_re,        &options.a_im,   &options.step,    &options.abar,
                                        &options.bbar,        &options.c,      &options.d,       &options.state,
                                        &options.activations, &options.mixing, &options.encoder, &options.decoder,
                                        &options.biases};
    return options.state_limit > 0.0 || options.output_limit > 0.0 ||
           std::any_of(std::begin(groups), std::end(groups),
                       [](const QuantizerOptions* group) { return group->active(); });
}

QuantizerOptions indirect_state_quantizer(const QuantizerOptions& state) {
    QuantizerOptions options = state;
    options.bits = state.bits - 1;
    return options;
}

void check_convolution(const FakeQuantization& options) {
    if (options.state_limit > 0.0) {
        throw UserError(
            "'state_limit' clips states, and mode 'convolution' has none: set it to 0, or mode 'recurrent'");
    }
    if (options.output_limit > 0.0 || options.requantize_products) {
        throw UserError("'output_limit' and 'requantize_products' belong to the recurrence: set mode 'recurrent'");
    }
    if (!options.state.active()) {
        return;
    }
    const auto refuse = [](const std::string& reason) {
        throw UserError("mode 'convolution' quantizes states indirectly, through impulse response and kernel input: " +
                        reason);
    };
    if (options.state.rounding == StateRounding::dithered) {
        refuse("state.rounding 'dithered' is a rounding of states step by step; use mode 'recurrent'");
    }
    if (options.state.scale == ScaleGranularity::mode) {
        refuse("an impulse response is the sum of all modes of its head; use state.scale 'tensor' or 'head'");
    }
    if (options.state.ranges != RangeSource::fixed || options.state.percentile < 100.0 ||
        options.state.quantizer == Quantizer::asymmetric) {
        refuse("it is defined for whole ranges of 'max_scale' and 'symmetric' quantizers, state.ranges 'fixed'");
    }
    if (options.state.range > 0.0) {
        refuse("state.range is a range of states; leave it at 0");
    }
    const int fewest = options.state.quantizer == Quantizer::max_scale ? 2 : 3;
    if (options.state.bits < fewest) {
        refuse("half the levels of state.bits = " + std::to_string(options.state.bits) +
               " leave nothing but zero; give at least " + std::to_string(fewest));
    }
}

}  // namespace imssa

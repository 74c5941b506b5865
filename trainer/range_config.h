#pragma once

#include <array>
#include <string>
#include <utility>

#include "models/common/error.h"

namespace imssa {

/// What sets the full scale of a converter: the largest magnitude seen, a percentile of all magnitudes seen (values
/// beyond it saturate), or numbers of the user's.
enum class RangeMethod { max, percentile, fixed };

constexpr auto enum_names(RangeMethod) {
    return std::array{std::pair{"max", RangeMethod::max}, std::pair{"percentile", RangeMethod::percentile},
                      std::pair{"fixed", RangeMethod::fixed}};
}

/// Calibration of the converter ranges. Real units of the float network; `fixed` ranges hold for all layers, heads and
/// modes.
struct RangeConfig {
    RangeMethod method = RangeMethod::max;
    double percentile = 99.99;  ///< of the magnitudes of a quantity over steps, sequences and channels
    double encoder = 0.0, kernel_output = 0.0, activation = 0.0, mixing = 0.0, output = 0.0;
    double state = 0.0;         ///< |x| with Bbar
    double increment = 0.0;     ///< |x_t - x_t-1| with Bbar
    double folded_state = 0.0;  ///< |x| with B = 1
    double pooled = 0.0, logits = 0.0;

    void validate() const {
        if (!(percentile > 0.0 && percentile <= 100.0)) {
            throw UserError("ranges.percentile = " + std::to_string(percentile) +
                            " is out of range: set it above 0 and to at most 100");
        }
        const std::pair<const char*, double> fixed[] = {{"encoder", encoder},       {"kernel_output", kernel_output},
                                                        {"activation", activation}, {"mixing", mixing},
                                                        {"output", output},         {"state", state},
                                                        {"increment", increment},   {"folded_state", folded_state},
                                                        {"pooled", pooled},         {"logits", logits}};
        for (const auto& [key, value] : fixed) {
            if (method == RangeMethod::fixed ? !(value > 0.0) : value != 0.0) {
                throw UserError(std::string("ranges.") + key + " = " + std::to_string(value) +
                                (method == RangeMethod::fixed ? ": ranges.method = 'fixed' needs a positive range"
                                                              : " needs ranges.method = 'fixed'"));
            }
        }
    }
};

template <class Visitor>
void visit_fields(Visitor& visit, RangeConfig& config) {
    visit("method", config.method);
    visit("percentile", config.percentile);
    visit("encoder", config.encoder);
    visit("kernel_output", config.kernel_output);
    visit("activation", config.activation);
    visit("mixing", config.mixing);
    visit("output", config.output);
    visit("state", config.state);
    visit("increment", config.increment);
    visit("folded_state", config.folded_state);
    visit("pooled", config.pooled);
    visit("logits", config.logits);
}

}  // namespace imssa

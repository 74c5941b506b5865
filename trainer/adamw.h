#pragma once

#include <cstdint>
#include <string>

#include "models/network/parameters.h"

namespace imssa {

struct AdamWOptions {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = 0.01;  ///< on mixing, encoder and decoder weights only
};

/// Moments of AdamW and the number of steps taken.
struct AdamWState {
    NetworkParameters first, second;
    std::int64_t steps = 0;
};

enum class ParameterGroup { weight, state_space, other };

/// weight: encoder, mixing, decoder matrices; state_space: log_neg_re, im, log_dt, b_re, b_im (learning rate of their
/// own, no decay).
ParameterGroup parameter_group(const std::string& tensor_name);

/// AdamW (Loshchilov and Hutter, ICLR 2019): decoupled weight decay.
class AdamW {
public:
    AdamW(const ModelConfig& config, const AdamWOptions& options);

    void step(NetworkParameters& parameters, const NetworkParameters& gradient, double learning_rate,
              double state_space_learning_rate);

    AdamWState& state() { return state_; }
    const AdamWState& state() const { return state_; }

private:
    AdamWOptions options_;
    AdamWState state_;
};

/// Learning rate factor at a step: linear over the warm-up, then half a cosine from 1 to 0 at the last step.
double cosine_schedule(std::int64_t step, std::int64_t steps, std::int64_t warmup_steps);

/// Euclidean norm over all tensors. Throws NumericalError naming the tensor when an element is not finite; `where`
/// tells epoch and step.
double gradient_norm(const NetworkParameters& gradient, const std::string& where);

/// Multiplies the gradient so that its norm is at most `limit`.
void clip_gradient(NetworkParameters& gradient, double norm, double limit);

}  // namespace imssa

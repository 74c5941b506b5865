#include "trainer/adamw.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/common/error.h"

namespace imssa {

namespace {

struct TensorView {
    std::string name;
    float* data;
    Eigen::Index size;
};

std::vector<TensorView> views(NetworkParameters& parameters) {
    std::vector<TensorView> list;
    for_each_tensor(parameters, [&list](const std::string& name, float* data, Eigen::Index size) {
        list.push_back({name, data, size});
    });
    return list;
}

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

ParameterGroup parameter_group(const std::string& name) {
    if (name == "encoder" || name == "decoder" || ends_with(name, ".mixing")) {
        return ParameterGroup::weight;
    }
    if (ends_with(name, ".log_neg_re") || ends_with(name, ".im") || ends_with(name, ".log_dt") ||
        ends_with(name, ".b_re") || ends_with(name, ".b_im")) {
        return ParameterGroup::state_space;
    }
    return ParameterGroup::other;
}

AdamW::AdamW(const ModelConfig& config, const AdamWOptions& options) : options_(options) {
    state_.first = zero_parameters(config);
    state_.second = zero_parameters(config);
}

void AdamW::step(NetworkParameters& parameters, const NetworkParameters& gradient, double learning_rate,
                 double state_space_learning_rate) {
    ++state_.steps;
    const double first_correction = 1.0 - std::pow(options_.beta1, static_cast<double>(state_.steps));
    const double second_correction = 1.0 - std::pow(options_.beta2, static_cast<double>(state_.steps));
    const std::vector<TensorView> values = views(parameters);
    const std::vector<TensorView> gradients = views(const_cast<NetworkParameters&>(gradient));  // read only
    const std::vector<TensorView> first = views(state_.first);
    const std::vector<TensorView> second = views(state_.second);
    for (std::size_t tensor = 0; tensor < values.size(); ++tensor) {
        const ParameterGroup group = parameter_group(values[tensor].name);
        const double rate = group == ParameterGroup::state_space ? state_space_learning_rate : learning_rate;
        const double decay = group == ParameterGroup::weight ? rate * options_.weight_decay : 0.0;
        for (Eigen::Index index = 0; index < values[tensor].size; ++index) {
            const double g = gradients[tensor].data[index];
            const double m = options_.beta1 * first[tensor].data[index] + (1.0 - options_.beta1) * g;
            const double v = options_.beta2 * second[tensor].data[index] + (1.0 - options_.beta2) * g * g;
            first[tensor].data[index] = static_cast<float>(m);
            second[tensor].data[index] = static_cast<float>(v);
            const double update = (m / first_correction) / (std::sqrt(v / second_correction) + options_.epsilon);
            const double value = values[tensor].data[index];
            values[tensor].data[index] = static_cast<float>(value - decay * value - rate * update);
        }
    }
}

double cosine_schedule(std::int64_t step, std::int64_t steps, std::int64_t warmup_steps) {
    constexpr double kPi = 3.14159265358979323846;
    if (step < warmup_steps) {
        return static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
    }
    const std::int64_t span = std::max<std::int64_t>(steps - warmup_steps, 1);
    const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) / static_cast<double>(span));
    return 0.5 * (1.0 + std::cos(kPi * progress));
}

double gradient_norm(const NetworkParameters& gradient, const std::string& where) {
    double sum = 0.0;
    for_each_tensor(gradient, [&](const std::string& name, const float* data, Eigen::Index size) {
        double squares = 0.0;
        for (Eigen::Index index = 0; index < size; ++index) {
            squares += static_cast<double>(data[index]) * data[index];
        }
        if (!std::isfinite(squares)) {
            throw NumericalError("the gradient of tensor '" + name + "' is not finite at " + where +
                                 "; use a smaller learning rate or gradient_clip");
        }
        sum += squares;
    });
    return std::sqrt(sum);
}

void clip_gradient(NetworkParameters& gradient, double norm, double limit) {
    if (norm <= limit) {
        return;
    }
    const float factor = static_cast<float>(limit / norm);
    for_each_tensor(gradient, [factor](const std::string&, float* data, Eigen::Index size) {
        for (Eigen::Index index = 0; index < size; ++index) {
            data[index] *= factor;
        }
    });
}

}  // namespace imssa

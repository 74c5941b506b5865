#include "trainer/fake_paper_figures.h"

#include <algorithm>
#include <cstdio>

namespace imssa {

namespace {

constexpr int kFloatBits = 32;

int bits_of(const QuantizerOptions& options) {
    return options.active() ? options.bits : kFloatBits;
}

/// B = 1 takes neither memory nor products.
bool counts_b(const ModelConfig& model, const FakeQuantization& options) {
    return model.trained_b || options.bbar.active();
}

KernelTotal kernels_left(const NetworkParameters& parameters) {
    KernelTotal total;
    for (const LayerParameters& layer : parameters.layers) {
        int kernels = 0, most_modes = 0;
        for (Eigen::Index head = 0; head < layer.d.size(); ++head) {
            int modes = 0;
            for (Eigen::Index mode = 0; mode < layer.c_re.cols(); ++mode) {
                modes += layer.c_re(head, mode) != 0.0F || layer.c_im(head, mode) != 0.0F ? 1 : 0;
            }
            if ((modes > 0 || layer.d(head) != 0.0F) && !layer.mixing.col(head).isZero(0.0F)) {
                ++kernels;
                most_modes = std::max(most_modes, modes);
            }
        }
        // A layer keeps one kernel, and a kernel one mode.
        kernels = std::max(1, kernels);
        total.kernels += kernels;
        total.states += 2.0 * kernels * std::max(1, most_modes);
    }
    return total;
}

template <class... Values>
std::string line(const char* format, Values... values) {
    char text[160];
    std::snprintf(text, sizeof(text), format, values...);
    return text;
}

/// "a 5, b 32, ...", as many a line as fit.
std::vector<std::string> bits_lines(const ModelConfig& model, const FakeQuantization& options) {
    constexpr std::size_t kWidth = 100;
    std::vector<std::string> lines = {"bits of the groups: "};
    const std::vector<GroupBits> groups = group_bits(model, options);
    for (std::size_t index = 0; index < groups.size(); ++index) {
        const std::string item =
            groups[index].name + " " + std::to_string(groups[index].bits) + (index + 1 < groups.size() ? ", " : "");
        if (lines.back().size() + item.size() > kWidth) {
            lines.emplace_back("  ");
        }
        lines.back() += item;
    }
    lines.emplace_back("  (32: not quantized; 1: ternary)");
    return lines;
}

}  // namespace

std::vector<GroupBits> group_bits(const ModelConfig& model, const FakeQuantization& options) {
    std::vector<GroupBits> groups;
    if (options.abar.active()) {
        groups.push_back({"abar", options.abar.bits});
    } else {
        groups.push_back({"a_re", bits_of(options.a_re)});
        groups.push_back({"a_im", bits_of(options.a_im)});
        groups.push_back({"step", bits_of(options.step)});
    }
    if (counts_b(model, options)) {
        groups.push_back({"bbar", bits_of(options.bbar)});
    }
    groups.push_back({"c", bits_of(options.c)});
    groups.push_back({"d", bits_of(options.d)});
    groups.push_back({"state", bits_of(options.state)});
    groups.push_back({"activations", bits_of(options.activations)});
    groups.push_back({"mixing", bits_of(options.mixing)});
    groups.push_back({"encoder", bits_of(options.encoder)});
    groups.push_back({"decoder", bits_of(options.decoder)});
    groups.push_back({"biases", bits_of(options.biases)});
    return groups;
}

PaperBits paper_bits(const ModelConfig& model, const FakeQuantization& options) {
    PaperBits bits;
    bits.a = options.abar.active() ? options.abar.bits : 0.5 * (bits_of(options.a_re) + bits_of(options.a_im));
    bits.b = counts_b(model, options) ? bits_of(options.bbar) : 0.0;
    bits.c = bits_of(options.c);
    bits.state = bits_of(options.state);
    bits.activation = bits_of(options.activations);
    bits.mixing = bits_of(options.mixing);
    bits.coder = bits_of(options.encoder);
    bits.decoder = bits_of(options.decoder);
    bits.step = bits_of(options.step);
    return bits;
}

FakePaperFigures fake_paper_figures(const ModelConfig& model, const NetworkParameters& parameters,
                                    const FakeQuantization& options) {
    FakePaperFigures figures;
    figures.model = {model.layers, model.heads, model.states, model.channels, model.classes, kernels_left(parameters)};
    figures.bits = paper_bits(model, options);
    figures.ace = arithmetic_computation_effort(figures.model, figures.bits);
    figures.model_size_bits = paper_model_size_bits(figures.model, figures.bits);
    figures.adc_complexity = adc_complexity(figures.model, figures.bits);
    MemoryBits memory;
    memory.bits = figures.bits;
    memory.d = bits_of(options.d);
    memory.bias = bits_of(options.biases);
    memory.glu = model.glu;
    memory.norm = model.norm == Norm::layer;
    memory.discrete = options.abar.active();
    figures.memory = inference_memory(figures.model, memory);
    return figures;
}

std::vector<std::string> fake_paper_report(const ModelConfig& model, const NetworkParameters& parameters,
                                           const FakeQuantization& options) {
    const FakePaperFigures figures = fake_paper_figures(model, parameters, options);
    std::vector<std::string> lines = bits_lines(model, options);
    lines.emplace_back("the papers' metrics (QS4D, arXiv 2507.06079) of a step at these bits:");
    lines.push_back(line("  computation effort (ACE) %.10g bit^2", figures.ace));
    lines.push_back(line("  model size               %.10g bits", figures.model_size_bits));
    lines.push_back(line("  ADC complexity           %.10g bits", figures.adc_complexity));
    lines.push_back(line("  memory                   parameters %.10g, states %.10g, activations %.10g bits",
                         figures.memory.parameters, figures.memory.states, figures.memory.activations));
    const KernelTotal all = PaperModel{model.layers, model.heads, model.states}.kernels();
    const KernelTotal left = figures.model.kernels();
    if (left.kernels < all.kernels || left.states < all.states) {
        lines.push_back(line("  counted without what is pruned: %.0f of %.0f kernels, %.0f of %.0f states",
                             left.kernels, all.kernels, left.states, all.states));
    }
    return lines;
}

}  // namespace imssa

#include "models/chip/vcd_trace.h"

#include <algorithm>
#include <fstream>
#include <numeric>

#include "models/chip/timing_model.h"

namespace imssa {

namespace {

std::vector<int> chosen(const std::vector<int>& asked, int available, const char* what) {
    std::vector<int> all(static_cast<std::size_t>(available));
    std::iota(all.begin(), all.end(), 0);
    for (const int index : asked) {
        if (index < 0 || index >= available) {
            throw UserError("the trace asks for " + std::string(what) + " " + std::to_string(index) +
                            " but the chip has " + std::to_string(available));
        }
    }
    return asked.empty() ? all : asked;
}

void check_units(const std::vector<std::string>& asked) {
    const std::vector<std::string> known = {"encoder", "kernel",     "mixing",  "layer_unit",
                                            "pooling", "classifier", "channels"};
    for (const std::string& unit : asked) {
        if (std::find(known.begin(), known.end(), unit) == known.end()) {
            throw UserError("the trace asks for the unit '" + unit +
                            "': choose from encoder, kernel, mixing, layer_unit, pooling, classifier, channels");
        }
    }
}

std::string without_extension(const std::string& path) {
    const std::string extension = ".vcd";
    const bool has = path.size() > extension.size() &&
                     path.compare(path.size() - extension.size(), extension.size(), extension) == 0;
    return has ? path.substr(0, path.size() - extension.size()) : path;
}

}  // namespace

VcdTrace::VcdTrace(Chip& chip, const std::string& path, const VcdSelection& selection) : units_(selection.units) {
    check_units(selection.units);
    const std::string stem = without_extension(path);
    const std::vector<int> layers = chosen(selection.layers, chip.layer_count(), "layer");
    int kernels = chip.network().model.heads;
    int kept_modes = chip.network().model.modes();
    for (const DeployedLayer& layer : chip.network().layers) {
        kernels = std::min(kernels, layer.kernel_count());
        kept_modes = std::min(kept_modes, layer.kernels.front().modes);
    }
    const std::vector<int> heads = chosen(selection.heads, kernels, "head");
    const std::vector<int> modes = chosen(selection.modes, kept_modes, "mode");
    const int steps = chip.network().steps;
    if (selection.first_step < 0 || selection.first_step >= steps || selection.last_step >= steps ||
        (selection.last_step >= 0 && selection.last_step < selection.first_step)) {
        throw UserError("the trace asks for the steps " + std::to_string(selection.first_step) + " to " +
                        std::to_string(selection.last_step) + " but a sequence has the steps 0 to " +
                        std::to_string(steps - 1));
    }
    if (!std::ofstream(stem + ".vcd")) {
        throw UserError("cannot write the trace '" + stem + ".vcd': check that its folder exists and is writable");
    }
    chip.trace_phases();
    file_ = sc_core::sc_create_vcd_trace_file(stem.c_str());
    sc_core::sc_report_handler::set_actions("tracing timescale unit set", sc_core::SC_DO_NOTHING);
    file_->set_time_unit(1, sc_core::SC_PS);
    trace_units(chip);
    for (const int layer : layers) {
        trace_layer(chip.layer(layer));
        if (!shows("kernel")) {
            continue;
        }
        KernelSequencer& kernel = chip.layer(layer).kernel();
        kernel.trace_heads(heads);
        kernel.trace_window(selection.first_step, selection.last_step);
        trace_kernel(kernel, modes);
    }
}

VcdTrace::~VcdTrace() {
    if (file_ != nullptr) {
        sc_core::sc_close_vcd_trace_file(file_);
    }
}

bool VcdTrace::shows(const char* unit) const {
    return units_.empty() || std::find(units_.begin(), units_.end(), unit) != units_.end();
}

void VcdTrace::trace_busy(const sc_core::sc_module& unit, const bool& flag) {
    sc_core::sc_trace(file_, flag, std::string(unit.name()) + ".busy");
}

void VcdTrace::trace_occupancy(const TokenChannel& channel) {
    sc_core::sc_trace(file_, channel.occupancy(), std::string(channel.name()) + ".occupancy", 8);
}

void VcdTrace::trace_layer(const ChipLayer& layer) {
    if (shows("kernel")) {
        trace_busy(layer.kernel(), layer.kernel().signals().busy);
    }
    if (shows("mixing")) {
        trace_busy(layer.mixing(), layer.mixing().busy());
    }
    if (shows("layer_unit")) {
        trace_busy(layer.unit(), layer.unit().busy());
    }
    if (shows("channels")) {
        trace_occupancy(layer.kernel_output());
        trace_occupancy(layer.mixing_output());
    }
}

void VcdTrace::trace_units(const Chip& chip) {
    if (shows("encoder")) {
        trace_busy(chip.encoder(), chip.encoder().busy());
    }
    if (shows("pooling")) {
        trace_busy(chip.pooling(), chip.pooling().busy());
    }
    if (shows("channels")) {
        for (const std::unique_ptr<TokenChannel>& channel : chip.channels()) {
            trace_occupancy(*channel);
        }
    }
    if (!shows("classifier")) {
        return;
    }
    trace_busy(chip.classifier(), chip.classifier().busy());
    const std::vector<int>& logits = chip.classifier().logit_signals();
    for (std::size_t label = 0; label < logits.size(); ++label) {
        sc_core::sc_trace(file_, logits[label],
                          std::string(chip.classifier().name()) + ".logit_" + std::to_string(label), 16);
    }
}

void VcdTrace::trace_kernel(const KernelSequencer& kernel, const std::vector<int>& modes) {
    const std::string prefix = std::string(kernel.name()) + ".";
    const KernelSignals& signals = kernel.signals();
    sc_core::sc_trace(file_, signals.phase, prefix + "phase", 4);
    sc_core::sc_trace(file_, signals.round, prefix + "round", 8);
    sc_core::sc_trace(file_, signals.step, prefix + "step", 24);
    for (const HeadSignals& head : signals.heads) {
        trace_head(std::string(kernel.head(head.head).name()) + ".", head, modes);
    }
}

void VcdTrace::trace_head(const std::string& prefix, const HeadSignals& signals, const std::vector<int>& modes) {
    for (const int mode : modes) {
        const std::size_t re = 2 * static_cast<std::size_t>(mode);
        const std::string number = std::to_string(mode);
        sc_core::sc_trace(file_, signals.registers[re], prefix + "registers.re_" + number, 24);
        sc_core::sc_trace(file_, signals.registers[re + 1], prefix + "registers.im_" + number, 24);
    }
    for (std::size_t input = 0; input < signals.dac.size(); ++input) {
        sc_core::sc_trace(file_, signals.dac[input], prefix + "dac.code_" + std::to_string(input), 16);
    }
    for (std::size_t output = 0; output < signals.adc.size(); ++output) {
        sc_core::sc_trace(file_, signals.adc[output], prefix + "adc.code_" + std::to_string(output), 16);
    }
}

std::string waveform_layout(const DeployedNetwork& network, const ChipConfig& config) {
    const DeployedLayer& layer = network.layers.front();
    const KernelOptions& kernel = layer.kernels.front().options;
    if (kernel_step_cycles(layer, config).banks > 1) {
        return "traces/time_multiplexed.gtkw";
    }
    if (kernel.mapping == KernelMapping::digital_decay) {
        return kernel.form == OutputForm::current ? "traces/imssa.gtkw" : "traces/digital_decay_immediate.gtkw";
    }
    if (kernel.form == OutputForm::delayed) {
        return "traces/fused_delayed.gtkw";
    }
    return kernel.representation == StateRepresentation::abar_delta ? "traces/abar_delta.gtkw"
                                                                    : "traces/fused_immediate.gtkw";
}

}  // namespace imssa

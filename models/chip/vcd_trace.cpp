#include "models/chip/vcd_trace.h"

#include <algorithm>
#include <fstream>
#include <numeric>

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

std::string without_extension(const std::string& path) {
    const std::string extension = ".vcd";
    const bool has = path.size() > extension.size() &&
                     path.compare(path.size() - extension.size(), extension.size(), extension) == 0;
    return has ? path.substr(0, path.size() - extension.size()) : path;
}

}  // namespace

VcdTrace::VcdTrace(Chip& chip, const std::string& path, const VcdSelection& selection) {
    const std::string stem = without_extension(path);
    const std::vector<int> layers = chosen(selection.layers, chip.layer_count(), "layer");
    const std::vector<int> heads = chosen(selection.heads, chip.network().model.heads, "head");
    const std::vector<int> modes = chosen(selection.modes, chip.network().model.modes(), "mode");
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

void VcdTrace::trace_units(const Chip& chip) {
    const auto busy = [this](const sc_core::sc_module& unit, const bool& flag) {
        sc_core::sc_trace(file_, flag, std::string(unit.name()) + ".busy");
    };
    const auto occupancy = [this](const TokenChannel& channel) {
        sc_core::sc_trace(file_, channel.occupancy(), std::string(channel.name()) + ".occupancy", 8);
    };
    busy(chip.encoder(), chip.encoder().busy());
    for (int index = 0; index < chip.layer_count(); ++index) {
        const ChipLayer& layer = chip.layer(index);
        busy(layer.kernel(), layer.kernel().signals().busy);
        busy(layer.mixing(), layer.mixing().busy());
        busy(layer.unit(), layer.unit().busy());
        occupancy(layer.kernel_output());
        occupancy(layer.mixing_output());
    }
    busy(chip.pooling(), chip.pooling().busy());
    busy(chip.classifier(), chip.classifier().busy());
    for (const std::unique_ptr<TokenChannel>& channel : chip.channels()) {
        occupancy(*channel);
    }
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

}  // namespace imssa

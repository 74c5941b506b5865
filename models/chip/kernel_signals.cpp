#include "models/chip/kernel_signals.h"

#include <algorithm>

namespace imssa {

namespace {

void first_lane(const LaneMatrix& codes, std::vector<int>& out) {
    for (int channel = 0; channel < codes.channels(); ++channel) {
        out[static_cast<std::size_t>(channel)] = static_cast<int>(codes(channel, 0));
    }
}

}  // namespace

void KernelSignals::add_head(int head, const DeployedKernel& kernel) {
    HeadSignals signals;
    signals.head = head;
    signals.registers.assign(static_cast<std::size_t>(kernel.state_components()), 0);
    signals.dac.assign(static_cast<std::size_t>(kernel.array.inputs()), 0);
    signals.adc.assign(static_cast<std::size_t>(kernel.array.outputs()), 0);
    signals.next_registers = signals.registers;
    signals.next_dac = signals.dac;
    signals.next_adc = signals.adc;
    heads.push_back(signals);
}

void KernelSignals::capture(int head, const KernelScratch& scratch, const StateRegisterFile& registers) {
    for (HeadSignals& signals : heads) {
        if (signals.head != head) {
            continue;
        }
        first_lane(scratch.inputs, signals.next_dac);
        first_lane(scratch.codes, signals.next_adc);
        for (int component = 0; component < registers.components(); ++component) {
            signals.next_registers[static_cast<std::size_t>(component)] = registers.row(component)[0];
        }
    }
}

void KernelSignals::show_cleared() {
    for (HeadSignals& signals : heads) {
        std::fill(signals.registers.begin(), signals.registers.end(), 0);
    }
}

void KernelSignals::show_dac() {
    for (HeadSignals& signals : heads) {
        std::copy(signals.next_dac.begin(), signals.next_dac.end(), signals.dac.begin());
    }
}

void KernelSignals::show_round(int round_index, const ArrayReadCycles& cycles) {
    // Converter a serves the outputs a * rounds ... a * rounds + rounds - 1, one a round.
    for (HeadSignals& signals : heads) {
        for (std::size_t output = static_cast<std::size_t>(round_index); output < signals.adc.size();
             output += static_cast<std::size_t>(cycles.rounds)) {
            signals.adc[output] = signals.next_adc[output];
        }
    }
}

void KernelSignals::show_registers() {
    for (HeadSignals& signals : heads) {
        std::copy(signals.next_registers.begin(), signals.next_registers.end(), signals.registers.begin());
    }
}

}  // namespace imssa

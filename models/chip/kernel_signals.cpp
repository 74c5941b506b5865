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

void KernelSignals::add_head(int head, const DeployedKernel& kernel, const HeadPlace& place) {
    HeadSignals signals;
    signals.head = head;
    signals.place = place;
    signals.registers.assign(static_cast<std::size_t>(kernel.state_components()), 0);
    signals.dac.assign(static_cast<std::size_t>(kernel.array.inputs()), 0);
    signals.adc.assign(static_cast<std::size_t>(kernel.array.outputs()), 0);
    signals.next_registers = signals.registers;
    signals.next_dac = signals.dac;
    signals.next_adc = signals.adc;
    heads.push_back(signals);
}

void KernelSignals::capture(int head, const LaneMatrix& inputs, const LaneMatrix& codes,
                            const StateRegisterFile& registers) {
    for (HeadSignals& signals : heads) {
        if (signals.head != head) {
            continue;
        }
        first_lane(inputs, signals.next_dac);
        first_lane(codes, signals.next_adc);
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

void KernelSignals::show_dac(int bank, int read) {
    if (!in_window()) {
        return;
    }
    for (HeadSignals& signals : heads) {
        if (signals.place.bank != bank || signals.place.read != read) {
            continue;
        }
        std::copy(signals.next_dac.begin(), signals.next_dac.end(), signals.dac.begin());
    }
}

void KernelSignals::show_round(int round_index, const ArrayReadCycles& cycles, int bank, int read) {
    if (!in_window()) {
        return;
    }
    // Converter a serves the outputs a * rounds ... a * rounds + rounds - 1 of the tile, one a round.
    for (HeadSignals& signals : heads) {
        if (signals.place.bank != bank || signals.place.read != read) {
            continue;
        }
        for (std::size_t output = 0; output < signals.adc.size(); ++output) {
            const int position = signals.place.first_output + static_cast<int>(output);
            if (position % cycles.rounds == round_index) {
                signals.adc[output] = signals.next_adc[output];
            }
        }
    }
}

void KernelSignals::show_registers(int bank) {
    if (!in_window()) {
        return;
    }
    for (HeadSignals& signals : heads) {
        if (bank >= 0 && signals.place.bank != bank) {
            continue;
        }
        std::copy(signals.next_registers.begin(), signals.next_registers.end(), signals.registers.begin());
    }
}

}  // namespace imssa

#include "models/array/input_stage.h"

#include <algorithm>
#include <cmath>

#include "models/array/unit_elements.h"
#include "models/common/lane_table.h"
#include "models/common/random.h"
#include "models/network/quantizer.h"

namespace imssa {

namespace {

/// Output of one converter for every magnitude 0 ... limit, in its own codes: binary-weighted unit elements, the sum of
/// which is full scale, and a gain error.
std::vector<double> dac_levels(const DacConfig& dac, int limit, const CounterRandom& random, int input) {
    const std::uint64_t first = static_cast<std::uint64_t>(input) << 32;
    std::vector<double> elements;
    double total = 0.0;
    double ideal = 0.0;
    for (int bit = 0; (1 << bit) <= limit; ++bit) {
        const double count = std::ldexp(1.0, bit);
        const double normal =
            dac.unit_mismatch_sigma == 0.0 ? 0.0 : random.normal(first + 1 + static_cast<std::uint64_t>(bit));
        elements.push_back(element_size(count, dac.unit_mismatch_sigma * std::sqrt(count) * normal));
        total += elements.back();
        ideal += count;
    }
    const double gain = dac.gain_sigma == 0.0 ? 1.0 : 1.0 + dac.gain_sigma * random.normal(first);
    std::vector<double> levels;
    for (int magnitude = 0; magnitude <= limit; ++magnitude) {
        double level = 0.0;
        for (std::size_t bit = 0; bit < elements.size(); ++bit) {
            level += ((magnitude >> bit) & 1) != 0 ? elements[bit] : 0.0;
        }
        levels.push_back(gain * level * ideal / total);
    }
    return levels;
}

}  // namespace

InputStage::InputStage(const ReadConfig& read, const QuantizedMatrix& matrix, std::uint64_t seed, std::uint32_t drivers,
                       int inputs_a_read)
    : limit_(matrix.input_limit), grid_(code_grid(matrix.input_limit, read.dac.bits)) {
    const bool amplitude = read.input == InputMode::amplitude;
    const bool bent = amplitude && read.iv_cubic_per_volt2 != 0.0;
    const bool even = read.iv_quadratic_per_volt != 0.0;
    const CounterRandom random(seed, RandomPurpose::dac, drivers);
    for (int input = 0; input < matrix.inputs() && (bent || even || !read.dac.has_no_errors()); ++input) {
        const double drive = static_cast<double>(matrix.drive[static_cast<std::size_t>(input)]);
        const double volt_per_code = read.v_read_volt * drive / limit_;
        const std::vector<double> levels = dac_levels(read.dac, static_cast<int>(grid_.limit), random,
                                                      inputs_a_read > 0 ? input % inputs_a_read : input);
        for (int code = -limit_; code <= limit_; ++code) {
            // Only multiples of the step are driven.
            const int own = std::min(static_cast<int>(grid_.limit), std::abs(code) / static_cast<int>(grid_.step));
            const double level = static_cast<double>(grid_.step) * levels[static_cast<std::size_t>(own)];
            const double volt = level * volt_per_code;
            const double factor = bent ? 1.0 + read.iv_cubic_per_volt2 * volt * volt : 1.0;
            value_.push_back(static_cast<float>((code < 0 ? -level : level) * factor));
            if (even) {
                const double pulse_volt = amplitude ? volt : read.v_read_volt;
                even_.push_back(static_cast<float>(level * read.iv_quadratic_per_volt * pulse_volt));
            }
        }
    }
    if (amplitude) {
        return;
    }
    for (int code = -limit_; code <= limit_; ++code) {
        const int magnitude = std::abs(code);
        double power = static_cast<double>(code) * code;
        double on_time = static_cast<double>(magnitude) / limit_;
        if (read.input == InputMode::bit_serial) {
            power = 0.0;
            on_time = 0.0;
            for (int bit = 0; (magnitude >> bit) != 0; ++bit) {
                const double set = (magnitude >> bit) & 1;
                power += set * std::ldexp(1.0, 2 * bit);
                on_time += set;
            }
        }
        noise_power_.push_back(static_cast<float>(power));
        on_time_.push_back(static_cast<float>(on_time));
    }
}

void InputStage::driven_codes(const LaneMatrix& codes, LaneMatrix& out) const {
    if (out.channels() != codes.channels() || out.lanes() != codes.lanes()) {
        out = LaneMatrix(codes.channels(), codes.lanes());
    }
    for (int input = 0; input < codes.channels(); ++input) {
        for (int lane = 0; lane < codes.stride(); lane += kLaneWidth) {
            store_lanes(out.row(input) + lane, grid_.step * imssa::convert(load_lanes(codes.row(input) + lane),
                                                                           1.0F / grid_.step, 0.0F, grid_.limit));
        }
    }
}

void InputStage::look_up(const Table& table, const LaneMatrix& codes, LaneMatrix& out) const {
    if (out.channels() != codes.channels() || out.lanes() != codes.lanes()) {
        out = LaneMatrix(codes.channels(), codes.lanes());
    }
    const std::size_t width = static_cast<std::size_t>(2 * limit_ + 1);
    const bool shared = table.size() == width;
    for (int input = 0; input < codes.channels(); ++input) {
        const float* values = table.data() + (shared ? 0 : static_cast<std::size_t>(input) * width) + limit_;
        const float* from = codes.row(input);
        float* to = out.row(input);
        for (int vector = 0; vector < codes.vectors(); ++vector) {
            const Lanes code = clamp(load_lanes(from + vector * kLaneWidth), broadcast(static_cast<float>(-limit_)),
                                     broadcast(static_cast<float>(limit_)));
            store_lanes(to + vector * kLaneWidth, gather(values, to_int(code)));
        }
        std::fill(to + codes.lanes(), to + out.stride(), 0.0F);
    }
}

}  // namespace imssa

#include "models/array/crossbar.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "models/array/lane_product.h"
#include "models/common/lane_math.h"
#include "models/common/random.h"

namespace imssa {

namespace {

void add(const LaneMatrix& from, LaneMatrix& to) {
    const float* source = from.row(0);
    float* sum = to.row(0);
    for (int i = 0; i < to.channels() * to.stride(); ++i) {
        sum[i] += source[i];
    }
}

LaneMatrix magnitudes(const LaneMatrix& codes) {
    LaneMatrix result(codes.channels(), codes.lanes());
    const float* source = codes.row(0);
    float* magnitude = result.row(0);
    for (int i = 0; i < codes.channels() * codes.stride(); ++i) {
        magnitude[i] = source[i] < 0.0F ? -source[i] : source[i];
    }
    return result;
}

/// One lane's energy of one read as a whole number of quanta of 2^-64 J (0.05 aJ). Sums of such numbers are exact below
/// 2^-11 J (0.49 mJ), so that totals do not depend on how lanes were grouped.
double whole_quanta(double joule) {
    constexpr double kPerJoule = 18446744073709551616.0;  // 2^64
    return std::nearbyint(joule * kPerJoule) / kPerJoule;
}

}  // namespace

void Crossbar::read(const LaneMatrix& input_codes, const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
                    LaneMatrix& sums, int block) const {
    assert(input_codes.channels() == inputs());
    assert(block >= 0 && block < blocks());
    assert(sequence_ids.size() == static_cast<std::size_t>(input_codes.lanes()));
    if (sums.channels() != outputs() || sums.lanes() != input_codes.lanes()) {
        sums = LaneMatrix(outputs(), input_codes.lanes());
    }
    if (!input_stage_.is_coarse()) {
        read_driven(input_codes, sequence_ids, step, block, sums);
        return;
    }
    LaneMatrix driven;
    input_stage_.driven_codes(input_codes, driven);
    read_driven(driven, sequence_ids, step, block, sums);
}

void Crossbar::read_driven(const LaneMatrix& input_codes, const std::vector<std::uint64_t>& sequence_ids,
                           std::uint32_t step, int block, LaneMatrix& sums) const {
    if (input_stage_.is_linear()) {
        lane_product(weights_, input_codes, sums);
    } else {
        LaneMatrix values;
        input_stage_.values(input_codes, values);
        lane_product(weights_, values, sums);
        if (input_stage_.has_even_part()) {
            LaneMatrix even_sums(outputs(), input_codes.lanes());
            input_stage_.even_values(input_codes, values);
            lane_product(even_weights_, values, even_sums);
            add(even_sums, sums);
        }
    }
    if (noise_variance_.size() == 0 && shot_variance_.size() == 0 && thermal_variance_.size() == 0) {
        return;
    }
    LaneMatrix variances(outputs(), input_codes.lanes());
    noise_variances(input_codes, block, variances);
    const std::vector<LanesUint> sequences = sequence_lanes(sequence_ids);
    for (int output = 0; output < outputs(); output += 4) {
        const std::uint32_t quad = static_cast<std::uint32_t>(output / 4);
        const int in_quad = std::min(4, outputs() - output);
        for (int vector = 0; vector < sums.vectors(); ++vector) {
            const NormalQuad normals = normal_quad(seed_, RandomPurpose::read_noise, tile_,
                                                   sequences[static_cast<std::size_t>(vector)], step, quad);
            for (int k = 0; k < in_quad; ++k) {
                float* sum = sums.row(output + k) + vector * kLaneWidth;
                const Lanes sigma = square_root(load_lanes(variances.row(output + k) + vector * kLaneWidth));
                store_lanes(sum, multiply_add(sigma, normals.values[k], load_lanes(sum)));
            }
        }
    }
}

void Crossbar::noise_variances(const LaneMatrix& input_codes, int block, LaneMatrix& variances) const {
    LaneMatrix power;
    const bool needs_power =
        !input_stage_.is_amplitude() && (noise_variance_.size() > 0 || (shot_variance_.size() > 0 && bit_serial_));
    if (needs_power) {
        input_stage_.noise_power(input_codes, power);
    }
    if (noise_variance_.size() > 0 && input_stage_.is_amplitude()) {
        lane_product_of_squares(noise_variance_, input_codes, variances);
    } else if (noise_variance_.size() > 0) {
        lane_product(noise_variance_, power, variances);
    }
    if (shot_variance_.size() > 0) {
        LaneMatrix shot(outputs(), input_codes.lanes());
        if (!bit_serial_) {
            power = magnitudes(input_codes);
        }
        lane_product(shot_variance_, power, shot);
        add(shot, variances);
    }
    for (int output = 0; output < thermal_variance_.cols(); ++output) {
        const float variance = thermal_variance_(block, output);
        float* row = variances.row(output);
        for (int lane = 0; lane < variances.stride(); ++lane) {
            row[lane] += variance;
        }
    }
}

ReadEnergy Crossbar::read_energy(const LaneMatrix& input_codes) const {
    assert(input_codes.channels() == inputs());
    if (!input_stage_.is_coarse()) {
        return driven_read_energy(input_codes);
    }
    LaneMatrix driven;
    input_stage_.driven_codes(input_codes, driven);
    return driven_read_energy(driven);
}

ReadEnergy Crossbar::driven_read_energy(const LaneMatrix& input_codes) const {
    if (row_current_per_code_.size() > 0) {
        return wired_read_energy(input_codes);
    }
    if (!input_stage_.is_amplitude()) {
        return pulsed_read_energy(input_codes);
    }
    ReadEnergy energy;
    for (int vector = 0; vector < input_codes.vectors(); ++vector) {
        // In single precision per lane: at most one rounding an input, so within 1e-5 for any tile.
        Lanes device{};
        Lanes supply{};
        for (int i = 0; i < inputs(); ++i) {
            const Lanes code = load_lanes(input_codes.row(i) + vector * kLaneWidth);
            const Lanes magnitude = maximum(code, -code);
            const std::size_t at = static_cast<std::size_t>(i);
            device = multiply_add(code * code, broadcast(static_cast<float>(device_energy_per_code2_[at])), device);
            supply = multiply_add(magnitude, broadcast(static_cast<float>(supply_energy_per_code_[at])), supply);
        }
        const int lanes = std::min(kLaneWidth, input_codes.lanes() - vector * kLaneWidth);
        for (int lane = 0; lane < lanes; ++lane) {
            energy.device_j += whole_quanta(static_cast<double>(device[lane]));
            energy.supply_j += whole_quanta(static_cast<double>(supply[lane]));
        }
    }
    return energy;
}

ReadEnergy Crossbar::wired_read_energy(const LaneMatrix& input_codes) const {
    const int rows = static_cast<int>(row_current_per_code_.cols());
    const int rows_per_input = rows / inputs();
    LaneMatrix currents(rows, input_codes.lanes());
    lane_product(row_current_per_code_, input_codes, currents);
    ReadEnergy energy;
    for (int vector = 0; vector < input_codes.vectors(); ++vector) {
        Lanes device{};
        Lanes supply{};
        for (int row = 0; row < rows; ++row) {
            const int input = row / rows_per_input;
            const Lanes current = load_lanes(currents.row(row) + vector * kLaneWidth);
            const Lanes code = load_lanes(input_codes.row(input) + vector * kLaneWidth);
            const float joule = device_energy_per_ampere_[static_cast<std::size_t>(input)];
            // The second row of a pair is driven with the opposite voltage.
            const float factor = row % rows_per_input == 0 ? joule : -joule;
            device = multiply_add(code * current, broadcast(factor), device);
            supply = multiply_add(maximum(current, -current), broadcast(supply_energy_per_ampere_), supply);
        }
        const int lanes = std::min(kLaneWidth, input_codes.lanes() - vector * kLaneWidth);
        for (int lane = 0; lane < lanes; ++lane) {
            // What rows give each other may cancel but for its rounding.
            energy.device_j += whole_quanta(std::max(0.0, static_cast<double>(device[lane])));
            energy.supply_j += whole_quanta(static_cast<double>(supply[lane]));
        }
    }
    return energy;
}

ReadEnergy Crossbar::pulsed_read_energy(const LaneMatrix& input_codes) const {
    LaneMatrix on_time;
    input_stage_.on_time(input_codes, on_time);
    ReadEnergy energy;
    for (int lane = 0; lane < input_codes.lanes(); ++lane) {
        double device = 0.0;
        double supply = 0.0;
        for (int i = 0; i < inputs(); ++i) {
            const double time = static_cast<double>(on_time(i, lane));
            device += time * device_energy_per_code2_[static_cast<std::size_t>(i)];
            supply += time * supply_energy_per_code_[static_cast<std::size_t>(i)];
        }
        energy.device_j += whole_quanta(device);
        energy.supply_j += whole_quanta(supply);
    }
    return energy;
}

}  // namespace imssa

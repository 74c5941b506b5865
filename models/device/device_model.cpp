#include "models/device/device_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace imssa {

namespace {

constexpr double kMicro = 1e-6;  ///< published fits are in microsiemens
constexpr double kDay = 86400.0;

/// c0 + c1 x + c2 x^2 ...
template <std::size_t kCount>
double polynomial(const std::array<double, kCount>& coefficients, double x) {
    double value = 0.0;
    for (std::size_t i = kCount; i-- > 0;) {
        value = value * x + coefficients[i];
    }
    return value;
}

/// Drift and relaxation of the configuration's own keys.
double drifted_and_relaxed(const DeviceConfig& config, const CellState& cell, double time_s) {
    if (time_s == 0.0) {
        return cell.programmed;
    }
    double g = cell.programmed;
    if (config.drift_exponent != 0.0 || config.drift_exponent_sigma != 0.0) {
        const double exponent = config.drift_exponent + config.drift_exponent_sigma * cell.drift_normal;
        g *= std::pow((time_s + config.drift_start_s) / config.drift_start_s, -exponent);
    }
    return g + config.relaxation_sigma_siemens * cell.relaxation_normal;
}

class GenericModel final : public DeviceModel {
public:
    explicit GenericModel(const DeviceConfig& config) : config_(config) {}

    double programming_mean(double /*target*/) const override { return config_.programming_mean_siemens; }
    double programming_sigma(double target) const override {
        const double relative = config_.programming_sigma_relative * target;
        return relative == 0.0 ? config_.programming_sigma_siemens
                               : std::hypot(config_.programming_sigma_siemens, relative);
    }
    double aged(const CellState& cell, double time_s) const override {
        return drifted_and_relaxed(config_, cell, time_s);
    }

private:
    DeviceConfig config_;
};

/// Wan et al., Nature 2022 (NeuRRAM), fit of aihwkit: sigma(x) in uS at g_max = 40 uS.
class WanModel final : public DeviceModel {
public:
    explicit WanModel(const DeviceConfig& config) : g_max_(config.g_max_siemens) {}

    double programming_sigma(double target) const override { return sigma(target, 1.0); }
    double aged(const CellState& cell, double time_s) const override {
        const double growth = sigma(cell.target, time_s) - sigma(cell.target, 1.0);
        return cell.programmed + growth * cell.programming_normal;
    }

private:
    double sigma(double target, double time_s) const {
        constexpr std::array kSecond = {0.348, 16.030, -43.853, 45.393, -16.815};
        constexpr std::array kOneDay = {0.701, 22.086, -50.773, 47.095, -16.458};
        constexpr std::array kTwoDays = {0.782, 20.274, -43.507, 37.062, -11.934};
        const double x = target / g_max_;
        const double scale = g_max_ / 40.0;  // sigma in siemens for a window of g_max, from uS at 40 uS
        const double t = std::clamp(time_s, 1.0, 2.0 * kDay);
        const bool first_day = t <= kDay;
        const double from = first_day ? polynomial(kSecond, x) : polynomial(kOneDay, x);
        const double to = first_day ? polynomial(kOneDay, x) : polynomial(kTwoDays, x);
        const double part = first_day ? std::log(t) / std::log(kDay) : std::log(t / kDay) / std::log(2.0);
        return scale * (from + part * (to - from));
    }

    double g_max_;
};

/// Milo HfO2 as in CrossSim: sigma in uS falls with the conductance (50-225 uS).
class MiloModel final : public DeviceModel {
public:
    double programming_sigma(double target) const override {
        return std::max(0.0, 4.782 - 0.009107 * target / kMicro) * kMicro;
    }
    double aged(const CellState& cell, double /*time_s*/) const override { return cell.programmed; }
};

/// Falcone et al., arXiv 2502.04524: CMO/HfOx, absolute in uS (window 9-88.2 uS).
class CmoModel final : public DeviceModel {
public:
    CmoModel(const DeviceConfig& config, bool fine)
        : g_min_(config.g_min_siemens), g_max_(config.g_max_siemens), fine_(fine) {}

    double programming_sigma(double target) const override {
        const double g = target / kMicro;
        return kMicro * (fine_ ? 0.00081107 + 0.00106879 * g : 0.0112185391 + 0.01129027418 * g);
    }
    double aged(const CellState& cell, double time_s) const override {
        if (time_s == 0.0) {
            return cell.programmed;
        }
        const double log_time = std::log(std::max(time_s, 1.0));  // fitted from 1 s on
        const double mean = -0.08900206 * log_time;
        const double sigma = 0.04201137 * log_time + 0.41183342;
        return std::clamp(cell.programmed + kMicro * (mean + sigma * cell.relaxation_normal), g_min_, g_max_);
    }
    double read_sigma(const CellState& cell, double time_s) const override {
        constexpr double kReadTime = 1e-6;  // second
        const double g = cell.aged / kMicro;
        if (time_s <= kReadTime || g <= 1.0) {
            return 0.0;
        }
        return kMicro * 0.0277316483 * std::log10(g) * std::sqrt(std::log((time_s + kReadTime) / (2.0 * kReadTime)));
    }

private:
    double g_min_, g_max_;
    bool fine_;
};

/// Phase-change memory with power-law drift and accumulated 1/f noise (form of Nandakumar et al., ICECS 2019):
/// g(t) = g_prog ((t + t0) / t0)^-nu, sigma_read = g(t) Q(x) sqrt(ln((t + t0 + t_read) / (2 t_read))).
class PhaseChangeModel : public DeviceModel {
public:
    PhaseChangeModel(double g_max, double start_s, double read_s) : g_max_(g_max), start_s_(start_s), read_s_(read_s) {}

    double aged(const CellState& cell, double time_s) const final {
        if (time_s == 0.0) {
            return cell.programmed;
        }
        const double x = std::max(1e-7, cell.target / g_max_);
        const double exponent = std::abs(exponent_mean(x) + exponent_sigma(x) * cell.drift_normal);
        return cell.programmed * std::pow((time_s + start_s_) / start_s_, -exponent);
    }
    double read_sigma(const CellState& cell, double time_s) const final {
        const double x = cell.programmed / g_max_;
        if (x <= 0.0) {
            return 0.0;
        }
        const double t = time_s + start_s_;
        return cell.aged * noise_density(x) * std::sqrt(std::log((t + read_s_) / (2.0 * read_s_)));
    }

protected:
    virtual double exponent_mean(double x) const = 0;
    virtual double exponent_sigma(double x) const = 0;
    virtual double noise_density(double x) const = 0;
    double g_max() const { return g_max_; }

private:
    double g_max_, start_s_, read_s_;
};

/// Joshi et al. 2020 and Nandakumar et al. 2019, as in aihwkit: sigma in uS at g_max = 25 uS.
class JoshiModel final : public PhaseChangeModel {
public:
    explicit JoshiModel(const DeviceConfig& config) : PhaseChangeModel(config.g_max_siemens, 20.0, 250e-9) {}

    double programming_sigma(double target) const override {
        constexpr std::array kSigma = {0.26348, 1.9650, -1.1731};
        return g_max() / 25.0 * polynomial(kSigma, target / g_max());
    }

protected:
    double exponent_mean(double x) const override { return std::clamp(-0.0155 * std::log(x) + 0.0244, 0.049, 0.1); }
    double exponent_sigma(double x) const override { return std::clamp(-0.0125 * std::log(x) - 0.0059, 0.008, 0.045); }
    double noise_density(double x) const override { return std::min(0.0088 / std::max(std::pow(x, 0.65), 1e-3), 0.2); }
};

/// IBM HERMES chip (Le Gallo et al., Nat. Electron. 2023), as in aihwkit: one or two devices a cell.
class HermesModel final : public PhaseChangeModel {
public:
    HermesModel(const DeviceConfig& config, bool two)
        : PhaseChangeModel(config.g_max_siemens, two ? 300.0 : 200.0, 512e-9), two_(two) {}

    double programming_sigma(double target) const override {
        constexpr std::array kTwo = {0.16603222, 4.71806468, -8.48101252, 4.68961419};
        constexpr std::array kOne = {0.15781817, 2.32443916, -2.16310839, 0.68841818};
        const double x = target / g_max();
        return two_ ? g_max() / 20.7 * polynomial(kTwo, x) : g_max() / 10.35 * polynomial(kOne, x);
    }

protected:
    double exponent_mean(double x) const override {
        constexpr std::array kHigh = {0.0736, -0.0126, -0.0436};
        return x < 0.0945 ? std::clamp(-0.0387 * std::log(x) - 0.0182, 0.0720, 0.13) : polynomial(kHigh, x);
    }
    double exponent_sigma(double x) const override {
        constexpr std::array kTwo = {0.0073, 0.0093, -0.0118};
        constexpr std::array kOne = {0.0104, 0.0116, -0.0165};
        if (two_) {
            return x < 0.3055 ? std::clamp(-0.0117 * std::log(x) - 0.0057, 0.0091, 0.04) : polynomial(kTwo, x);
        }
        return x < 0.3039 ? std::clamp(-0.0120 * std::log(x) - 0.0023, 0.0124, 0.04) : polynomial(kOne, x);
    }
    double noise_density(double x) const override {
        constexpr std::array kTwo = {0.0123, 0.0211, -0.0280, 0.0069};
        constexpr std::array kOne = {0.0088, 0.0768, -0.1352, 0.0664};
        if (two_) {
            return x < 0.16 ? std::clamp(-0.0117 * std::log(x) - 0.0069, 0.015, 0.04) : polynomial(kTwo, x);
        }
        return x < 0.1591 ? std::clamp(-0.0078 * std::log(x) + 0.0038, 0.0179, 0.04) : polynomial(kOne, x);
    }

private:
    bool two_;
};

/// A weight as n unit capacitors in parallel: relative mismatch sigma / sqrt(n).
class CapacitorModel final : public DeviceModel {
public:
    explicit CapacitorModel(const DeviceConfig& config)
        : sigma_(config.unit_mismatch_relative),
          unit_((config.g_max_siemens - config.g_min_siemens) / (config.conductance_levels - 1)) {}

    double programming_sigma(double target) const override { return sigma_ * std::sqrt(std::max(0.0, target) * unit_); }
    double aged(const CellState& cell, double /*time_s*/) const override { return cell.programmed; }

private:
    double sigma_, unit_;
};

/// Mean error and sigma of a measured table, linear in between and constant beyond its ends; it ages like the generic
/// model.
class TableModel final : public DeviceModel {
public:
    explicit TableModel(const DeviceConfig& config) : config_(config) {}

    double programming_mean(double target) const override { return at(config_.table_mean_siemens, target); }
    double programming_sigma(double target) const override { return at(config_.table_sigma_siemens, target); }
    double aged(const CellState& cell, double time_s) const override {
        return drifted_and_relaxed(config_, cell, time_s);
    }

private:
    double at(const std::vector<double>& values, double target) const {
        const std::vector<double>& g = config_.table_conductance_siemens;
        const std::ptrdiff_t above = std::upper_bound(g.begin(), g.end(), target) - g.begin();
        if (above == 0) {
            return values.front();
        }
        if (above == static_cast<std::ptrdiff_t>(g.size())) {
            return values.back();
        }
        const std::size_t high = static_cast<std::size_t>(above);
        const double part = (target - g[high - 1]) / (g[high] - g[high - 1]);
        return values[high - 1] + part * (values[high] - values[high - 1]);
    }

    DeviceConfig config_;
};

}  // namespace

std::unique_ptr<const DeviceModel> make_device_model(const DeviceConfig& config) {
    switch (config.model) {
        case DeviceModelName::ideal:
        case DeviceModelName::generic:
        case DeviceModelName::taox:
            return std::make_unique<GenericModel>(config);
        case DeviceModelName::reram_wan2022:
            return std::make_unique<WanModel>(config);
        case DeviceModelName::rram_milo:
            return std::make_unique<MiloModel>();
        case DeviceModelName::cmo_hfox:
            return std::make_unique<CmoModel>(config, false);
        case DeviceModelName::cmo_hfox_fine:
            return std::make_unique<CmoModel>(config, true);
        case DeviceModelName::pcm:
            return std::make_unique<JoshiModel>(config);
        case DeviceModelName::hermes_one_device:
            return std::make_unique<HermesModel>(config, false);
        case DeviceModelName::hermes_two_devices:
            return std::make_unique<HermesModel>(config, true);
        case DeviceModelName::sram_capacitor:
            return std::make_unique<CapacitorModel>(config);
        case DeviceModelName::table:
            return std::make_unique<TableModel>(config);
    }
    throw std::logic_error("unknown device model");
}

}  // namespace imssa

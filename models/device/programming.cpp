#include "models/device/programming.h"

#include <algorithm>
#include <cassert>

#include "models/common/random.h"

namespace imssa {

Eigen::MatrixXd programmed_conductances(const Eigen::MatrixXd& targets, const UsedCells& used,
                                        const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile,
                                        std::int64_t& stuck_cells) {
    assert(used.rows <= targets.rows() && used.columns <= targets.cols());
    const CounterRandom programming(seed, RandomPurpose::programming, tile);
    const CounterRandom faults(seed, RandomPurpose::faults, tile);
    const double sigma = device.programming_sigma_siemens;
    const double stuck_fraction = device.stuck_low_fraction + device.stuck_high_fraction;
    Eigen::MatrixXd conductances = targets;
    stuck_cells = 0;
    for (int row = 0; row < used.rows; ++row) {
        for (int column = 0; column < used.columns; ++column) {
            const std::uint64_t cell = (static_cast<std::uint64_t>(row) << 32) | static_cast<std::uint32_t>(column);
            double& g = conductances(row, column);
            double error = device.programming_mean_siemens;
            if (sigma > 0.0) {
                error += sigma * programming.normal(cell);
            }
            g = std::max(0.0, g + error);
            if (stuck_fraction > 0.0) {
                const double uniform = faults.uniform(cell);
                if (uniform < stuck_fraction) {
                    g = uniform < device.stuck_low_fraction ? device.g_min_siemens : device.g_max_siemens;
                    ++stuck_cells;
                }
            }
        }
    }
    return conductances;
}

}  // namespace imssa

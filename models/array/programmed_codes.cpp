#include "models/array/programmed_codes.h"

#include <utility>

#include "models/array/fault_remap.h"
#include "models/array/spare_lines.h"

namespace imssa {

ProgrammedMatrix program_matrix(const QuantizedMatrix& matrix, const MappingOptions& mapping,
                                const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile) {
    const Eigen::MatrixXd wanted = target_conductances(matrix, mapping, device);
    const UsedCells used = place_lines(wanted, matrix, mapping, device, seed, tile);
    RemappedTargets targets =
        remap_targets(wanted, known_stuck_cells(used, device, seed, tile), matrix, mapping, device);
    return {used, program_cells(targets.targets, used, device, seed, tile), std::move(targets.swapped)};
}

Eigen::MatrixXd codes_of_cells(const Eigen::MatrixXd& conductances, const std::vector<bool>& swapped,
                               const QuantizedMatrix& matrix, const MappingOptions& mapping,
                               const DeviceConfig& device) {
    Eigen::MatrixXd codes = effective_weights(conductances, matrix, mapping, device);
    for (std::size_t output = 0; output < swapped.size(); ++output) {
        if (swapped[output]) {
            codes.col(static_cast<Eigen::Index>(output)) *= -1.0;
        }
    }
    return codes;
}

Eigen::MatrixXd programmed_codes(const QuantizedMatrix& matrix, const MappingOptions& mapping,
                                 const DeviceConfig& device, std::uint64_t seed, std::uint32_t tile) {
    const ProgrammedMatrix programmed = program_matrix(matrix, mapping, device, seed, tile);
    return codes_of_cells(programmed.cells.conductances, programmed.swapped, matrix, mapping, device);
}

}  // namespace imssa

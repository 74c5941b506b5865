#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/array/input_stage.h"
#include "models/array/read_config.h"
#include "models/common/lane_matrix.h"
#include "models/device/device_config.h"
#include "models/device/programming.h"
#include "models/mapping/tile_mapping.h"
#include "models/network/quantized_matrix.h"

namespace imssa {

/// Energy of reads, summed over lanes.
struct ReadEnergy {
    double device_j = 0.0;  ///< sum V^2 G t: dissipated in cells and wires
    double supply_j = 0.0;  ///< V_supply sum |V| G t: taken from the supply by linear drivers
};

/// One programmed tile: a pure kernel, no clock, no counters. Deterministic in (seed, tile, sequence, step).
class Crossbar {
public:
    /// Programs the matrix: target conductances, remapped around known faults -> errors, faults and ageing drawn with
    /// (seed, tile). `inputs_a_read`: 0 when all inputs are read together, else the inputs of a gated block. Blocks lie
    /// one after another; in the read of one, select transistors cut the rows of the others off, and the drivers serve
    /// one after another. `drivers`: keys the errors of the drivers; without, they are the tile's own.
    Crossbar(const QuantizedMatrix& matrix, const MappingOptions& mapping, const DeviceConfig& device,
             const ReadConfig& read, std::uint64_t seed, std::uint32_t tile, const std::string& name,
             int inputs_a_read = 0, std::optional<std::uint32_t> drivers = {});

    /// sums (outputs x lanes, weight-code x input-code units) of one read. input_codes: inputs x lanes DAC codes.
    /// Noise is drawn once per output and lane, with the variances of the read noise of all cells, sum_i (sigma_i
    /// v_i)^2, and of thermal and shot noise; keyed by (seed, tile, sequence, step); a sequence counts by the low 32
    /// bits of its identity. A lane's result does not depend on the other lanes. With ideal devices the sums are the
    /// exact integers. `sums` is resized when its shape differs. Of gated blocks `block` conducts: the codes of the
    /// others must be zero.
    void read(const LaneMatrix& input_codes, const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
              LaneMatrix& sums, int block = 0) const;

    /// Energy of that read over the first `input_codes.lanes()` lanes (padding excluded). Input code c drives its row
    /// (both rows of a pair) with v_read x drive x c / input_limit; all cells of the row in used columns conduct. With
    /// wire resistance the currents of all rows are the exact ones of the grid.
    ReadEnergy read_energy(const LaneMatrix& input_codes) const;

    /// Programs other weight codes (inputs x outputs, within the matrix's code_limit) into the same cells: the same
    /// errors and faults are drawn as at construction.
    void reprogram(const MatrixRM& codes);

    /// Multiplies what every output senses in reads of a block, its noise included: the trimmed reference of its
    /// converter. `measurement`: what measure_columns took to find the factors. Lasts until the cells are programmed
    /// anew.
    void trim_outputs(const std::vector<double>& factors, const ReadEnergy& measurement, int block = 0);
    /// Of all blocks.
    const ReadEnergy& trim_energy() const { return trim_energy_; }

    /// What it was programmed with.
    const QuantizedMatrix& matrix() const { return recipe_->matrix; }
    const MatrixRM& codes() const { return recipe_->matrix.codes; }
    const Eigen::MatrixXd& conductances() const { return conductances_; }
    /// The weights that its cells hold, inputs x outputs in weight codes, without wires and column factors.
    Eigen::MatrixXd programmed_codes() const;
    const TileFootprint& footprint() const { return footprint_; }
    const ProgrammingSummary& programming() const { return programming_; }
    int inputs() const { return static_cast<int>(weights_.rows()); }
    int outputs() const { return static_cast<int>(weights_.cols()); }
    /// Gated blocks, read one after another; 1 when all inputs are read together.
    int blocks() const { return (inputs() + inputs_a_read_ - 1) / inputs_a_read_; }
    int first_input(int block) const { return block * inputs_a_read_; }
    int inputs_of(int block) const { return std::min(inputs_a_read_, inputs() - first_input(block)); }
    int input_limit() const { return recipe_->matrix.input_limit; }

private:
    /// What a programming starts from.
    struct Recipe {
        QuantizedMatrix matrix;
        MappingOptions mapping;
        DeviceConfig device;
        ReadConfig read;
        std::uint64_t seed = 0;
        std::uint32_t tile = 0;
        std::string name;
        int inputs_a_read = 0;
        std::optional<std::uint32_t> drivers;
    };

    void set_weights(const Eigen::MatrixXd& transfer, const QuantizedMatrix& matrix, const MappingOptions& mapping,
                     const DeviceConfig& device);
    void set_noise(const Eigen::MatrixXd& transfer, const Eigen::MatrixXd& read_sigma, const QuantizedMatrix& matrix,
                   const MappingOptions& mapping, const DeviceConfig& device, const ReadConfig& read);
    void set_read_energy(const Eigen::MatrixXd& row_admittance, const QuantizedMatrix& matrix, int rows_per_input,
                         int parallel_cells, const ReadConfig& read);
    void noise_variances(const LaneMatrix& input_codes, int block, LaneMatrix& variances) const;
    void read_driven(const LaneMatrix& input_codes, const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step,
                     int block, LaneMatrix& sums) const;
    ReadEnergy driven_read_energy(const LaneMatrix& input_codes) const;
    ReadEnergy wired_read_energy(const LaneMatrix& input_codes) const;
    ReadEnergy pulsed_read_energy(const LaneMatrix& input_codes) const;

    std::shared_ptr<const Recipe> recipe_;
    int inputs_a_read_ = 0;  ///< at least 1
    InputStage input_stage_;
    MatrixRM weights_;           ///< inputs x outputs: effective weights with the drive multiplied in
    MatrixRM even_weights_;      ///< the same for the even part of what the rows see; empty when off
    MatrixRM noise_variance_;    ///< inputs x outputs: read-noise variance per noise power of a code; empty when off
    MatrixRM shot_variance_;     ///< inputs x outputs: per |code|, bit-serial per noise power of a code; empty when off
    MatrixRM thermal_variance_;  ///< blocks x outputs; empty when off
    std::vector<double> device_energy_per_code2_;  ///< per input: joule per squared code; pulses: per on-time
    std::vector<double> supply_energy_per_code_;   ///< per input: joule per |code|; pulses: per on-time
    MatrixRM row_current_per_code_;                ///< inputs x rows: ampere per code; empty when wires are ideal
    std::vector<float> device_energy_per_ampere_;  ///< per input, with wires: joule per ampere and code, of its rows
    float supply_energy_per_ampere_ = 0.0F;        ///< with wires: joule per ampere of any row
    Eigen::MatrixXd conductances_;
    std::vector<bool> swapped_;  ///< as ProgrammedMatrix::swapped
    TileFootprint footprint_;
    ProgrammingSummary programming_;
    ReadEnergy trim_energy_;
    bool bit_serial_ = false;
    std::uint64_t seed_ = 0;
    std::uint32_t tile_ = 0;
};

}  // namespace imssa

#include "tests/bench/bare_chip.h"

#include "models/chip/adc_bank.h"
#include "models/chip/token.h"
#include "models/network/reference_inference.h"
#include "models/network/sequence_pooling.h"

namespace imssa::bench {

BareChip::BareChip(const DeployedNetwork& network, const ChipConfig& config, std::uint64_t seed)
    : network_(network), seed_(seed), layers_(network.layers.size()) {
    std::uint32_t tile = 0;
    for (std::size_t at = 0; at < layers_.size(); ++at) {
        const DeployedLayer& deployed = network.layers[at];
        for (const TileGroup& group : place_kernels(deployed.kernels, config.mapping, "kernel")) {
            layers_[at].heads.push_back(
                std::make_unique<KernelTiles>(group, deployed.kernels, config, seed, TileNumbers{tile, tile},
                                              std::vector<std::string>(group.tiles.size(), "kernel")));
            tile += static_cast<std::uint32_t>(group.tiles.size());
        }
        layers_[at].mixing = std::make_unique<TiledProduct>(deployed.mixing, config, seed, tile, "mixing");
        tile += static_cast<std::uint32_t>(layers_[at].mixing->tiles());
    }
}

int BareChip::tiles_per_step() const {
    int tiles = 0;
    for (const Layer& layer : layers_) {
        tiles += layer.mixing->tiles();
        for (const std::unique_ptr<KernelTiles>& head : layer.heads) {
            tiles += head->tiles();
        }
    }
    return tiles;
}

void BareChip::reset(int lanes) {
    for (std::size_t at = 0; at < layers_.size(); ++at) {
        const DeployedLayer& deployed = network_.layers[at];
        Layer& layer = layers_[at];
        const int heads = network_.model.heads;
        layer.registers.clear();
        layer.reads.assign(static_cast<std::size_t>(heads), std::vector<HeadRead>(1));
        for (int head = 0; head < heads; ++head) {
            const DeployedKernel& kernel = deployed.kernels[static_cast<std::size_t>(head)];
            layer.registers.emplace_back(kernel.state_components(), lanes);
            HeadRead& read = layer.reads[static_cast<std::size_t>(head)].front();
            read = {LaneMatrix(kernel.array.inputs(), lanes), LaneMatrix(kernel.array.outputs(), lanes)};
        }
        layer.kernel_codes = LaneMatrix(deployed.kernels.front().array.outputs(), lanes);
        layer.activated = LaneMatrix(heads, lanes);
        layer.mixing_sums = LaneMatrix(deployed.mixing.outputs(), lanes);
        layer.mixing_codes = LaneMatrix(deployed.mixing.outputs(), lanes);
        layer.output = LaneMatrix(heads, lanes);
    }
}

void BareChip::step(std::size_t index, const LaneMatrix& input, const std::vector<std::uint64_t>& sequence_ids,
                    const std::vector<std::uint32_t>& keys, std::uint32_t step) {
    const DeployedLayer& deployed = network_.layers[index];
    Layer& layer = layers_[index];
    const int heads = network_.model.heads;
    const int lanes = input.lanes();
    for (int head = 0; head < heads; ++head) {
        const std::size_t at = static_cast<std::size_t>(head);
        const DeployedKernel& kernel = deployed.kernels[at];
        HeadRead& read = layer.reads[at].front();
        load_array_inputs(kernel, layer.registers[at], input.row(head), read.inputs);
        layer.heads[at]->read(layer.reads[at], sequence_ids, step, &energy_);
        conversions_ += layer.heads[at]->take_conversions();
        check_finite(read.sums, "kernel", static_cast<int>(step));
        const int first_unit = (static_cast<int>(index) * heads + head) * network_.model.modes();
        convert_kernel_outputs(kernel, read.sums, keys, static_cast<std::uint32_t>(first_unit), step,
                               layer.kernel_codes);
        update_registers(kernel, layer.kernel_codes, layer.registers[at]);
        float* y = layer.kernel_codes.row(kernel.output_column());
        if (kernel.digital_feedthrough()) {
            add_feedthrough(kernel, input.row(head), network_.activation_limit(), y, lanes);
        }
        apply_table(deployed.activation_table, network_.activation_limit(), y, layer.activated.row(head), lanes);
    }
    layer.mixing->read(layer.activated, sequence_ids, step, layer.mixing_sums);
    conversions_ += layer.mixing->take_conversions();
    const ReadEnergy energy = layer.mixing->read_energy(layer.activated);
    energy_.device_j += energy.device_j;
    energy_.supply_j += energy.supply_j;
    check_finite(layer.mixing_sums, "mixing", static_cast<int>(step));
    convert_all(deployed.mixing, layer.mixing_sums, layer.mixing_codes);
    layer_unit(deployed.unit, layer.mixing_codes.row(0), input.row(0), layer.output.row(0), heads, input.stride(),
               lanes);
}

LaneMatrix BareChip::run(const BatchInput& batch) {
    const int lanes = static_cast<int>(batch.values.size());
    const int heads = network_.model.heads;
    const std::vector<std::uint32_t> keys = dither_keys(seed_, batch.sequence_ids);
    const MatrixRM encoder = network_.encoder.driven_codes();
    LaneMatrix input(network_.model.channels, lanes);
    LaneMatrix sums(heads, lanes);
    LaneMatrix encoded(heads, lanes);
    SequencePooling pooling(network_, sequence_lengths(network_, batch.lengths, lanes));
    reset(lanes);
    for (int at = 0; at < network_.steps; ++at) {
        step_input_codes(network_, batch.values, at, input);
        encode(network_, encoder, input, sums, encoded);
        const LaneMatrix* codes = &encoded;
        for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
            step(layer, *codes, batch.sequence_ids, keys, static_cast<std::uint32_t>(at));
            codes = &layers_[layer].output;
        }
        pooling.add(*codes, at);
    }
    LaneMatrix pooled(heads, lanes);
    pooling.finish(pooled);
    LaneMatrix logit_sums(network_.model.classes, lanes);
    LaneMatrix logits(network_.model.classes, lanes);
    exact_product(network_.decoder.driven_codes(), pooled, logit_sums);
    convert_all(network_.decoder, logit_sums, logits);
    return logits;
}

void BareChip::read_arrays(const std::vector<std::uint64_t>& sequence_ids, std::uint32_t step) {
    for (Layer& layer : layers_) {
        for (std::size_t head = 0; head < layer.heads.size(); ++head) {
            layer.heads[head]->read(layer.reads[head], sequence_ids, step, &energy_);
            conversions_ += layer.heads[head]->take_conversions();
        }
        layer.mixing->read(layer.activated, sequence_ids, step, layer.mixing_sums);
        conversions_ += layer.mixing->take_conversions();
        const ReadEnergy energy = layer.mixing->read_energy(layer.activated);
        energy_.device_j += energy.device_j;
        energy_.supply_j += energy.supply_j;
    }
}

}  // namespace imssa::bench

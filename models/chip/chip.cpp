#include "models/chip/chip.h"

#include <string>

#include "models/chip/converter_check.h"

namespace imssa {

namespace {

std::vector<std::unique_ptr<TokenChannel>> make_channels(const ChipContext& context) {
    const int capacity = context.config.timing.channel_capacity;
    std::vector<std::unique_ptr<TokenChannel>> channels;
    channels.push_back(std::make_unique<TokenChannel>("input", capacity));
    for (std::size_t layer = 0; layer < context.network.layers.size(); ++layer) {
        channels.push_back(
            std::make_unique<TokenChannel>(("layer" + std::to_string(layer) + "_input").c_str(), capacity));
    }
    channels.push_back(std::make_unique<TokenChannel>("pooling_input", capacity));
    channels.push_back(std::make_unique<TokenChannel>("classifier_input", capacity));
    return channels;
}

std::vector<std::unique_ptr<ChipLayer>> make_layers(ChipContext& context) {
    std::vector<std::unique_ptr<ChipLayer>> layers;
    for (std::size_t layer = 0; layer < context.network.layers.size(); ++layer) {
        layers.push_back(
            std::make_unique<ChipLayer>(("layer" + std::to_string(layer)).c_str(), static_cast<int>(layer), context));
    }
    return layers;
}

const DeployedNetwork& checked(const DeployedNetwork& network, const ChipConfig& config) {
    check_converter_widths(network, config);
    return network;
}

}  // namespace

Chip::Chip(const sc_core::sc_module_name& name, const DeployedNetwork& network, const ChipConfig& config,
           std::uint64_t seed)
    : sc_core::sc_module(name),
      context_(checked(network, config), config, seed),
      channels_(make_channels(context_)),
      results_("results", config.timing.channel_capacity),
      encoder_("encoder", context_),
      layers_(make_layers(context_)),
      pooling_("pooling", context_),
      classifier_("classifier", context_) {
    encoder_.bind(*channels_[0], *channels_[1]);
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        layers_[layer]->bind(*channels_[layer + 1], *channels_[layer + 2]);
    }
    pooling_.bind(*channels_[layers_.size() + 1], *channels_[layers_.size() + 2]);
    classifier_.bind(*channels_.back(), results_);
}

ProgrammingSummary Chip::programming() const {
    ProgrammingSummary total;
    for (const CrossbarTile* tile : context_.tiles) {
        total += tile->array().programming();
    }
    return total;
}

CalibrationSummary Chip::calibration() const {
    CalibrationSummary total;
    for (const std::unique_ptr<ChipLayer>& layer : layers_) {
        const CalibrationSummary& one = layer->kernel().calibration();
        total.poles += one.poles;
        total.corrected_poles += one.corrected_poles;
        total.array_reads += one.array_reads;
        total.dac_conversions += one.dac_conversions;
        total.row_line_cells += one.row_line_cells;
        total.columns += one.columns;
        total.adc_conversions += one.adc_conversions;
        total.device_j += one.device_j;
        total.supply_j += one.supply_j;
        total.cycles += one.cycles;
    }
    return total;
}

void Chip::rethrow_fault() const {
    if (context_.fault != nullptr) {
        std::rethrow_exception(context_.fault);
    }
}

std::vector<MatrixRM> Chip::weight_image() const {
    std::vector<MatrixRM> image;
    for (const CrossbarTile* tile : context_.tiles) {
        image.push_back(tile->codes());
    }
    return image;
}

void Chip::program_tile(int index, const MatrixRM& codes) {
    context_.tiles.at(static_cast<std::size_t>(index))->program(codes);
}

void Chip::erase_tiles() {
    for (CrossbarTile* tile : context_.tiles) {
        tile->erase();
    }
}

}  // namespace imssa

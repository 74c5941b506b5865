#include "scenarios/support/run_setup.h"

#include <algorithm>
#include <filesystem>

#include "models/chip/converter_check.h"
#include "models/common/config.h"
#include "models/common/error.h"
#include "models/device/device_table.h"
#include "trainer/datasets/data_config.h"
#include "trainer/phase_trainer.h"

namespace imssa {

std::map<std::uint64_t, const float*> RunSetup::sequences() const {
    std::map<std::uint64_t, const float*> pointers;
    for (int index = 0; index < dataset.count(); ++index) {
        pointers[static_cast<std::uint64_t>(index)] = dataset.sequence(index);
    }
    return pointers;
}

ChipConfig load_chip(const std::string& path, const std::vector<std::string>& overrides, const KernelOptions& trained) {
    ChipConfig config;
    config.kernel = trained;
    ConfigReader reader = ConfigReader::from_file(path, overrides);
    reader.read(config);
    reader.reject_unknown_keys();
    load_device_table(config.device, std::filesystem::path(path).parent_path().string());
    return config;
}

namespace {

/// Sequences from the start; all where there are fewer.
void keep_first(Dataset& dataset, int count) {
    const std::size_t kept = static_cast<std::size_t>(std::min(count, dataset.count()));
    dataset.labels.resize(kept);
    dataset.values.resize(kept * static_cast<std::size_t>(dataset.steps) * dataset.channels);
    if (!dataset.lengths.empty()) {
        dataset.lengths.resize(kept);
    }
}

RunSetup load_checkpoint_and_chip(const RunRequest& request) {
    RunSetup setup;
    setup.checkpoint = load_checkpoint(request.checkpoint);
    if (!setup.checkpoint.ranges.has_value()) {
        throw UserError("checkpoint '" + request.checkpoint +
                        "' has no converter ranges: it was trained in float only; fine-tune it first (train --init " +
                        request.checkpoint + ")");
    }
    if (phase_config(setup.checkpoint.config, setup.checkpoint.phase).precision == Precision::fake_quantized) {
        throw UserError(
            "checkpoint '" + request.checkpoint +
            "' was trained on the grids of [fake_quantization], which no form of the chip has; fine-tune it "
            "with precision 'quantized' first (train --init " +
            request.checkpoint + ")");
    }
    setup.chip = load_chip(request.chip, request.overrides, setup.checkpoint.config.quantization.kernel);
    setup.cost_table = (std::filesystem::path(request.chip).parent_path() / setup.chip.cost_table).string();
    return setup;
}

void deploy_on_chip(RunSetup& setup, int steps) {
    DeploymentOptions options = setup.checkpoint.config.quantization;
    options.kernel = setup.chip.kernel;
    setup.network =
        deploy(setup.checkpoint.config.model, setup.checkpoint.parameters, *setup.checkpoint.ranges, options, steps);
    check_converter_widths(setup.network, setup.chip);
    const DeployedNetwork smaller = remove_pruned(setup.network, &setup.kernels);
    if (setup.chip.mapping.pruned == PrunedWeights::removed) {
        setup.network = smaller;
    } else {
        setup.kernels.kept_kernels = setup.kernels.kernels;
        setup.kernels.kept_modes = setup.kernels.modes;
    }
}

}  // namespace

RunSetup load_design(const RunRequest& request) {
    RunSetup setup = load_checkpoint_and_chip(request);
    setup.dataset.name = setup.checkpoint.config.data.name;
    deploy_on_chip(setup, std::max(1, setup.checkpoint.steps));
    return setup;
}

RunSetup load_run(const RunRequest& request) {
    RunSetup setup = load_checkpoint_and_chip(request);
    DataConfig data = setup.checkpoint.config.data;
    if (request.split == Split::kValidation && data.validation_count == 0) {
        throw UserError("the model of '" + request.checkpoint +
                        "' was trained without a validation split (data.validation_count 0): use --split test or "
                        "--split train");
    }
    if (request.sequences > 0 && request.split != Split::kValidation) {
        (request.split == Split::kTrain ? data.train_count : data.test_count) = request.sequences;
    }
    setup.dataset = load_dataset(data, request.split, request.data);
    if (request.sequences > 0) {
        keep_first(setup.dataset, request.sequences);
    }
    const ModelConfig& model = setup.checkpoint.config.model;
    if (setup.dataset.channels != model.channels || setup.dataset.classes != model.classes) {
        throw UserError("data set '" + setup.dataset.name + "' has " + std::to_string(setup.dataset.channels) +
                        " channels and " + std::to_string(setup.dataset.classes) + " classes, the model of '" +
                        request.checkpoint + "' has " + std::to_string(model.channels) + " and " +
                        std::to_string(model.classes));
    }
    deploy_on_chip(setup, setup.dataset.steps);
    return setup;
}

}  // namespace imssa

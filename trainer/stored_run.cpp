#include "trainer/stored_run.h"

#include <filesystem>

#include "models/common/config.h"
#include "models/common/error.h"
#include "trainer/phase_trainer.h"

namespace imssa {

namespace {

/// Whether the file of --init is among those that the run writes itself, so that its first content may be gone.
bool overwrites_init(const TrainingOptions& options) {
    for (int phase = 0; phase < kPhases; ++phase) {
        std::error_code error;
        if (std::filesystem::equivalent(*options.init, checkpoint_path(options, phase), error)) {
            return true;
        }
    }
    return false;
}

/// Why a stored checkpoint is of another run than that of the options; empty where it is of the same.
std::string difference(const Checkpoint& stored, const TrainingOptions& options, const std::string& init_checksum) {
    if (config_to_json(stored.config).dump() != config_to_json(options.config).dump()) {
        return "was trained with another configuration; resume with the same --config, --set and --seed, or start anew "
               "without --resume";
    }
    if (!options.init) {
        return stored.init_checksum.empty() ? ""
                                            : "began with the parameters of a checkpoint; resume with the same --init, "
                                              "or start anew without --resume";
    }
    if (stored.init_checksum.empty()) {
        return "does not say that it began with --init; leave --init out to go on with it, or start anew without "
               "--resume";
    }
    return stored.init_checksum == init_checksum || overwrites_init(options)
               ? ""
               : "began with other parameters than those of '" + *options.init +
                     "'; resume with the same --init, or start anew without --resume";
}

}  // namespace

std::string checkpoint_path(const TrainingOptions& options, int phase) {
    return (std::filesystem::path(options.out_folder) / phase_config(options.config, phase).checkpoint).string();
}

std::optional<Checkpoint> stored_checkpoint(const TrainingOptions& options) {
    const std::string init_checksum =
        options.init ? parameters_checksum(load_checkpoint(*options.init).parameters) : std::string();
    std::string refusal;
    for (int phase = kPhases - 1; phase >= 0; --phase) {
        const std::string path = checkpoint_path(options, phase);
        if (phase_config(options.config, phase).epochs == 0 || !std::filesystem::exists(path)) {
            continue;
        }
        Checkpoint stored = load_checkpoint(path);
        const std::string reason = difference(stored, options, init_checksum);
        if (reason.empty()) {
            return stored;
        }
        refusal = refusal.empty() ? "checkpoint '" + path + "' " + reason : refusal;
    }
    if (!refusal.empty()) {
        throw UserError(refusal);
    }
    return std::nullopt;
}

}  // namespace imssa

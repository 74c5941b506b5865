#include "scenarios/support/evaluations.h"

#include <cstdio>
#include <set>

#include "models/common/error.h"
#include "trainer/mode_comparison.h"
#include "trainer/post_training.h"
#include "trainer/run_checks.h"

namespace imssa {

namespace {

std::vector<NoiseSweepRequest> sweeps_of(const EvaluationConfig& config) {
    std::vector<NoiseSweepRequest> requests;
    std::set<std::string> keys;
    for (const std::string& text : config.noise_sweep) {
        requests.push_back(parse_noise_sweep(text, config.draws));
        NoiseSweepRequest& request = requests.back();
        if (!keys.insert(request.key).second) {
            throw UserError("two noise sweeps over '" + request.key + "': put all strengths into one");
        }
        if (config.noise_sweep.size() > 1) {
            request.file_ending = "_noise_sweep_" + request.key + ".csv";
        }
    }
    return requests;
}

nlohmann::ordered_json compare(const TrainingOptions& options, const std::vector<int>& bits) {
    const std::vector<ModeComparisonRow> rows = compare_modes(options, bits);
    if (!options.quiet) {
        std::printf("state      test accuracy, %%        kernel outputs, %% of their size in float        states\n");
        std::printf("bits  recurrent  convolution  recurrent-float  convolution-float  rec.-conv.  recurrent-float\n");
    }
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const ModeComparisonRow& row : rows) {
        json.push_back({{"bits", row.bits},
                        {"recurrent_accuracy", row.recurrent_accuracy},
                        {"convolution_accuracy", row.convolution_accuracy},
                        {"recurrent_error", row.recurrent_error},
                        {"convolution_error", row.convolution_error},
                        {"divergence", row.divergence},
                        {"state_error", row.state_error}});
        if (!options.quiet) {
            std::printf("%4d %10.2f %12.2f %16.3g %18.3g %11.3g %16.3g\n", row.bits, 100.0 * row.recurrent_accuracy,
                        100.0 * row.convolution_accuracy, 100.0 * row.recurrent_error, 100.0 * row.convolution_error,
                        100.0 * row.divergence, 100.0 * row.state_error);
        }
    }
    return json;
}

nlohmann::ordered_json quantize(const TrainingOptions& options) {
    const PostTrainingOutcome outcome = quantize_after_training(options);
    if (!options.quiet) {
        std::printf("float %.2f %%, quantized without training %.2f %% of %d test sequences\nwrote %s\n",
                    100.0 * outcome.float_accuracy, 100.0 * outcome.quantized_accuracy, outcome.test_sequences,
                    outcome.checkpoint.c_str());
    }
    return {{"float_accuracy", outcome.float_accuracy},
            {"accuracy", outcome.quantized_accuracy},
            {"sequences", outcome.test_sequences},
            {"checkpoint", outcome.checkpoint}};
}

nlohmann::ordered_json sweep(const TrainingOptions& options, const NoiseSweepRequest& request) {
    const std::vector<NoiseSweepRow> rows = sweep_noise(options, request);
    if (!options.quiet) {
        std::printf("%12s %10s %10s %10s   %% of the test split, %d draws\n", request.key.c_str(), "mean", "lowest",
                    "highest", request.draws);
    }
    nlohmann::ordered_json json = {{"error", request.key}, {"draws", request.draws}};
    json["rows"] = nlohmann::ordered_json::array();
    for (const NoiseSweepRow& row : rows) {
        json["rows"].push_back(
            {{"value", row.value}, {"mean_accuracy", row.mean}, {"lowest", row.low}, {"highest", row.high}});
        if (!options.quiet) {
            std::printf("%12g %10.2f %10.2f %10.2f\n", row.value, 100.0 * row.mean, 100.0 * row.low, 100.0 * row.high);
        }
    }
    return json;
}

}  // namespace

void check_evaluations(const TrainConfig& config, const Evaluations& evaluations) {
    if (evaluations.quantize) {
        check_post_training(config);
    }
    for (const NoiseSweepRequest& request : sweeps_of(evaluations.measured)) {
        check_noise_sweep(config, request);
    }
    if (!evaluations.measured.compare_modes.empty()) {
        check_mode_comparison(config, evaluations.measured.compare_modes);
    }
}

nlohmann::ordered_json evaluate(const TrainingOptions& options, const Evaluations& evaluations) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    if (!evaluations.measured.compare_modes.empty()) {
        json["mode_comparison"] = compare(options, evaluations.measured.compare_modes);
    }
    if (evaluations.quantize) {
        json["post_training"] = quantize(options);
    }
    for (const NoiseSweepRequest& request : sweeps_of(evaluations.measured)) {
        json["noise_sweeps"].push_back(sweep(options, request));
    }
    return json;
}

}  // namespace imssa

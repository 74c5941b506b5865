#pragma once

#include <string>
#include <vector>

#include "trainer/training_run.h"

namespace imssa {

/// What quantization without training does to a model.
struct PostTrainingOutcome {
    double float_accuracy = 0.0;      ///< of the test split
    double quantized_accuracy = 0.0;  ///< of the test split, in the precision of the finetune phase
    int test_sequences = 0;
    std::string checkpoint;  ///< written
};

/// Post-training quantization: takes the parameters of options.init, calibrates the converter ranges on the first
/// finetune.calibration_sequences training sequences (anew, whatever ranges the checkpoint has), and writes
/// `<name>_ptq.h5`: on the codes of [quantization], or with finetune.precision `fake_quantized` on the grids of
/// [fake_quantization]. Throws UserError.
PostTrainingOutcome quantize_after_training(const TrainingOptions& options);

/// One strength of one error.
struct NoiseSweepRow {
    double value = 0.0;
    double mean = 0.0, low = 0.0, high = 0.0;  ///< test accuracy over the draws
};

/// Which error a sweep varies, and how far: "cell_errors=0,0.5,1".
struct NoiseSweepRequest {
    std::string key;  ///< of NoiseConfig
    std::vector<double> values;
    int draws = 5;
    std::string file_ending = "_noise_sweep.csv";  ///< behind the configuration's name
};
NoiseSweepRequest parse_noise_sweep(const std::string& text, int draws);

/// Throws UserError where the configuration would refuse one of the strengths.
void check_noise_sweep(const TrainConfig& config, const NoiseSweepRequest& request);

/// Test accuracy of options.init under errors of growing strength, `draws` draws each (one draw at 0). Everything but
/// the varied error comes from finetune.noise of the configuration; numbers are as in the finetune phase. Writes
/// `<name>_noise_sweep.csv` (or what request.file_ending says).
std::vector<NoiseSweepRow> sweep_noise(const TrainingOptions& options, const NoiseSweepRequest& request);

}  // namespace imssa

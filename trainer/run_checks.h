#pragma once

#include "models/common/config.h"
#include "trainer/train_config.h"

namespace imssa {

// What a new run refuses. Stored checkpoints are read without these checks: an older version may have let it pass.

/// Throws UserError for what would have no effect, files that would overwrite each other, and what the phases to come
/// could not compute. Does not look at data or parameters.
void check_run(const TrainConfig& config);

/// The same for a quantization without training, which prunes nothing.
void check_post_training(const TrainConfig& config);

/// Throws UserError where a group of [fake_quantization] is given options but no quantizer: it is off.
void check_given_groups(const ConfigReader& reader);

/// Throws UserError where sums of quantized matrices are sure to leave what is exact once a float phase is over:
/// `parameters` are those that it begins with. Trained weights may be more uneven, so only sums of twice the limit and
/// more are refused here.
void check_exact_sums(const TrainConfig& config, const NetworkParameters& parameters);

}  // namespace imssa

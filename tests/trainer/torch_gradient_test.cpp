#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "models/common/config.h"
#include "tests/trainer/naive_network.h"
#include "trainer/gradient_engine.h"

namespace imssa {
namespace {

constexpr int kTorchMissing = 77;

/// Exit status of torch_gradient.py on a network of this shape.
int compare_with_torch(const ModelConfig& config) {
    const Dataset data = test::random_dataset(16, 120, config.channels, config.classes, 41);
    const NetworkParameters parameters = test::random_parameters(config, 41);
    const std::vector<int> indices = test::first_indices(16);
    GradientEngine engine(config, data.steps, false, 1);
    EffectiveTensors effective = zero_effective_tensors(config);
    NetworkParameters gradient = zero_parameters(config);
    const NormStatistics statistics = config.norm == Norm::batch ? NormStatistics::batch : NormStatistics::running;
    const double loss =
        engine.gradient(StepNetwork::in_float(config, parameters, data.steps, statistics), data, indices, 0, effective)
            .loss_sum /
        16.0;
    parameter_gradient(config, parameters, nullptr, effective, gradient, Parameterization::continuous,
                       InputMatrix::folded, statistics);
    nlohmann::ordered_json dump;
    dump["model"] = config_to_json(config);
    dump["loss"] = loss;
    dump["values"] = data.values;
    dump["labels"] = data.labels;
    dump["parameters"] = test::naive_parameters(parameters);
    dump["gradient"] = test::naive_parameters(gradient);
    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("imssa_torch_" + std::to_string(::getpid()) + ".json");
    std::ofstream(path) << dump;
    int exit_status = kTorchMissing;
    // Debian's PyTorch belongs to Debian's Python, which need not be the first in the path.
    for (const char* python : {"python3", "/usr/bin/python3"}) {
        const std::string command =
            std::string(python) + " '" + IMSSA_SOURCE_DIR + "/tests/trainer/torch_gradient.py' '" + path.string() + "'";
        const int status = std::system(command.c_str());
        exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (exit_status == 0 || exit_status == 1) {
            break;
        }
    }
    std::filesystem::remove(path);
    return exit_status;
}

TEST(TorchGradient, AgreesWithAutogradWherePyTorchIsInstalled) {
    for (const int variant : {0, 1, 2}) {
        const bool glu = variant >= 1;
        ModelConfig config = test::small_model();
        config.heads = 8;
        config.states = 16;
        config.glu = glu;
        config.trained_b = glu;
        config.norm = variant == 2 ? Norm::batch : Norm::layer;
        config.pooling = glu ? Pooling::last : Pooling::mean;
        config.activation = glu ? Activation::qgelu : Activation::gelu;
        const int status = compare_with_torch(config);
        if (status == kTorchMissing || status == 127) {
            GTEST_SKIP() << "python3 has no torch";
        }
        EXPECT_EQ(status, 0) << "variant " << variant;
    }
}

}  // namespace
}  // namespace imssa

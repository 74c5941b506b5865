#include <gtest/gtest.h>

#include <cmath>

#include "models/network/quantizer.h"
#include "tests/trainer/load_sequences.h"
#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/dense_product.h"
#include "trainer/quantized_pass.h"

/// What the backward pass of the chip's codes makes again.

namespace imssa {
namespace {

/// The codes' network after its forward pass, ahead of the backward one.
struct AfterForward {
    AfterForward(const DeployedNetwork& network, const Dataset& data)
        : pass(network),
          effective(effective_quantized_network(network)),
          adjoint(pass, effective, LanesUint{}),
          workspace(network.model, data.steps, Workspace::Purpose::quantized) {
        test::load_first_sequences(data, workspace);
        pass.forward(LanesUint{}, workspace);
    }

    QuantizedPass pass;
    EffectiveNetwork effective;
    QuantizedKernelAdjoint adjoint;
    Workspace workspace;
};

double gelu(double x) {
    return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
}

/// From the activations and inputs that are made again, a layer's unit must come to the codes of the forward pass;
/// slopes are those of the GELU at the codes of y.
TEST(QuantizedBackward, MakesActivationsSlopesAndInputsAgainFromCodes) {
    for (const bool glu : {false, true}) {
        ModelConfig model = test::small_model();
        model.glu = glu;
        model.activation = Activation::gelu;
        const Dataset data = test::random_dataset(16, 133, model.channels, model.classes, 24);
        const NetworkParameters parameters = test::random_parameters(model, 24);
        DeploymentOptions options;
        options.activation_clip = 0.9;  // some codes are at their limit
        const DeployedNetwork network =
            deploy(model, parameters, calibrate(model, parameters, data, 8), options, data.steps);
        AfterForward after(network, data);
        Workspace& workspace = after.workspace;
        const std::size_t size = static_cast<std::size_t>(model.heads) * kBlockWidth;
        std::vector<float> mixing(static_cast<std::size_t>(model.mixing_outputs()) * kBlockWidth), out(size);
        int limited = 0;
        for (int layer = 0; layer < model.layers; ++layer) {
            const DeployedLayer& deployed = network.layers[static_cast<std::size_t>(layer)];
            const MatrixRM weights = deployed.mixing.driven_codes().transpose();
            for (int block = 0; block < workspace.blocks; ++block) {
                after.adjoint.restore_activation(workspace, layer, block);
                after.adjoint.restore_stream(workspace, layer, block);
                const LayerTrace& trace = workspace.trace[static_cast<std::size_t>(layer)];
                dense_product(weights.data(), nullptr, workspace.activation_of(layer).block(block), mixing.data(),
                              model.mixing_outputs(), model.heads);
                for (std::size_t at = 0; at < mixing.size(); at += kLaneWidth) {
                    const std::size_t output = at / kBlockWidth;
                    store_lanes(mixing.data() + at,
                                convert(load_lanes(mixing.data() + at), deployed.mixing.gain[output],
                                        deployed.mixing.offset[output], deployed.mixing.output_limit[output]));
                }
                layer_unit(deployed.unit, mixing.data(), workspace.stream(layer).block(block), out.data(), model.heads,
                           kBlockWidth, kBlockWidth);
                for (std::size_t at = 0; at < size; ++at) {
                    ASSERT_EQ(static_cast<float>(workspace.stream_codes(layer + 1).block(block)[at]), out[at]);
                    const int code = trace.output_codes.block(block)[at];
                    const float activation = workspace.activation_of(layer).block(block)[at];
                    const bool at_limit = std::abs(code) == 127 || std::abs(activation) == 127.0F;
                    const double y = code * deployed.kernel_output_scale;
                    const double slope = (gelu(y + 1e-5) - gelu(y - 1e-5)) / 2e-5 * deployed.kernel_output_scale /
                                         deployed.activation_scale;
                    ASSERT_NEAR(trace.slope.block(block)[at], at_limit ? 0.0 : slope, 1e-6);
                    limited += at_limit ? 1 : 0;
                }
            }
        }
        EXPECT_GT(limited, 10) << "the test says little";
    }
}

/// Every step of the sequence, however far from the first chunk, counts in the gradient of D.
TEST(QuantizedBackward, ReadsTheInputsOfItsChunk) {
    const ModelConfig model = test::small_model();
    const Dataset data = test::random_dataset(16, 260, model.channels, model.classes, 25);
    const NetworkParameters parameters = test::random_parameters(model, 25);
    const DeployedNetwork network = deploy(model, parameters, calibrate(model, parameters, data, 16), {}, data.steps);
    AfterForward after(network, data);
    Workspace& workspace = after.workspace;
    ASSERT_GT(workspace.chunks, 2);
    for (int layer = 0; layer < model.layers; ++layer) {
        for (int chunk = 0; chunk < workspace.chunks; ++chunk) {
            EffectiveTensors gradient = zero_effective_tensors(model);
            std::vector<double> expected(static_cast<std::size_t>(model.heads), 0.0);
            const int first = chunk * kChunkBlocks;
            for (int block = first; block < first + workspace.chunk_blocks(chunk); ++block) {
                for (int at = 0; at < model.heads * kBlockWidth; ++at) {
                    const float dy = static_cast<float>(std::sin(0.1 * at + block));
                    workspace.gradient_a.block(block)[at] = dy;
                    expected[static_cast<std::size_t>(at / kBlockWidth)] +=
                        double{dy} * workspace.stream_codes(layer).block(block)[at];
                }
            }
            after.adjoint.chunk_backward(workspace, layer, chunk, gradient);
            for (int head = 0; head < model.heads; ++head) {
                const std::size_t at = static_cast<std::size_t>(head);
                EXPECT_NEAR(gradient.layers[static_cast<std::size_t>(layer)].d[at], expected[at],
                            1e-4 * std::abs(expected[at]) + 1e-2)
                    << "layer " << layer << ", chunk " << chunk << ", head " << head;
            }
        }
    }
}

}  // namespace
}  // namespace imssa

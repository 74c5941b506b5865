#include "trainer/pass_noise.h"

#include <algorithm>

#include "models/common/random.h"

namespace imssa {

namespace {

// Places of the errors in the generator's stream, apart from those of parameters.
constexpr std::uint32_t kInputPlace = 0x10000000U;
constexpr std::uint32_t kActivationPlace = 0x30000000U;

}  // namespace

std::uint32_t activation_noise_place(int unit) {
    return kActivationPlace + static_cast<std::uint32_t>(unit);
}

void add_block_noise(double sigma, std::uint64_t seed, std::uint32_t place, LanesUint sequences,
                     std::uint32_t first_step, float* values) {
    for (int quad = 0; quad < kBlockSteps / 4; ++quad) {
        const NormalQuad normals = normal_quad(seed, RandomPurpose::training_noise, place, sequences,
                                               first_step / kBlockSteps, static_cast<std::uint32_t>(quad));
        for (int step = 0; step < 4; ++step) {
            float* at = values + (4 * quad + step) * kLaneWidth;
            store_lanes(at, load_lanes(at) + normals.values[step] * static_cast<float>(sigma));
        }
    }
}

void add_input_noise(const PassNoise& noise, LanesUint sequences, int lanes, Workspace& workspace) {
    for (int block = 0; block < workspace.blocks; ++block) {
        for (int channel = 0; channel < workspace.config.channels; ++channel) {
            float* values = workspace.input.block(block) + channel * kBlockWidth;
            add_block_noise(noise.input, noise.seed, kInputPlace + static_cast<std::uint32_t>(channel), sequences,
                            static_cast<std::uint32_t>(block * kBlockSteps), values);
            for (int step = 0; step < kBlockSteps; ++step) {
                float* at = values + step * kLaneWidth;
                const Lanes present = workspace.present(block * kBlockSteps + step);
                store_lanes(at, present > 0.0F ? load_lanes(at) : Lanes{});
                std::fill(at + lanes, at + kLaneWidth, 0.0F);
            }
        }
    }
}

}  // namespace imssa

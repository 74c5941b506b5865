/// A program of its own, because it replaces operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/trainer/load_sequences.h"
#include "tests/trainer/naive_network.h"
#include "trainer/calibration.h"
#include "trainer/network_pass.h"
#include "trainer/quantized_pass.h"

namespace {
std::atomic<long> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
    ++allocations;
    void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}
}  // namespace

void* operator new(std::size_t size) {
    return counted(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
    std::free(memory);
}

namespace imssa {
namespace {

ModelConfig model_with_glu() {
    ModelConfig config = test::small_model();
    config.glu = true;
    return config;
}

TEST(Allocation, DoesNotHappenInTheFloatPasses) {
    const ModelConfig config = model_with_glu();
    const Dataset data = test::random_dataset(16, 240, config.channels, config.classes, 7);
    const EffectiveNetwork network = effective_float_network(config, test::random_parameters(config, 3), data.steps);
    BlockKernels kernels(config);
    Workspace workspace(config, data.steps, Workspace::Purpose::float_training);
    EffectiveTensors gradient = zero_effective_tensors(config);
    const long before = allocations;
    test::load_first_sequences(data, workspace);
    kernels.prepare(network);
    forward_float(network, kernels, workspace);
    backward(network, BlockKernelAdjoint(network, kernels), workspace, gradient);
    EXPECT_EQ(allocations - before, 0);
}

void expect_no_allocation_in_quantized_passes(const ModelConfig& config) {
    const Dataset data = test::random_dataset(16, 240, config.channels, config.classes, 7);
    const NetworkParameters parameters = test::random_parameters(config, 3);
    const DeployedNetwork deployed =
        deploy(config, parameters, calibrate(config, parameters, data, 16), DeploymentOptions{}, data.steps);
    const EffectiveNetwork network = effective_quantized_network(deployed);
    const QuantizedPass pass(deployed);
    Workspace workspace(config, data.steps, Workspace::Purpose::quantized);
    EffectiveTensors gradient = zero_effective_tensors(config);
    const long before = allocations;
    test::load_first_sequences(data, workspace);
    pass.forward(LanesUint{}, workspace);
    backward(network, QuantizedKernelAdjoint(pass, network, LanesUint{}), workspace, gradient);
    EXPECT_EQ(allocations - before, 0);
}

TEST(Allocation, DoesNotHappenInTheQuantizedPasses) {
    expect_no_allocation_in_quantized_passes(test::small_model());
    expect_no_allocation_in_quantized_passes(model_with_glu());
}

}  // namespace
}  // namespace imssa

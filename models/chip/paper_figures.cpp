#include "models/chip/paper_figures.h"

#include "models/mapping/kernel_placement.h"

namespace imssa {

namespace {

double coefficient_bits(const KernelOptions& kernel) {
    return kernel.representation == StateRepresentation::abar_log_polar
               ? 0.5 * (kernel.magnitude_bits + kernel.phase_bits)
               : kernel.a_bits;
}

/// Conversions of a matrix and their bits, per read.
void add_dense(const QuantizedMatrix& matrix, MatrixPlace place, double reads, int bits, const MappingOptions& mapping,
               PaperFigures& figures) {
    if (place == MatrixPlace::digital) {
        return;
    }
    const double conversions = reads * static_cast<double>(matrix.outputs()) * mapping.weight_slices;
    figures.chip_conversions += conversions;
    figures.chip_converted_bits += conversions * bits;
    figures.chip_weight_cells += static_cast<double>(matrix.inputs()) * mapping.rows_per_input() * matrix.outputs() *
                                 MappingOptions::columns_per_output() * mapping.weight_slices;
}

/// The kernels of a layer: all have arrays of one size.
void add_kernels(const DeployedNetwork& network, const DeployedLayer& layer, const MappingOptions& mapping,
                 PaperFigures& figures) {
    const DeployedKernel& kernel = layer.kernels.front();
    const double operations =
        1.0 + (kernel.options.form == OutputForm::delayed ? 1.0 / static_cast<double>(network.steps) : 0.0);
    const std::vector<TileGroup> groups = place_kernels({kernel}, mapping, "the kernel");
    const double heads = layer.kernel_count();
    for (const TilePlan& plan : groups.front().tiles) {
        const HeadBlock& block = plan.blocks.front();
        for (const int output : block.outputs) {
            const double conversions = operations * heads * mapping.weight_slices;
            const bool state = output != kernel.output_column();
            figures.chip_conversions += conversions;
            figures.chip_converted_bits +=
                conversions * (state ? kernel.options.state_bits : network.options.activation_bits);
        }
        figures.chip_weight_cells += heads * static_cast<double>(block.inputs.size() * block.outputs.size()) *
                                     mapping.rows_per_input() * MappingOptions::columns_per_output() *
                                     mapping.weight_slices;
    }
}

KernelTotal kernels_of(const DeployedNetwork& network) {
    KernelTotal total;
    for (const DeployedLayer& layer : network.layers) {
        for (const DeployedKernel& kernel : layer.kernels) {
            total.kernels += 1.0;
            total.states += kernel.state_components();
        }
    }
    return total;
}

double bits_or_float(int bits) {
    return bits == 0 ? 32.0 : bits;
}

}  // namespace

PaperBits paper_bits(const DeployedNetwork& network) {
    const DeploymentOptions& options = network.options;
    const KernelOptions& kernel = options.kernel;
    PaperBits bits;
    bits.a = coefficient_bits(kernel);
    bits.b = network.layers.front().kernels.front().array_makes_state ? kernel.weight_bits : 0.0;
    bits.c = kernel.weight_bits;
    bits.state = kernel.state_bits;
    bits.activation = options.activation_bits;
    bits.mixing = options.bits_of(options.mixing_bits);
    bits.coder = options.bits_of(options.encoder_bits);
    bits.step = kernel.step_bits;
    bits.decoder = options.bits_of(options.decoder_bits);
    bits.input = options.input_bits;
    bits.logits = options.logit_bits;
    return bits;
}

PaperFigures paper_figures(const DeployedNetwork& network, const ChipConfig& config) {
    const ModelConfig& model = network.model;
    const MappingOptions& mapping = config.mapping;
    PaperFigures figures;
    figures.model = {model.layers, model.heads, model.states, model.channels, model.classes, kernels_of(network)};
    figures.bits = paper_bits(network);
    figures.ace = arithmetic_computation_effort(figures.model, figures.bits);
    figures.model_size_bits = paper_model_size_bits(figures.model, figures.bits);
    figures.adc_complexity = adc_complexity(figures.model, figures.bits);

    const KernelOptions& kernel = network.options.kernel;
    MemoryBits memory;
    memory.bits = figures.bits;
    memory.bits.state = kernel.effective_register_bits();
    memory.d = kernel.feedthrough == Feedthrough::cells ? kernel.weight_bits : bits_or_float(kernel.d_bits);
    memory.bias = bits_or_float(network.options.bias_bits);
    memory.discrete = kernel.representation != StateRepresentation::a_continuous;
    memory.glu = model.glu;
    memory.norm = model.norm == Norm::layer;
    figures.memory = inference_memory(figures.model, memory);

    const int activation_bits = network.options.activation_bits;
    add_dense(network.encoder, mapping.encoder, 1.0, activation_bits, mapping, figures);
    for (const DeployedLayer& layer : network.layers) {
        add_dense(layer.mixing, mapping.mixing_matrix, 1.0, activation_bits, mapping, figures);
        add_kernels(network, layer, mapping, figures);
    }
    add_dense(network.decoder, mapping.decoder, 1.0 / network.steps, network.options.logit_bits, mapping, figures);
    figures.chip_weight_cells *= config.device.parallel_cells;
    return figures;
}

}  // namespace imssa

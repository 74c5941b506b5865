#include "models/network/reference_inference.h"

#include <cmath>
#include <string>

#include "models/common/error.h"
#include "models/network/quantizer.h"
#include "models/network/sequence_pooling.h"

namespace imssa {

std::vector<std::uint32_t> dither_keys(std::uint64_t seed, const std::vector<std::uint64_t>& sequence_ids) {
    std::vector<std::uint32_t> keys(static_cast<std::size_t>(padded_lanes(static_cast<int>(sequence_ids.size()))), 0U);
    for (std::size_t lane = 0; lane < sequence_ids.size(); ++lane) {
        keys[lane] = dither_sequence_key(seed, sequence_ids[lane]);
    }
    return keys;
}

ReferenceLayer::ReferenceLayer(const DeployedNetwork& network, int layer, int lanes)
    : network_(network),
      layer_(network.layers[static_cast<std::size_t>(layer)]),
      layer_index_(layer),
      lanes_(lanes),
      driven_mixing_(layer_.mixing.driven_codes()),
      kernel_output_(layer_.kernel_count(), lanes),
      activated_(layer_.kernel_count(), lanes),
      mixing_sums_(layer_.mixing.outputs(), lanes),
      mixing_(layer_.mixing.outputs(), lanes),
      output_(network.model.heads, lanes) {
    for (const DeployedKernel& kernel : layer_.kernels) {
        driven_kernels_.push_back(kernel.array.driven_codes());
        registers_.emplace_back(kernel.state_components(), lanes);
    }
    const QuantizedMatrix& array = layer_.kernels.front().array;
    array_input_ = LaneMatrix(array.inputs(), lanes);
    array_sums_ = LaneMatrix(array.outputs(), lanes);
    array_codes_ = LaneMatrix(array.outputs(), lanes);
}

void ReferenceLayer::reset() {
    for (StateRegisterFile& registers : registers_) {
        registers.clear();
    }
}

void ReferenceLayer::kernel_step(int index, const LaneMatrix& input, std::uint32_t step,
                                 const std::vector<std::uint32_t>& sequence_keys) {
    const std::size_t at = static_cast<std::size_t>(index);
    const int channel = layer_.channel_of(index);
    const DeployedKernel& kernel = layer_.kernels[at];
    StateRegisterFile& registers = registers_[at];
    const float* u = input.row(channel);
    const std::uint32_t first_unit =
        static_cast<std::uint32_t>((layer_index_ * network_.model.heads + channel) * kernel.modes);
    const bool digital = kernel.options.mapping == KernelMapping::digital_decay;
    if (digital && kernel.options.form == OutputForm::current) {
        apply_digital_decay(kernel, u, registers);
    }
    load_array_inputs(kernel, registers, u, array_input_);
    exact_product(driven_kernels_[at], array_input_, array_sums_);
    convert_kernel_outputs(kernel, array_sums_, sequence_keys, first_unit, step, array_codes_);
    if (digital && kernel.options.form == OutputForm::immediate) {
        apply_digital_decay(kernel, u, registers);
    }
    if (kernel.array_makes_state) {
        update_registers(kernel, array_codes_, registers);
    }
    if (kernel.options.form == OutputForm::delayed) {
        // The chip reads y_t with its next operation; the output column does not depend on that operation's input.
        load_array_inputs(kernel, registers, nullptr, array_input_);
        exact_product(driven_kernels_[at], array_input_, array_sums_);
        convert_all(kernel.array, array_sums_, array_codes_);
    }
    if (kernel.digital_feedthrough()) {
        add_feedthrough(kernel, u, network_.activation_limit(), array_codes_.row(kernel.output_column()), lanes_);
    }
    const float* y = array_codes_.row(kernel.output_column());
    std::copy(y, y + array_codes_.stride(), kernel_output_.row(index));
}

void ReferenceLayer::step(const LaneMatrix& input, std::uint32_t step,
                          const std::vector<std::uint32_t>& sequence_keys) {
    const int heads = network_.model.heads;
    for (int index = 0; index < layer_.kernel_count(); ++index) {
        kernel_step(index, input, step, sequence_keys);
        apply_table(layer_.activation_table, network_.activation_limit(), kernel_output_.row(index),
                    activated_.row(index), lanes_);
    }
    exact_product(driven_mixing_, activated_, mixing_sums_);
    convert_all(layer_.mixing, mixing_sums_, mixing_);
    layer_unit(layer_.unit, mixing_.row(0), input.row(0), output_.row(0), heads, output_.stride(), lanes_);
    for (int head = 0; head < heads; ++head) {
        for (int lane = 0; lane < lanes_; ++lane) {
            if (!std::isfinite(output_(head, lane))) {
                throw NumericalError("reference inference: output of layer " + std::to_string(layer_index_) +
                                     ", head " + std::to_string(head) + " is not finite at step " +
                                     std::to_string(step));
            }
        }
    }
}

void step_input_codes(const DeployedNetwork& network, const std::vector<const float*>& values, int step,
                      LaneMatrix& codes) {
    const int channels = network.model.channels;
    std::vector<float> step_codes(static_cast<std::size_t>(channels));
    for (std::size_t lane = 0; lane < values.size(); ++lane) {
        input_codes(network, values[lane] + static_cast<std::ptrdiff_t>(step) * channels, channels, step_codes.data());
        for (int channel = 0; channel < channels; ++channel) {
            const float code = step_codes[static_cast<std::size_t>(channel)];
            if (!std::isfinite(code)) {
                throw NumericalError("input of step " + std::to_string(step) + ", channel " + std::to_string(channel) +
                                     " is not finite: check the data set");
            }
            codes(channel, static_cast<int>(lane)) = code;
        }
    }
}

void encode(const DeployedNetwork& network, const MatrixRM& driven, const LaneMatrix& input, LaneMatrix& sums,
            LaneMatrix& codes) {
    exact_product(driven, input, sums);
    convert_all(network.encoder, sums, codes);
}

ReferenceResult ReferenceInference::run(const std::vector<const float*>& values,
                                        const std::vector<std::uint64_t>& sequence_ids, std::uint64_t seed,
                                        const std::vector<int>& lengths) const {
    const int lanes = static_cast<int>(values.size());
    const int heads = network_.model.heads;
    const std::vector<std::uint32_t> keys = dither_keys(seed, sequence_ids);
    const MatrixRM driven_encoder = network_.encoder.driven_codes();
    std::vector<ReferenceLayer> layers;
    layers.reserve(network_.layers.size());
    for (int layer = 0; layer < network_.model.layers; ++layer) {
        layers.emplace_back(network_, layer, lanes);
    }
    LaneMatrix input(network_.model.channels, lanes);
    LaneMatrix sums(heads, lanes);
    LaneMatrix encoded(heads, lanes);
    SequencePooling pooling(network_, sequence_lengths(network_, lengths, lanes));
    for (int step = 0; step < network_.steps; ++step) {
        step_input_codes(network_, values, step, input);
        encode(network_, driven_encoder, input, sums, encoded);
        const LaneMatrix* codes = &encoded;
        for (ReferenceLayer& layer : layers) {
            layer.step(*codes, static_cast<std::uint32_t>(step), keys);
            codes = &layer.output();
        }
        pooling.add(*codes, step);
    }
    ReferenceResult result{LaneMatrix(heads, lanes), LaneMatrix(network_.model.classes, lanes)};
    pooling.finish(result.pooled);
    LaneMatrix logit_sums(network_.model.classes, lanes);
    exact_product(network_.decoder.driven_codes(), result.pooled, logit_sums);
    convert_all(network_.decoder, logit_sums, result.logits);
    return result;
}

}  // namespace imssa

#include "models/chip/dense_array.h"

#include <algorithm>

#include "models/chip/adc_bank.h"
#include "models/chip/kernel_hardware.h"
#include "models/chip/timing_model.h"

namespace imssa {

namespace {

/// Slices are rounded when they have been added, digitally.
std::vector<float> converter_steps(const QuantizedMatrix& matrix, MatrixPlace place, const ChipConfig& config) {
    const bool whole = place == MatrixPlace::cells && config.mapping.weight_slices == 1;
    std::vector<float> steps;
    for (const float limit : matrix.output_limit) {
        steps.push_back(whole ? code_grid(static_cast<double>(limit), config.adc.bits).step : 1.0F);
    }
    return steps;
}

}  // namespace

DenseArray::DenseArray(const sc_core::sc_module_name& module_name, const QuantizedMatrix& matrix, MatrixPlace place,
                       ChipContext& context)
    : sc_core::sc_module(module_name),
      context_(context),
      matrix_(matrix),
      converters_(matrix),
      coarse_(converters_, converter_steps(matrix, place, context.config)),
      counts_(array_action_counts(matrix, context.config.mapping.weight_slices)) {
    if (place == MatrixPlace::cells) {
        product_ = std::make_unique<TiledProduct>(matrix, context.config, context.seed, context.next_tile(), name());
        add_array_units();
    } else {
        digital_codes_ = matrix.driven_codes();
        add_digital_unit();
    }
}

void DenseArray::add_array_units() {
    const std::string prefix = std::string(name()) + ".";
    const DenseHardware hardware = dense_hardware(matrix_, MatrixPlace::cells, product_->tiles(), context_.config);
    dac_unit_ = context_.units.add_converters(prefix + "dac", hardware.dac, {}, hardware.dac_bits);
    tile_unit_ = context_.units.add(prefix + "tile", hardware.tile);
    adc_unit_ = context_.units.add_converters(prefix + "adc", hardware.adc, hardware.adc_bits, {});
    const int rounds =
        conversion_rounds(matrix_.outputs() * context_.config.mapping.weight_slices, context_.config.timing);
    for (int index = 0; index < product_->tiles(); ++index) {
        const std::string tile = "tile" + (product_->tiles() > 1 ? std::to_string(index) : "");
        Crossbar& array = product_->tile(index);
        const TileLines lines{array.inputs(), std::min(rounds, array.outputs())};
        tiles_.push_back(std::make_unique<CrossbarTile>(tile.c_str(), array, lines,
                                                        [this, index] { product_->calibrate_columns(index); }));
        context_.tiles.push_back(tiles_.back().get());
    }
}

void DenseArray::add_digital_unit() {
    const std::string prefix = std::string(name()) + ".";
    const DenseHardware hardware = dense_hardware(matrix_, MatrixPlace::digital, 0, context_.config);
    digital_unit_ = context_.units.add(prefix + "digital", hardware.digital);
    coefficient_unit_ =
        context_.units.add(prefix + "coefficients", hardware.coefficients, ComponentGroup::coefficients);
}

void DenseArray::read(const LaneMatrix& inputs, const Batch& batch, int step, LaneMatrix& codes) {
    reshape(sums_, matrix_.outputs(), inputs.lanes());
    if (product_ != nullptr) {
        product_->read(inputs, batch.sequence_ids, static_cast<std::uint32_t>(step), sums_);
        context_.conversions += product_->take_conversions();
    } else {
        exact_product(digital_codes_, inputs, sums_);
    }
    check_finite(sums_, name(), step);
    convert_all(converters_, sums_, codes);
    coarse_.expand(codes);
    if (!context_.units.observed()) {
        return;
    }
    if (product_ != nullptr) {
        publish(inputs);
    } else {
        publish_digital(inputs.lanes());
    }
}

void DenseArray::publish(const LaneMatrix& inputs) {
    const double lanes = inputs.lanes();
    UnitTable& units = context_.units;
    units.publish(Action::dac_conversion, dac_unit_, lanes * counts_.dac_conversions);
    const double driven = dense_driven_inputs(matrix_, context_.config.mapping);
    units.publish(Action::row_line_cell, dac_unit_,
                  lanes * row_line_cells(driven, matrix_.input_limit, context_.config));
    units.publish_read(tile_unit_, lanes * product_->tiles(), product_->read_energy(inputs));
    units.publish(Action::transimpedance, adc_unit_, lanes * counts_.columns);
    units.publish(Action::sample_hold, adc_unit_, lanes * counts_.columns);
    units.publish(Action::adc_conversion, adc_unit_, lanes * counts_.adc_conversions);
    if (counts_.partial_sums_added > 0.0) {
        units.publish(Action::digital_add, adc_unit_, lanes * kPartialSumAdds * counts_.partial_sums_added);
    }
}

void DenseArray::publish_digital(double lanes) {
    const double products = lanes * matrix_.inputs() * matrix_.outputs();
    context_.units.publish(Action::digital_multiply, digital_unit_, products * product_bits(matrix_) / 64.0);
    context_.units.publish(Action::digital_add, digital_unit_, 3.0 * products);
    context_.units.publish(Action::buffer_bit, coefficient_unit_, lanes * stored_weight_bits(matrix_));
}

}  // namespace imssa

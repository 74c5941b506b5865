#include "models/chip/dense_array.h"

#include "models/chip/adc_bank.h"
#include "models/chip/timing_model.h"

namespace imssa {

DenseArray::DenseArray(const sc_core::sc_module_name& module_name, const QuantizedMatrix& matrix, ChipContext& context)
    : sc_core::sc_module(module_name),
      context_(context),
      matrix_(matrix),
      product_(matrix, context.config, context.seed, context.next_tile(), name()),
      counts_(array_action_counts(matrix)) {
    const std::string prefix = std::string(name()) + ".";
    ComponentCounts dac, tile, adc;
    dac[Component::dac] = matrix.inputs();
    tile[Component::cell] =
        product_.tiles() * cells_per_tile(context.config.mapping) * context.config.device.parallel_cells;
    adc[Component::transimpedance] = counts_.columns;
    adc[Component::sample_hold] = counts_.columns;
    adc[Component::adc] = adc_count(matrix.outputs(), context.config.timing);
    dac_unit_ = context.units.add(prefix + "dac", dac);
    tile_unit_ = context.units.add(prefix + "tile", tile);
    adc_unit_ = context.units.add(prefix + "adc", adc);
    for (int index = 0; index < product_.tiles(); ++index) {
        const std::string number = product_.tiles() > 1 ? std::to_string(index) : "";
        context.tiles.push_back({prefix + "tile" + number, &product_.tile(index)});
    }
}

void DenseArray::read(const LaneMatrix& inputs, const Batch& batch, int step, LaneMatrix& codes) {
    reshape(sums_, matrix_.outputs(), inputs.lanes());
    product_.read(inputs, batch.sequence_ids, static_cast<std::uint32_t>(step), sums_);
    check_finite(sums_, name(), step);
    context_.conversions += product_.count_conversions(sums_);
    convert_all(matrix_, sums_, codes);
    if (context_.units.observed()) {
        publish(inputs);
    }
}

void DenseArray::publish(const LaneMatrix& inputs) {
    const double lanes = inputs.lanes();
    UnitTable& units = context_.units;
    units.publish(Action::dac_conversion, dac_unit_, lanes * counts_.dac_conversions);
    units.publish_read(tile_unit_, lanes * product_.tiles(), product_.read_energy(inputs));
    units.publish(Action::transimpedance, adc_unit_, lanes * counts_.columns);
    units.publish(Action::sample_hold, adc_unit_, lanes * counts_.columns);
    units.publish(Action::adc_conversion, adc_unit_, lanes * counts_.adc_conversions);
}

}  // namespace imssa

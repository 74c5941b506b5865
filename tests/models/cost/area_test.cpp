#include "models/cost/area.h"

#include <gtest/gtest.h>

#include "tests/models/cost/small_table.h"

namespace imssa {
namespace {

// One 64 x 64 tile with 8 ADCs and 64 DACs at 28 nm: 4096 x 0.0376 + 8 x 3000 + 64 x 438 um2 = 52 186 um2.
TEST(AreaRows, AddUpATileWithItsConvertersAsByHand) {
    CostUnit tile;
    tile.name = "chip.layer0.kernel";
    tile.parts[Component::cell] = 4096.0;
    tile.parts[Component::adc] = 8.0;
    tile.parts[Component::dac] = 64.0;
    const CostTable table = load_cost_table(IMSSA_SOURCE_DIR "/scenarios/chips/costs_28nm.toml");
    const std::vector<AreaRow> rows = area_rows({tile}, table);
    EXPECT_EQ(rows.size(), 3U);
    EXPECT_NEAR(total_area(rows).area_mm2, (4096 * 0.0376 + 8 * 3000 + 64 * 438) * 1e-6, 1e-12);
    const auto groups = area_by_group(rows);
    EXPECT_NEAR(groups[static_cast<std::size_t>(ComponentGroup::adc)].area_mm2, 24000e-6, 1e-12);
    EXPECT_LT(total_area(rows).area_low_mm2, total_area(rows).area_mm2);
    EXPECT_GT(total_area(rows).area_high_mm2, total_area(rows).area_mm2);
}

TEST(AreaRows, PartsOfALayerUnitBelongToItsGroup) {
    CostUnit unit;
    unit.name = "chip.layer0.unit";
    unit.digital = ComponentGroup::layer_units;
    unit.parts[Component::multiplier] = 2.0;
    const std::vector<AreaRow> rows = area_rows({unit}, testing_support::small_table());
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].group, ComponentGroup::layer_units);
    EXPECT_EQ(rows[0].area_mm2, rows[0].count * rows[0].unit_area_mm2);
}

}  // namespace
}  // namespace imssa

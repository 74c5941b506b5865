#pragma once

#include "models/chip/chip_config.h"
#include "models/network/deployed_network.h"

namespace imssa {

/// Throws UserError when adc.bits or dac.bits is more than any of the network's codes behind these converters has: what
/// they would add is in no code.
void check_converter_widths(const DeployedNetwork& network, const ChipConfig& config);

/// Bits of the widest converter of a partial sum, to which others are added digitally: as wide as the integers of the
/// largest sum of its inputs' number, without their dividers, or adc.bits. 0: the chip has no partial sums.
int partial_sum_bits(const DeployedNetwork& network, const ChipConfig& config);

}  // namespace imssa

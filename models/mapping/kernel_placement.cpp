#include "models/mapping/kernel_placement.h"

#include <algorithm>
#include <numeric>

#include "models/common/error.h"

namespace imssa {

namespace {

std::vector<int> range(int first, int last) {
    std::vector<int> numbers(static_cast<std::size_t>(std::max(0, last - first)));
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
}

int size_of(const std::vector<int>& numbers) {
    return static_cast<int>(numbers.size());
}

void check_options(const MappingOptions& options) {
    if (options.packing != Packing::one_head && options.split_heads) {
        throw UserError(
            "mapping.split_heads needs mapping.packing = 'one_head': heads that share a tile fit one by definition");
    }
}

[[noreturn]] void throw_too_large(const CellRegion& cells, const MappingOptions& options, const std::string& name,
                                  int head) {
    const int rows = size_of(cells.inputs) * options.rows_per_input();
    const int columns = size_of(cells.outputs) * MappingOptions::columns_per_output() * options.weight_slices;
    throw UserError(name + ".head" + std::to_string(head) + ".tile needs " + std::to_string(rows) + " x " +
                    std::to_string(columns) + " cells (" + std::to_string(cells.inputs.size()) + " inputs x " +
                    std::to_string(cells.outputs.size()) + " outputs, " + std::to_string(options.cells_per_weight) +
                    " cells per weight, " + std::to_string(options.weight_slices) + " slices) but a tile has " +
                    std::to_string(options.tile_rows) + " x " + std::to_string(options.tile_columns) +
                    ": raise tile_rows and tile_columns" +
                    (options.cells_per_weight == 4 ? ", set cells_per_weight = 2" : "") +
                    (options.split_heads ? " or shrink the model" : ", set split_heads = true or shrink the model"));
}

bool fits(const CellRegion& cells, const MappingOptions& options) {
    return size_of(cells.inputs) <= options.tile_inputs() && size_of(cells.outputs) <= options.tile_outputs();
}

/// The part of a head's cells that belongs to the modes [first, last); the direct term goes with the first part.
CellRegion modes_of(const CellRegion& cells, const DeployedKernel& kernel, int first, int last) {
    const int per_mode = kernel.state_columns_per_mode();
    CellRegion part;
    for (const int input : cells.inputs) {
        const bool state = input < 2 * kernel.modes;
        const bool ours =
            state ? input >= 2 * first && input < 2 * last : input == kernel.state_input_row() || first == 0;
        if (ours) {
            part.inputs.push_back(input);
        }
    }
    for (const int output : cells.outputs) {
        if (output == kernel.output_column() || (output >= per_mode * first && output < per_mode * last)) {
            part.outputs.push_back(output);
        }
    }
    return part;
}

TilePlan single(int head, const CellRegion& cells) {
    TilePlan plan;
    plan.inputs = size_of(cells.inputs);
    plan.outputs = size_of(cells.outputs);
    plan.blocks.push_back({head, cells.inputs, cells.outputs, 0, 0});
    return plan;
}

TileGroup split_head(int head, const DeployedKernel& kernel, const CellRegion& cells, const MappingOptions& options,
                     const std::string& name) {
    TileGroup group;
    group.heads = {head};
    for (int first = 0; first < kernel.modes;) {
        int last = kernel.modes;
        while (last > first && !fits(modes_of(cells, kernel, first, last), options)) {
            --last;
        }
        if (last == first) {
            throw_too_large(modes_of(cells, kernel, first, first + 1), options, name, head);
        }
        group.tiles.push_back(single(head, modes_of(cells, kernel, first, last)));
        first = last;
    }
    return group;
}

TileGroup pack_heads(int first, int count, const CellRegion& cells, bool gated) {
    TileGroup group;
    TilePlan plan;
    plan.gated = gated;
    const int inputs = size_of(cells.inputs);
    const int outputs = size_of(cells.outputs);
    for (int k = 0; k < count; ++k) {
        group.heads.push_back(first + k);
        plan.blocks.push_back({first + k, cells.inputs, cells.outputs, k * inputs, gated ? 0 : k * outputs});
    }
    plan.inputs = count * inputs;
    plan.outputs = gated ? outputs : count * outputs;
    group.tiles.push_back(std::move(plan));
    return group;
}

/// Heads that share a tile.
int heads_per_tile(const CellRegion& cells, const MappingOptions& options) {
    const int rows = options.tile_inputs() / size_of(cells.inputs);
    const int columns = options.tile_outputs() / size_of(cells.outputs);
    switch (options.packing) {
        case Packing::one_head:
            return 1;
        case Packing::diagonal:
            return std::min(rows, columns);
        case Packing::row_gated:
            return rows;
    }
    return 1;
}

std::vector<TileGroup> place(const DeployedKernel& kernel, int heads, const MappingOptions& options,
                             const std::string& name) {
    check_options(options);
    const CellRegion cells = cell_region(kernel, options);
    std::vector<TileGroup> groups;
    if (cells.outputs.empty()) {
        for (int head = 0; head < heads; ++head) {
            groups.push_back({{head}, {}});
        }
        return groups;
    }
    if (!fits(cells, options)) {
        if (!options.split_heads) {
            throw_too_large(cells, options, name, 0);
        }
        for (int head = 0; head < heads; ++head) {
            groups.push_back(split_head(head, kernel, cells, options, name));
        }
        return groups;
    }
    const int room = heads_per_tile(cells, options);
    for (int head = 0; head < heads; head += room) {
        groups.push_back(pack_heads(head, std::min(room, heads - head), cells, options.packing == Packing::row_gated));
    }
    return groups;
}

/// Rows of u and columns of y, which are the last ones of a block.
void count_inputs_and_outputs(const TilePlan& plan, const DeployedKernel& kernel, int times, int slices,
                              KernelTileCounts& counts) {
    for (const HeadBlock& block : plan.blocks) {
        for (auto input = block.inputs.rbegin(); input != block.inputs.rend() && *input >= 2 * kernel.modes; ++input) {
            counts.input_conversions += times;
        }
        if (!block.outputs.empty() && block.outputs.back() == kernel.output_column()) {
            counts.output_conversions += static_cast<double>(times) * slices;
        }
    }
}

/// Conversions of a group that are added to an earlier one of the same sum.
double added_partial_sums(const TileGroup& group, const DeployedKernel& kernel, const MappingOptions& options) {
    int conversions = 0;
    for (const TilePlan& plan : group.tiles) {
        for (const HeadBlock& block : plan.blocks) {
            conversions += size_of(block.outputs) * options.weight_slices;
        }
    }
    return conversions - size_of(group.heads) * size_of(cell_region(kernel, options).outputs);
}

/// Adds `times` groups like this one.
void add_groups(const TileGroup& group, const DeployedKernel& kernel, int times, const MappingOptions& options,
                KernelTileCounts& counts) {
    counts.partial_sums_added += times * added_partial_sums(group, kernel, options);
    for (const TilePlan& plan : group.tiles) {
        const int outputs = plan.outputs * options.weight_slices;
        counts.tiles += times;
        counts.reads_per_step += times * plan.reads();
        counts.passes = std::max(counts.passes, plan.reads());
        counts.outputs = std::max(counts.outputs, outputs);
        counts.dac_conversions += static_cast<double>(times) * plan.inputs;
        counts.adc_conversions += static_cast<double>(times) * outputs * plan.reads();
        counts.dacs += times * static_cast<double>(plan.inputs) / plan.reads();
        counts.outputs_of_tiles += static_cast<double>(times) * outputs;
        // Gated reads drive the rows of one block at a time: in a step every position is read once.
        counts.weights += static_cast<double>(times) * plan.inputs * plan.outputs;
        if (counts.widths.empty() || counts.widths.back().outputs != outputs) {
            counts.widths.push_back({outputs, 0});
        }
        counts.widths.back().tiles += times;
        count_inputs_and_outputs(plan, kernel, times, options.weight_slices, counts);
    }
}

void count_digital(const DeployedKernel& kernel, int heads, const MappingOptions& options, KernelTileCounts& counts) {
    const bool output_digital = options.kernel_output == MatrixPlace::digital;
    const bool input_digital = options.kernel_input == MatrixPlace::digital && kernel.array_makes_state;
    counts.digital_products_of_head = (output_digital ? 2 * kernel.modes + (kernel.digital_feedthrough() ? 0 : 1) : 0) +
                                      (input_digital ? 2 * kernel.modes : 0);
    counts.digital_products = static_cast<double>(counts.digital_products_of_head) * heads;
}

}  // namespace

CellRegion cell_region(const DeployedKernel& kernel, const MappingOptions& options) {
    const bool fused = kernel.options.mapping == KernelMapping::fused;
    const bool output_cells = options.kernel_output == MatrixPlace::cells;
    const bool input_cells = kernel.array_makes_state && options.kernel_input == MatrixPlace::cells;
    CellRegion cells;
    if (fused || output_cells) {
        cells.inputs = range(0, 2 * kernel.modes);
    }
    if (input_cells) {
        cells.inputs.push_back(kernel.state_input_row());
    }
    if (fused || input_cells) {
        cells.outputs = range(0, kernel.output_column());
    }
    if (output_cells) {
        if (kernel.output_input_row() >= 0) {
            cells.inputs.push_back(kernel.output_input_row());
        }
        cells.outputs.push_back(kernel.output_column());
    }
    return cells;
}

std::vector<TileGroup> place_kernels(const std::vector<DeployedKernel>& kernels, const MappingOptions& options,
                                     const std::string& name) {
    return place(kernels.front(), static_cast<int>(kernels.size()), options, name);
}

QuantizedMatrix tile_matrix(const TilePlan& plan, const std::vector<DeployedKernel>& kernels) {
    const QuantizedMatrix& like = kernels[static_cast<std::size_t>(plan.blocks.front().head)].array;
    QuantizedMatrix matrix;
    matrix.code_limit = like.code_limit;
    matrix.input_limit = like.input_limit;
    matrix.codes = MatrixRM::Zero(plan.inputs, plan.outputs);
    matrix.drive.assign(static_cast<std::size_t>(plan.inputs), 1.0F);
    matrix.gain.assign(static_cast<std::size_t>(plan.outputs), 0.0F);
    matrix.offset.assign(static_cast<std::size_t>(plan.outputs), 0.0F);
    matrix.output_limit.assign(static_cast<std::size_t>(plan.outputs), 0.0F);
    for (auto block = plan.blocks.rbegin(); block != plan.blocks.rend(); ++block) {
        const QuantizedMatrix& array = kernels[static_cast<std::size_t>(block->head)].array;
        for (std::size_t i = 0; i < block->inputs.size(); ++i) {
            const std::size_t row = static_cast<std::size_t>(block->first_input) + i;
            matrix.drive[row] = array.drive[static_cast<std::size_t>(block->inputs[i])];
            for (std::size_t o = 0; o < block->outputs.size(); ++o) {
                matrix.codes(static_cast<Eigen::Index>(row), block->first_output + static_cast<int>(o)) =
                    array.codes(block->inputs[i], block->outputs[o]);
            }
        }
        for (std::size_t o = 0; o < block->outputs.size(); ++o) {
            const std::size_t column = static_cast<std::size_t>(block->first_output) + o;
            const std::size_t from = static_cast<std::size_t>(block->outputs[o]);
            matrix.gain[column] = array.gain[from];
            matrix.offset[column] = array.offset[from];
            matrix.output_limit[column] = array.output_limit[from];
        }
    }
    return matrix;
}

KernelTileCounts count_kernel_tiles(const std::vector<TileGroup>& groups, const std::vector<DeployedKernel>& kernels,
                                    const MappingOptions& options) {
    KernelTileCounts counts;
    for (const TileGroup& group : groups) {
        add_groups(group, kernels.front(), 1, options, counts);
    }
    count_digital(kernels.front(), static_cast<int>(kernels.size()), options, counts);
    return counts;
}

KernelTileCounts count_kernel_tiles(const DeployedKernel& kernel, int heads, const MappingOptions& options,
                                    const std::string& name) {
    check_options(options);
    const CellRegion cells = cell_region(kernel, options);
    const int room = cells.outputs.empty() || !fits(cells, options) ? 1 : heads_per_tile(cells, options);
    KernelTileCounts counts;
    const int full = heads / room;
    if (full > 0) {
        add_groups(place(kernel, room, options, name).front(), kernel, full, options, counts);
    }
    if (heads % room > 0) {
        add_groups(place(kernel, heads % room, options, name).front(), kernel, 1, options, counts);
    }
    count_digital(kernel, heads, options, counts);
    return counts;
}

}  // namespace imssa

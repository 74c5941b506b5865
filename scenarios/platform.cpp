// A checkpoint on the simulated chip, driven by host software over a TLM-2.0 bus.
#include <systemc>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "models/chip/chip.h"
#include "models/chip/vcd_trace.h"
#include "models/common/config.h"
#include "models/common/file_output.h"
#include "scenarios/support/command_line.h"
#include "scenarios/support/run_setup.h"
#include "tlm/chip_target.h"
#include "tlm/host_driver.h"

namespace {

using namespace imssa;

constexpr const char* kDescription =
    "Runs a trained model on a simulated chip behind a TLM-2.0 bus: a host checks the chip's identification, writes\n"
    "the input codes step by step as the input FIFO has room, and reads the logits. The codes are those of infer.";

constexpr const char* kFooter =
    "examples:\n"
    "  platform --checkpoint scenarios/checkpoints/smnist_small_8bit.h5 --chip scenarios/chips/ideal.toml\n"
    "  platform ... --sequences 1 --vcd wave.vcd && gtkwave wave.vcd traces/imssa.gtkw\n"
    "exit status: 0 done, 2 a mistake in what was given (one line says which)";

constexpr int kPollCycles = 16;  ///< of the chip's clock, between two looks at a register

std::vector<HostSequence> host_sequences(const RunSetup& setup) {
    std::vector<HostSequence> sequences;
    const int values = setup.dataset.steps * setup.dataset.channels;
    std::vector<float> codes(static_cast<std::size_t>(values));
    for (int index = 0; index < setup.dataset.count(); ++index) {
        input_codes(setup.network, setup.dataset.sequence(index), values, codes.data());
        HostSequence sequence;
        sequence.id = static_cast<std::uint32_t>(index);
        sequence.codes.assign(codes.begin(), codes.end());
        sequence.length = static_cast<std::uint32_t>(setup.dataset.length(index));
        sequences.push_back(std::move(sequence));
    }
    return sequences;
}

/// The class with the largest logit, the first of equals.
int answer(const HostResult& result) {
    const std::vector<std::int32_t>& logits = result.logits;
    return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// vcd: empty for no waveform.
std::vector<HostResult> run_host(const RunSetup& setup, std::uint64_t seed, const std::string& vcd) {
    const std::vector<HostSequence> sequences = host_sequences(setup);
    Chip chip("chip", setup.network, setup.chip, seed);
    ChipTarget target("registers", chip);
    HostDriver host("host", sequences, kPollCycles * chip.clock_period(), chip.weight_image());
    host.socket.bind(target.socket);
    std::unique_ptr<VcdTrace> trace;
    if (!vcd.empty()) {
        trace = std::make_unique<VcdTrace>(chip, vcd, VcdSelection{});
    }
    sc_core::sc_start();
    if (trace != nullptr) {
        sc_core::sc_start(chip.clock_period());  // the writer dumps the last changes when time moves on
    }
    chip.rethrow_fault();
    if (!host.done()) {
        throw std::logic_error("the host stopped before all sequences had results");
    }
    return host.results();
}

/// The same with a waveform that is whole or not there at all.
std::vector<HostResult> run_host_with_waveform(const RunSetup& setup, std::uint64_t seed, const std::string& path) {
    const std::string temporary = path + ".tmp" + std::to_string(::getpid()) + ".vcd";
    try {
        std::vector<HostResult> results = run_host(setup, seed, temporary);
        commit_streamed_file(temporary, path);
        return results;
    } catch (...) {
        std::remove(temporary.c_str());
        throw;
    }
}

void print_results(const RunSetup& setup, const std::vector<HostResult>& results) {
    std::printf("%s on %s: %zu sequences of %d steps\n", setup.dataset.name.c_str(), setup.chip.name.c_str(),
                results.size(), setup.dataset.steps);
    std::printf("%8s %6s %6s %12s  logits\n", "sequence", "label", "class", "latency_us");
    for (const HostResult& result : results) {
        std::printf("%8u %6d %6d %12.3f ", result.id, setup.dataset.labels[result.id], answer(result),
                    1e6 * (result.finish_s - result.start_s));
        for (const std::int32_t logit : result.logits) {
            std::printf(" %5d", logit);
        }
        std::printf("\n");
    }
}

nlohmann::ordered_json result_json(const RunSetup& setup, const CommonOptions& options,
                                   const std::vector<HostResult>& results) {
    nlohmann::ordered_json json;
    json["format"] = "imssa-platform";
    json["version"] = IMSSA_VERSION;
    json["seed"] = options.seed;
    json["config"] = {{"chip", config_to_json(setup.chip)}};
    json["sequences"] = results.size();
    int correct = 0;
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const HostResult& result : results) {
        const int label = setup.dataset.labels[result.id];
        correct += answer(result) == label ? 1 : 0;
        rows.push_back({{"id", result.id},
                        {"label", label},
                        {"class", answer(result)},
                        {"latency_s", result.finish_s - result.start_s},
                        {"logits", result.logits}});
    }
    json["accuracy"] = static_cast<double>(correct) / static_cast<double>(results.size());
    json["results"] = std::move(rows);
    return json;
}

}  // namespace

int sc_main(int argc, char* argv[]) {
    CLI::App app{kDescription, "platform"};
    app.footer(kFooter);
    CommonOptions common;
    RunRequest request;
    std::string vcd;
    request.sequences = 10;
    app.add_option("--checkpoint", request.checkpoint, "Trained model with converter ranges")
        ->required()
        ->type_name("FILE.h5");
    app.add_option("--chip", request.chip, "The chip to simulate")->required()->type_name("FILE.toml");
    app.add_option("--sequences", request.sequences, "The first N of the test set")
        ->check(CLI::Range(1, std::numeric_limits<int>::max()))
        ->capture_default_str();
    app.add_option("--vcd", vcd, "Write a waveform of the run")->type_name("FILE");
    app.add_option("--set", common.overrides, "Override one key of the chip file")->type_name("KEY=VALUE")->take_all();
    app.add_option("--data", common.data, "Folder with data sets (default: $IMSSA_DATA, then ../shared/data)")
        ->type_name("DIR");
    app.add_option("--seed", common.seed, "Seed of every random stream")->capture_default_str()->check(whole_number());
    app.add_option("--json", common.json, "Write the result as JSON, SI units in the keys")->type_name("FILE");
    app.add_flag("--quiet", common.quiet, "Print nothing but errors");
    app.set_version_flag("--version", "imssa " IMSSA_VERSION);
    return run_command(app, argc, argv, [&] {
        for (const std::string& file : {common.json, vcd}) {
            if (!file.empty()) {
                check_output_file(file);
            }
        }
        request.overrides = common.overrides;
        request.data = common.data;
        const RunSetup setup = load_run(request);
        const std::vector<HostResult> results =
            vcd.empty() ? run_host(setup, common.seed, "") : run_host_with_waveform(setup, common.seed, vcd);
        if (!common.quiet) {
            print_results(setup, results);
        }
        if (!common.json.empty()) {
            write_file_atomically(common.json, result_json(setup, common, results).dump(2) + "\n");
        }
    });
}

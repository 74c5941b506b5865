#include "scenarios/support/chip_job.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "models/chip/chip_system.h"
#include "models/chip/startup_calibration.h"
#include "models/chip/timing_model.h"
#include "models/chip/vcd_trace.h"
#include "models/common/file_output.h"
#include "models/network/reference_inference.h"
#include "scenarios/support/job_result.h"
#include "scenarios/support/worker_pool.h"

namespace imssa {

namespace {

using nlohmann::json;

/// A chip and a range of sequences: what one process simulates.
struct Job {
    int chip = 0;
    int first = 0, last = 0;
};

/// Jobs depend on lanes only, so that sums merged in their order are the same for any number of workers.
std::vector<Job> cut_into_jobs(int chips, int sequences, int lanes) {
    const int batch_multiple = std::max(1, 128 / lanes);
    const int size = std::max(2 * lanes, lanes * batch_multiple);
    std::vector<Job> jobs;
    for (int chip = 0; chip < chips; ++chip) {
        for (int first = 0; first < sequences; first += size) {
            jobs.push_back({chip, first, std::min(first + size, sequences)});
        }
    }
    return jobs;
}

std::vector<BatchInput> cut_into_batches(const Dataset& data, int first, int last, int lanes) {
    std::vector<BatchInput> batches;
    for (int begin = first; begin < last; begin += lanes) {
        BatchInput batch;
        for (int sequence = begin; sequence < std::min(begin + lanes, last); ++sequence) {
            batch.values.push_back(data.sequence(sequence));
            batch.sequence_ids.push_back(static_cast<std::uint64_t>(sequence));
            batch.lengths.push_back(data.length(sequence));
        }
        batches.push_back(std::move(batch));
    }
    return batches;
}

double cpu_seconds(int who) {
    rusage usage{};
    getrusage(who, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_memory_mb() {
    rusage self{};
    rusage children{};
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    return static_cast<double>(std::max(self.ru_maxrss, children.ru_maxrss)) / 1024.0;
}

/// Listens to the chip's actions and fills the ledger.
class LedgerObserver final : public tlm::tlm_analysis_if<ActionEvent> {
public:
    explicit LedgerObserver(EnergyLedger& ledger) : ledger_(ledger) {}
    void write(const ActionEvent& event) override { ledger_.record(event); }

private:
    EnergyLedger& ledger_;
};

std::vector<float> lane_codes(const LaneMatrix& matrix, int lane) {
    std::vector<float> codes;
    for (int channel = 0; channel < matrix.channels(); ++channel) {
        codes.push_back(matrix(channel, lane));
    }
    return codes;
}

/// Simulates one job in this process and packs what the parent needs.
std::string run_job(const RunSetup& setup, const ChipRunOptions& options, const Job& job,
                    const std::function<void(int)>& progress) {
    const std::uint64_t seed = options.seed + static_cast<std::uint64_t>(job.chip);
    ChipSystem system(setup.network, setup.chip, seed);
    EnergyLedger ledger(system.chip().units());
    LedgerObserver observer(ledger);
    system.chip().observe(observer);
    CodeComparison comparison(setup.network, setup.sequences());
    const bool traced = job.chip == 0 && job.first == 0;
    if (traced) {
        comparison.trace(0, 0, std::min(1, setup.network.layers.front().kernels.front().modes - 1), 0);
    }
    if (options.compare) {
        system.chip().set_probe(&comparison);
    }
    json result;
    result["sequences"] = json::array();
    double latency = 0.0;
    const double cpu_before = cpu_seconds(RUSAGE_SELF);
    for (const BatchInput& batch : cut_into_batches(setup.dataset, job.first, job.last, options.lanes)) {
        const std::vector<BatchResult> done = system.run({batch});
        const BatchResult& outcome = done.at(0);
        latency = static_cast<double>(outcome.finish_cycle - outcome.start_cycle);
        for (int lane = 0; lane < outcome.logits.lanes(); ++lane) {
            const std::uint64_t id = outcome.sequence_ids[static_cast<std::size_t>(lane)];
            json entry = {{"id", id}, {"logits", lane_codes(outcome.logits, lane)}};
            if (options.compare) {
                entry["reference"] = comparison.reference_logits().at(id);
            }
            result["sequences"].push_back(std::move(entry));
        }
        progress(outcome.logits.lanes());
    }
    result["cpu_s"] = cpu_seconds(RUSAGE_SELF) - cpu_before;
    result["latency_cycles"] = latency;
    result["codes"] = counts_to_json(comparison.counts());
    result["ledger"] = ledger_to_json(ledger);
    result["programming"] = programming_to_json(system.chip().programming());
    result["conversions"] = conversions_to_json(system.chip().conversions());
    if (job.first == 0 && job.chip == 0) {
        result["tiles"] = tiles_to_json(system.chip());
        result["calibration"] = calibration_to_json(system.chip().calibration());
        result["gain_calibration"] = calibration_to_json(gain_calibration(system.chip()));
        result["converter_calibration"] = calibration_to_json(converter_calibration(system.chip()));
    }
    if (traced && options.compare) {
        result["trajectory"] = trajectory_to_json(comparison.trajectory());
    }
    const std::vector<std::uint8_t> packed = json::to_cbor(result);
    return {packed.begin(), packed.end()};
}

void merge_job(const Job& job, const json& result, bool compare, ChipRunOutcome& outcome) {
    ChipOutcome& chip = outcome.chips[static_cast<std::size_t>(job.chip)];
    for (const json& sequence : result.at("sequences")) {
        const std::size_t id = sequence.at("id").get<std::size_t>();
        chip.logits[id] = sequence.at("logits").get<std::vector<float>>();
        if (compare) {
            chip.reference_logits[id] = sequence.at("reference").get<std::vector<float>>();
        }
    }
    chip.codes += counts_from_json(result.at("codes"));
    outcome.simulation_cpu_s += result.at("cpu_s").get<double>();
    outcome.conversions += conversions_from_json(result.at("conversions"));
    const json& ledger = result.at("ledger");
    for (const json& event : ledger.at("events")) {
        if (static_cast<Action>(event.at(1).get<int>()) == Action::array_read) {
            outcome.array_operations += event.at(2).get<double>();
        }
    }
    if (job.chip != 0) {
        return;
    }
    if (job.first == 0) {
        outcome.ledger = empty_ledger(ledger);
        outcome.programming = programming_from_json(result.at("programming"));
        outcome.tiles = tiles_from_json(result.at("tiles"));
        outcome.calibration = calibration_from_json(result.at("calibration"));
        outcome.gain_calibration = calibration_from_json(result.at("gain_calibration"));
        outcome.converter_calibration = calibration_from_json(result.at("converter_calibration"));
        outcome.latency_cycles = static_cast<std::int64_t>(result.at("latency_cycles").get<double>());
        if (result.contains("trajectory")) {
            outcome.trajectory = trajectory_from_json(result.at("trajectory"));
        }
    }
    add_to_ledger(ledger, outcome.ledger);
}

}  // namespace

ChipRunOutcome run_chips(const RunSetup& setup, const ChipRunOptions& options,
                         const std::function<void(int)>& on_progress) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu_before = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
    const int sequences = setup.dataset.count();
    const std::vector<Job> jobs = cut_into_jobs(options.chips, sequences, options.lanes);
    const std::vector<std::string> results = run_in_processes(
        static_cast<int>(jobs.size()), options.workers,
        [&](int job, const std::function<void(int)>& progress) {
            return run_job(setup, options, jobs[static_cast<std::size_t>(job)], progress);
        },
        on_progress);
    ChipRunOutcome outcome;
    for (int chip = 0; chip < options.chips; ++chip) {
        ChipOutcome entry;
        entry.seed = options.seed + static_cast<std::uint64_t>(chip);
        entry.logits.resize(static_cast<std::size_t>(sequences));
        entry.reference_logits.resize(options.compare ? static_cast<std::size_t>(sequences) : 0);
        outcome.chips.push_back(std::move(entry));
    }
    for (std::size_t job = 0; job < jobs.size(); ++job) {
        merge_job(jobs[job], json::from_cbor(results[job]), options.compare, outcome);
    }
    outcome.interval_cycles = sequence_interval_cycles(pipeline_of(setup.network, setup.chip), setup.network.steps);
    outcome.cpu_s = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN) - cpu_before;
    outcome.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    outcome.peak_memory_mb = peak_memory_mb();
    return outcome;
}

std::vector<float> run_with_waveform(const RunSetup& setup, std::uint64_t seed, int sequence, const std::string& path,
                                     const VcdSelection& selection) {
    // The tracer appends ".vcd" to names without it.
    const std::string temporary = path + ".tmp" + std::to_string(::getpid()) + ".vcd";
    const std::vector<std::string> results = run_in_processes(
        1, 1,
        [&](int /*job*/, const std::function<void(int)>& /*progress*/) {
            ChipSystem system(setup.network, setup.chip, seed);
            const VcdTrace trace(system.chip(), temporary, selection);
            const std::vector<BatchResult> done =
                system.run(cut_into_batches(setup.dataset, sequence, sequence + 1, 1));
            return json(lane_codes(done.at(0).logits, 0)).dump();
        },
        [](int /*done*/) {});
    commit_streamed_file(temporary, path);
    return json::parse(results.at(0)).get<std::vector<float>>();
}

std::vector<std::vector<float>> run_reference(const RunSetup& setup, const ChipRunOptions& options,
                                              const std::function<void(int)>& on_progress) {
    const std::vector<Job> jobs = cut_into_jobs(1, setup.dataset.count(), options.lanes);
    const std::vector<std::string> results = run_in_processes(
        static_cast<int>(jobs.size()), options.workers,
        [&](int index, const std::function<void(int)>& progress) {
            const Job& job = jobs[static_cast<std::size_t>(index)];
            const ReferenceInference inference(setup.network);
            json logits = json::array();
            for (const BatchInput& batch : cut_into_batches(setup.dataset, job.first, job.last, options.lanes)) {
                const ReferenceResult result =
                    inference.run(batch.values, batch.sequence_ids, options.seed, batch.lengths);
                for (int lane = 0; lane < result.logits.lanes(); ++lane) {
                    logits.push_back(lane_codes(result.logits, lane));
                }
                progress(result.logits.lanes());
            }
            return logits.dump();
        },
        on_progress);
    std::vector<std::vector<float>> logits;
    for (const std::string& result : results) {
        for (const json& codes : json::parse(result)) {
            logits.push_back(codes.get<std::vector<float>>());
        }
    }
    return logits;
}

}  // namespace imssa

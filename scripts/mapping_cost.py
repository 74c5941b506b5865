#!/usr/bin/env python3
"""Energy, latency, area and accuracy of a kernel step for each mapping: makes docs/results/mapping-cost.md again.

usage: scripts/mapping_cost.py --data DIR [--sequences N] [--chips N] > PAGE
       scripts/mapping_cost.py --data DIR --accuracies PAGE > NEW    accuracies from a page, which do not depend on prices
       scripts/mapping_cost.py --data DIR --only TEXT                only rows of mappings whose name holds TEXT
       scripts/mapping_cost.py --data DIR --trained                  only the networks trained for their own mapping
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

CHECKPOINT = "scenarios/checkpoints/smnist_small_8bit.h5"
CHIP = "scenarios/chips/ideal.toml"  # timing and prices of imssa_28nm; errors: two of its cells' alone
ERRORS = ["device.programming_mean_siemens=0.108e-6", "device.programming_sigma_siemens=3.894e-6",
          "device.read_noise_relative=0.01"]  # TaOx: 2.6 % of the window; no stuck cells
COST_SEQUENCES = 64  # costs depend little on data: the mean of these on one programmed chip
CALIBRATED_SEQUENCES = 200  # start-up calibration of every chip is slow
FUSED = ["kernel.mapping=fused", "kernel.input_matrix=cells", "kernel.state_scale=mode"]
INCREMENTS = FUSED + ["kernel.form=immediate", "kernel.representation=abar_delta", "kernel.registers=accumulate"]
CALIBRATED = ["calibration.poles=exact_radius", "calibration.reads_per_mode=256"]
MAPPINGS = [
    ("fused, delayed (as published)", FUSED + ["kernel.form=delayed", "kernel.representation=abar_cartesian",
                                               "kernel.registers=replace"]),
    ("fused, immediate", FUSED + ["kernel.form=immediate", "kernel.representation=abar_cartesian",
                                  "kernel.registers=replace"]),
    ("fused, increments (abar_delta)", INCREMENTS),
    ("fused, increments, poles calibrated", INCREMENTS + CALIBRATED),
    ("fused, increments with a range a part (64 x 128 tiles), poles calibrated",
     INCREMENTS + CALIBRATED + ["kernel.state_range=planes", "mapping.tile_columns=128"]),
    ("digital decay, B in cells", ["kernel.form=immediate", "kernel.input_matrix=cells"]),
    ("digital decay, B folded", []),
]
# Networks that were trained for the mapping that they run on: the kernel options are the checkpoint's own.
TRAINED = [
    ("fused, delayed (as published)", "smnist_small_fused.h5"),
    ("fused, increments, 8-bit registers, dithered", "smnist_small_8bit_states.h5"),
]


def infer(arguments, overrides, folder, checkpoint=CHECKPOINT):
    result = os.path.join(folder, "result.json")
    command = ["build/release/bin/infer", "--checkpoint", checkpoint, "--chip", CHIP, "--quiet", "--json", result]
    for override in overrides:
        command += ["--set", override]
    done = subprocess.run(command + arguments, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s\n%s" % (" ".join(command + arguments), done.stderr))
    with open(result, encoding="utf-8") as stream:
        return json.load(stream)


def kernel_step(run):
    """Joules of one head's kernel step by component, their range, time and area."""
    model = run["config"]["model"]
    steps = run["config"]["steps"] * model["heads"] * model["layers"]
    parts, counts, low, high = {}, {}, 0.0, 0.0
    for row in run["energy_j"]["rows"]:
        if ".kernel." not in row["unit"] or row["component"] == "leakage":
            continue
        parts[row["component"]] = parts.get(row["component"], 0.0) + row["energy_per_sequence_j"] / steps
        counts[row["item"]] = counts.get(row["item"], 0.0) + row["count_per_sequence"] / steps
        low += row["low_j"] / steps
        high += row["high_j"] / steps
    area = sum(row["area_mm2"] for row in run["area_mm2"]["rows"] if ".kernel." in row["unit"])
    return {"parts": parts, "counts": counts, "total": sum(parts.values()), "low": low, "high": high,
            "area": area / model["heads"] / model["layers"], "time": run["latency_s"]["units"]["layer0.kernel"]}


def less(factor):
    """How many times less, or more."""
    return "%.1f times less" % factor if factor >= 1 else "%.1f times more" % (1 / factor)


def by_hand(fused, digital):
    """The section that sets an estimate by hand beside two kernel steps; every word of comparison follows from them."""
    conversions = fused["counts"]["adc_conversion"], digital["counts"]["adc_conversion"]
    products = digital["counts"]["digital_multiply"]
    recurrence = digital["parts"]["adc"] + digital["parts"]["digital"]
    factors = [fused[key] / digital[key] for key in ("total", "low", "high")]
    same_side = min(factors) > 1 or max(factors) < 1
    return """
## The estimate by hand

*Claim: at 28 nm digital decay needs 32 multiplications (about 3 pJ) and one conversion a head and step, where the fused array needs
17 conversions (about 45 pJ).*

* Conversions: fused %.3g, %s pJ (%.2f times the claim's number); digital decay %.3g, %s pJ (%.2f times).
* Multiplications: %.3g of 8 x 8 bits with decay and feedthrough, %.2f times the claim's 32: a product with a 16-bit register counts
  twice. With the additions they take %s pJ, %.2f times the claim's 3.
* Together: ADC and decay of digital decay take %s pJ against %s pJ of ADC in the fused array, %s. With drivers,
  amplifiers, cells and registers a step takes %s against %s pJ, %s; with all prices low it is %s,
  with all prices high %s: the range of the prices moves the factor%s.""" % (
        conversions[0], pj(fused["parts"]["adc"]), conversions[0] / 17, conversions[1], pj(digital["parts"]["adc"]),
        conversions[1], products, products / 32, pj(digital["parts"]["digital"]), digital["parts"]["digital"] / 3e-12,
        pj(recurrence), pj(fused["parts"]["adc"]), less(fused["parts"]["adc"] / recurrence), pj(digital["total"]),
        pj(fused["total"]), less(factors[0]), less(factors[1]), less(factors[2]),
        ", not its sign" if same_side else " and its sign")


def pj(value):
    return "%.3g" % (1e12 * value)


def page_accuracies(path):
    """The two columns of accuracy of every row of a page, by mapping and cells a weight."""
    columns = {}
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if line.startswith("| ") and len(cells) == 10 and (cells[1] in ("2", "4") or cells[1].endswith(".h5`")):
                columns[(cells[0], cells[1])] = (cells[8], cells[9])
    return columns


def measured_accuracies(name, these, options, data, folder, checkpoint=CHECKPOINT):
    """The two columns of accuracy, from runs without device errors and on several programmed chips."""
    calibrated = "poles calibrated" in name
    sequences = min(options.sequences, CALIBRATED_SEQUENCES) if calibrated else options.sequences
    arguments = ["--sequences", str(sequences), "--no-compare"] + data
    ideal = infer(arguments, these, folder, checkpoint)
    run = infer(arguments + ["--chips", str(options.chips)], these + ERRORS, folder, checkpoint)
    spread = run["accuracy_chips"]
    return ("%.1f %%" % (100 * ideal["accuracy"]),
            "%.1f %% (%.1f to %.1f)%s" % (100 * run["accuracy"], 100 * spread["lowest"], 100 * spread["highest"],
                                          " (%d sequences)" % sequences if calibrated else ""))


def row(name, second, step, accuracies):
    parts = step["parts"]
    return "| %s | %s | **%s** (%s to %s) | %s + %s | %s | %s | %s | %s | %s | %s |" % (
        name, second, pj(step["total"]), pj(step["low"]), pj(step["high"]), pj(parts["adc"]), pj(parts["dac_drivers"]),
        pj(parts["tia_sample_hold"]), pj(parts["array"]),
        pj(parts.get("digital", 0.0) + parts.get("coefficients", 0.0)), pj(parts["state_registers"]), *accuracies)


def trained_section(options, data, known, folder):
    """Networks on the mapping that they were trained for; four cells a weight, everything else as above."""
    lines = ["", "## Networks trained for their mapping", "",
             "The accuracies above are those of one network, which was trained for digital decay with 16-bit registers. "
             "These were trained for\nthe mapping that they run on (same shape, four cells a weight, same errors):", "",
             "| mapping | network | energy, pJ (range) | converters ADC + DAC | amplifiers | cells | decay and digital | "
             "registers | accuracy without errors | at 2.6 % |", "|---|---|---|---|---|---|---|---|---|---|"]
    reached = []
    for name, file in TRAINED:
        checkpoint = "scenarios/checkpoints/" + file
        accuracies = (known.get((name, "`%s`" % file))
                      or measured_accuracies(name, [], options, data, folder, checkpoint))
        run = infer(["--sequences", str(COST_SEQUENCES), "--no-compare"] + data, ERRORS, folder, checkpoint)
        lines.append(row(name, "`%s`" % file, kernel_step(run), accuracies))
        reached.append(accuracies)
    lines += ["", "Trained for it, the published mapping reaches %s in exact cells and %s in programmed ones: training on codes does "
              "not make it\nstand errors of the cells. Increments in 8-bit registers, with dither, go from %s to %s." %
              (reached[0] + reached[1])]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--chips", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--accuracies", default="")
    parser.add_argument("--trained", action="store_true")
    options = parser.parse_args()
    data = ["--data", options.data]
    known = page_accuracies(options.accuracies) if options.accuracies else {}
    detail, sharing = [], []
    with tempfile.TemporaryDirectory() as folder:
        if options.trained or not options.only:
            trained = trained_section(options, data, known, folder)
        if options.trained:
            print(trained)
            return
        activity = os.path.join(folder, "activity.toml")
        for name, overrides in [one for one in MAPPINGS if options.only in one[0]]:
            for cells in (4, 2):
                these = overrides + ["mapping.cells_per_weight=%d" % cells]
                priced = these + ERRORS
                accuracies = known.get((name, str(cells))) or measured_accuracies(name, these, options, data, folder)
                run = infer(["--sequences", str(COST_SEQUENCES), "--no-compare", "--write-activity", activity] + data,
                            priced, folder)
                detail.append((name, cells, kernel_step(run), accuracies))
                for columns in (1, 8, 64):
                    estimate = infer(["--engine", "estimate", "--activity", activity, "--sequences", "1"] + data,
                                     priced + ["timing.columns_per_adc=%d" % columns], folder)
                    sharing.append((name, cells, columns, kernel_step(estimate), estimate))

    print("""# What a kernel step costs in each mapping

Made by `scripts/mapping_cost.py --data DIR > PAGE`: the network of `smnist_small_8bit.h5` (2 layers of 32 heads with 8 modes) on the
28 nm chip with 64 x 64 tiles, the same 8-bit converters (2.66 pJ, 1.33 to 4.5) and prices in all rows (`costs_28nm.toml`). One step
of one head's kernel: its converters, amplifiers, cells, registers, decay, feedthrough (D in float32: three 8 x 8-bit products) and
sequencer (shared by the heads); without leakage, mixing, layer unit and buffers. Means of %d sequences on one programmed chip; the
range adds up all low and all high prices. With `--accuracies PAGE` only costs are made again.

Accuracy: %d test sequences, without device errors and, as the mean of %d programmed chips (lowest to highest), with the measured
programming error of 2.6 %% of the window and 1 %% read noise and no other error (`ideal.toml` with these two; the chip files have
every error on). The network was fine-tuned for digital decay with B folded; the others run its parameters without fine-tuning of
their own. Poles calibrated: after programming the chip measures the radius of every pole and stores a digital gain a mode.
""" % (COST_SEQUENCES, options.sequences, options.chips))
    print("| mapping | cells a weight | energy, pJ (range) | converters ADC + DAC | amplifiers | cells | decay and digital | "
          "registers | accuracy without errors | at 2.6 % |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, cells, step, accuracies in detail:
        print(row(name, cells, step, accuracies))
    print("\n## Sharing of converters\n\nThe number of conversions does not depend on how many columns share a converter; "
          "time and area do. Whole-chip figures: one\nsequence of 784 steps, streaming; the activity of the arrays is that of the table above.\n")
    print("| mapping | cells a weight | columns an ADC | kernel step, ns | area of a head's kernel, um2 | chip: energy, uJ (90 % "
          "range) | sequences/s | chip area, mm2 |")
    print("|---|---|---|---|---|---|---|---|")
    for name, cells, columns, step, run in sharing:
        draws = run["energy_j"]["monte_carlo"]
        print("| %s | %d | %d | %.0f | %.0f | %.3g (%.3g to %.3g) | %.0f | %.3f |" % (
            name, cells, columns, 1e9 * step["time"], 1e6 * step["area"], 1e6 * run["energy_j"]["sequence"],
            1e6 * draws["quantile_05_j"], 1e6 * draws["quantile_95_j"], run["throughput_sequences_per_s"],
            run["area_mm2"]["total"]))
    if options.only:
        return
    print(trained)
    rows = {(name, cells): (step, accuracies) for name, cells, step, accuracies in detail}
    poles, poles_accuracy = rows[("fused, increments, poles calibrated", 4)]
    planes, planes_accuracy = rows[("fused, increments with a range a part (64 x 128 tiles), poles calibrated", 4)]
    plain, plain_accuracy = rows[("fused, increments (abar_delta)", 4)]
    cells_b, cells_b_accuracy = rows[("digital decay, B in cells", 4)]
    folded, folded_accuracy = rows[("digital decay, B folded", 4)]
    gains = poles["parts"]["digital"] - plain["parts"]["digital"]
    print("""
## Calibrating poles

At four cells a weight and 2.6 %% error, increments in cells reach %s; with calibrated poles
%s, at the same %s pJ of conversions: the digital gains (a product of 16 x 16 bits
a state component) take %s of %s pJ. A range of its own for every part (planes) takes %.1f times the conversions and amplifiers and
reaches %s with this network, which was not trained for it. Digital decay with B in cells
costs %s pJ and reaches %s; with B folded it costs %s pJ and reaches %s: the
errors of the cells are not in the recurrence at all.""" % (
        plain_accuracy[1], poles_accuracy[1], pj(poles["parts"]["adc"]), pj(gains), pj(poles["total"]),
        (planes["parts"]["adc"] + planes["parts"]["tia_sample_hold"])
        / (poles["parts"]["adc"] + poles["parts"]["tia_sample_hold"]),
        planes_accuracy[1], pj(cells_b["total"]), cells_b_accuracy[1], pj(folded["total"]), folded_accuracy[1]))
    print(by_hand(detail[0][2], detail[-2][2]))


if __name__ == "__main__":
    main()

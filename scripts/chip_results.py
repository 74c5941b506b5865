#!/usr/bin/env python3
"""Rows of docs/results/chip.md: accuracy, energy, latency and area of the demo networks on programmed chips.

usage: scripts/chip_results.py --data DIR --results FOLDER [--threads N] [--only TEXT]

Runs every row with build/release/bin/infer: accuracy on ten chips, which is kept as JSON in FOLDER and not run again,
and costs, the mean of four sequences on the first chip, which prices change and accuracies do not. Prints the tables as
Markdown.
"""
import argparse
import json
import os
import re
import subprocess
import sys

CHIPS = 10
ALONE = ["device.fault_remap=none"]
NO_WIRES = ["wires.row_ohm_per_cell=0", "wires.column_ohm_per_cell=0", "wires.driver_ohm=0", "wires.sense_ohm=0"]
VERIFIED = ["device.write_verify.enabled=true", "device.write_verify.tolerance_siemens=1e-6",
            "device.write_verify.max_pulses=100"]

# label, chip file, checkpoint, sequences, overrides
PLATFORMS = [
    ("`ideal`", "ideal", "8bit", 500, []),
    ("`imssa_28nm`", "imssa_28nm", "8bit", 1000, []),
    ("`imssa_28nm`", "imssa_28nm", "8bit_noise", 1000, []),
    ("`imssa_180nm`", "imssa_180nm", "fused", 500, []),
    ("`imssa_180nm`", "imssa_180nm", "8bit", 500, []),
    ("`pcm_14nm`, one day of drift", "pcm_14nm", "8bit", 500, []),
    ("`pcm_14nm`, one day of drift", "pcm_14nm", "8bit_noise", 500, []),
    ("`sram_65nm`", "sram_65nm", "8bit", 500, []),
    ("`sram_65nm`", "sram_65nm", "8bit_noise", 500, []),
    ("`sram_22nm`", "sram_22nm", "8bit", 500, []),
    ("`sram_22nm`", "sram_22nm", "8bit_noise", 500, []),
]
MAPPING_OPTIONS = [
    ("digital decay, B folded into C (default)", "imssa_28nm", []),
    ("digital decay beside the array, B in cells", "imssa_28nm", ["kernel.form=immediate", "kernel.input_matrix=cells"]),
    ("default, two cells a weight", "imssa_28nm", ["mapping.cells_per_weight=2"]),
    ("digital decay, log-polar poles", "imssa_28nm", ["kernel.representation=abar_log_polar"]),
    ("digital decay, C digital too", "imssa_28nm", ["mapping.kernel_output=digital"]),
    ("default, heads on the diagonal", "imssa_28nm", ["mapping.packing=diagonal"]),
    ("default, row-gated heads", "imssa_28nm", ["mapping.packing=row_gated"]),
    ("default, row-gated heads, tiles of 256 rows", "imssa_28nm", ["mapping.packing=row_gated", "mapping.tile_rows=256"]),
    ("default, two slices a weight", "imssa_28nm", ["mapping.weight_slices=2"]),
    ("default, one set of drivers and converters a layer", "imssa_28nm", ["timing.kernel_sites=1"]),
    ("Abar - 1, B, C in cells, planes, calibrated poles (`imssa_28nm_delta`)", "imssa_28nm_delta", []),
    ("the same, B digital", "imssa_28nm_delta", ["mapping.kernel_input=digital"]),
    ("the same, a range a mode instead of planes", "imssa_28nm_delta", ["kernel.state_range=mode"]),
    ("the same, a range a head", "imssa_28nm_delta", ["kernel.state_range=head"]),
    ("the same, delayed", "imssa_28nm_delta", ["kernel.form=delayed"]),
    ("Abar, B, C in cells, immediate", "imssa_28nm_fused", ["kernel.form=immediate"]),
    ("Abar, B, C in cells, delayed (published; `imssa_28nm_fused`)", "imssa_28nm_fused", []),
]
MAPPINGS = [(label, chip, checkpoint, 250, options)
            for label, chip, options in MAPPING_OPTIONS
            for checkpoint in (["8bit", "fused"] if "fused" in chip else ["8bit", "8bit_noise"])]
REMEDIES = [
    ("published fused mapping", "imssa_28nm_fused", "fused", 500, []),
    ("with pole calibration (`exact_radius`)", "imssa_28nm_fused", "fused", 500, ["calibration.poles=exact_radius"]),
    ("increments in cells, no calibration", "imssa_28nm_delta", "8bit_noise", 500, ["calibration.poles=none"]),
    ("with pole calibration", "imssa_28nm_delta", "8bit_noise", 500, []),
] + [(label, "imssa_28nm", checkpoint, 500, options)
     for label, options in [("digital decay, stuck cells left alone", ALONE), ("with `compensate`", []),
                            ("with `compensate` and write-verify to 1 uS", VERIFIED),
                            ("stuck cells left alone, four parallel cells", ALONE + ["device.parallel_cells=4"])]
     for checkpoint in ("8bit", "8bit_noise")] + [
    ("stuck cells left alone, no wire resistance", "imssa_28nm", "8bit", 500, ALONE + NO_WIRES),
    ("the same, four parallel cells", "imssa_28nm", "8bit", 500, ALONE + NO_WIRES + ["device.parallel_cells=4"]),
]
CALIBRATIONS = [(label, "imssa_28nm", "8bit_noise", 250, options) for label, options in [
    ("columns and converters (default)", []),
    ("converters only", ["read.gain_calibration=false"]),
    ("columns only", ["adc.calibrate=false"]),
    ("neither", ["read.gain_calibration=false", "adc.calibrate=false"]),
    ("columns and converters, no wires", NO_WIRES),
    ("converters only, no wires", NO_WIRES + ["read.gain_calibration=false"])]]
BITS = [("ADC %d bits, DAC %d bits" % (adc, dac), "imssa_28nm", "8bit_noise", 250,
         ["adc.bits=%d" % adc, "dac.bits=%d" % dac])
        for adc, dac in [(8, 8), (7, 8), (6, 8), (5, 8), (4, 8), (8, 7), (8, 6)]]
PARTIAL = [(label + suffix, chip, "8bit_noise", 250, options + more)
           for label, chip, options in [("`imssa_28nm`, two slices a weight", "imssa_28nm", ["mapping.weight_slices=2"]),
                                        ("`sram_22nm`, seven slices", "sram_22nm", [])]
           for suffix, more in [(", as wide as the sums", []), (", 8 bits", ["adc.bits=8"])]]
WHOLE_SET = [("`imssa_28nm`", "imssa_28nm", checkpoint, sequences, [])
             for checkpoint, sequences in [("8bit", 0), ("8bit_noise", 2500)]]
TABLES = [("Whole test set", WHOLE_SET), ("Start-up calibration", CALIBRATIONS), ("Platforms", PLATFORMS),
          ("Mappings", MAPPINGS), ("Remedies", REMEDIES), ("Bits of the converters", BITS), ("Partial sums", PARTIAL)]


def run(arguments, row, more, path):
    label, chip, checkpoint, _, options = row
    command = ["build/release/bin/infer", "--checkpoint", f"scenarios/checkpoints/smnist_small_{checkpoint}.h5",
               "--chip", f"scenarios/chips/{chip}.toml", "--data", arguments.data, "--threads", str(arguments.threads),
               "--quiet", "--json", path] + more
    for option in options:
        command += ["--set", option]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s: %s" % (label, done.stderr.strip()))


def result(arguments, row, name, more, keep):
    words = [name] + list(row[1:3]) + [str(row[3])] + row[4]
    path = os.path.join(arguments.results, re.sub(r"[^A-Za-z0-9_.=-]+", "_", "_".join(words)) + ".json")
    if not keep or not os.path.exists(path):
        run(arguments, row, more, path)
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def if_priced(value, factor, unit):
    return "not priced" if value is None else f"{factor * value:.3g} {unit}"


def print_row(arguments, row):
    sequences = ["--sequences", str(row[3])]
    chips = ["--chips", str(CHIPS), "--lanes", "250", "--no-compare"]
    on_chips = result(arguments, row, "chips", sequences + chips, True)
    reference = result(arguments, row, "reference", sequences + ["--engine", "reference"], True)["accuracy"]
    costs = result(arguments, row, "costs", ["--sequences", "4", "--no-compare"], False)
    spread = on_chips["accuracy_chips"]
    programming = costs["programming"]
    print(f"| {row[0]} | {row[2]} | {on_chips['sequences']:,} | {100 * reference:.2f} % | "
          f"{100 * on_chips['accuracy']:.2f} % | {100 * spread['lowest']:.2f} to {100 * spread['highest']:.2f} % | "
          f"{100 * spread['standard_deviation']:.2f} | {100 * (reference - on_chips['accuracy']):.2f} | "
          f"{1e6 * costs['energy_j']['sequence']:.3g} uJ | {1e6 * costs['latency_s']['sequence']:.4g} us | "
          f"{costs['area_mm2']['total']:.2f} mm2 | {if_priced(programming['energy_j'], 1e6, 'uJ')}, "
          f"{if_priced(programming['time_s'], 1e3, 'ms')} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help="tables whose title holds this")
    arguments = parser.parse_args()
    os.makedirs(arguments.results, exist_ok=True)
    for title, rows in TABLES:
        if arguments.only not in title:
            continue
        print(f"\n## {title}\n")
        print("| chip | checkpoint | sequences | reference | mean of ten chips | lowest to highest | st. dev. | loss, points | energy | "
              "latency | area | programming |")
        print("|---|---|---|---|---|---|---|---|---|---|---|---|")
        for row in rows:
            print_row(arguments, row)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Rows of docs/results/quantization-sensitivity.md: S4D-16h of Zhao et al. with one group quantized after training.

usage: scripts/quantization_sensitivity.py --data DIR --init CHECKPOINT --out FOLDER [--bits 16 8 6 4 2]

Runs build/release/bin/train --ptq for every group and number of bits, keeps each result as JSON in FOLDER, where it is
not measured again, and prints test accuracies in percent as a Markdown table.
"""
import argparse
import json
import os
import subprocess
import sys

SCENARIO = "scenarios/smnist_s4d_16h.toml"
PERCENTILE = 99.999  # Zhao et al., arXiv 2506.12480

# label, published accuracies at 16, 8, 6, 4 and 2 bits (their figure 2), quantized groups, other keys
ROWS = [
    ("Abar", [97.1, 72.4, 9.2, 10.3, 9.7], ["abar"], {}),
    ("Bbar", [97.1, 97.1, 97.1, 96.8, 85.9], ["bbar"], {}),
    ("C", [97.1, 97.1, 97.0, 96.7, 68.8], ["c"], {}),
    ("D", [97.1, 97.1, 97.1, 97.1, 96.0], ["d"], {}),
    ("state, static", [97.1, 44.0, 11.8, 10.3, 11.9], ["state"], {"state_limit": 50.0}),
    ("state, dynamic", [97.1, 88.6, 17.6, 11.1, 10.1], ["state"],
     {"state_limit": 50.0, "state.ranges": "dynamic"}),
    ("other activations, static", [96.9, 97.0, 96.2, 70.0, 16.8], ["activations"], {}),
    ("other activations, dynamic", [97.1, 97.0, 96.8, 88.8, 13.7], ["activations"], {"activations.ranges": "dynamic"}),
]
PUBLISHED_BITS = [16, 8, 6, 4, 2]


def settings(groups, keys, bits):
    """Asymmetric grids, a range a head (an activation or a D: over the tensor), percentile ranges unless dynamic."""
    values = {}
    for group in groups:
        values[f"{group}.quantizer"] = "asymmetric"
        values[f"{group}.bits"] = bits
        if group not in ("activations", "d"):
            values[f"{group}.scale"] = "head"
        if keys.get(f"{group}.ranges") != "dynamic":
            values[f"{group}.percentile"] = PERCENTILE
    values.update(keys)
    return [f"fake_quantization.{key}={value}" for key, value in values.items()]


def accuracy(arguments, label, groups, keys, bits):
    """Test accuracy of a quantized network in percent."""
    path = os.path.join(arguments.out, f"{label.replace(', ', '_').replace(' ', '_')}_{bits}.json")
    if not os.path.exists(path):
        command = [arguments.program, "--config", SCENARIO, "--data", arguments.data, "--init", arguments.init, "--ptq",
                   "--out", arguments.out, "--json", path, "--quiet"]
        for setting in settings(groups, keys, bits):
            command += ["--set", setting]
        if subprocess.run(command, check=False).returncode != 0:
            sys.exit(f"quantization_sensitivity: failed: {' '.join(command)}")
    with open(path, encoding="utf-8") as file:
        return 100.0 * json.load(file)["post_training"]["accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the data sets")
    parser.add_argument("--init", required=True, help="float checkpoint of scenarios/smnist_s4d_16h.toml")
    parser.add_argument("--out", required=True, help="folder of the results")
    parser.add_argument("--bits", nargs="*", type=int, default=PUBLISHED_BITS)
    parser.add_argument("--program", default="build/release/bin/train")
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    print("| quantized only |" + "".join(f" {bits} bits (published) |" for bits in arguments.bits))
    print("| --- |" + " --- |" * len(arguments.bits))
    for label, published, groups, keys in ROWS:
        cells = []
        for bits in arguments.bits:
            beside = f" ({published[PUBLISHED_BITS.index(bits)]:.1f})" if bits in PUBLISHED_BITS else ""
            cells.append(f" {accuracy(arguments, label, groups, keys, bits):.1f}{beside} |")
        print(f"| {label} |" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Threads and quantization: the trainer's step against itself.

For each configuration (layers, H, N; with GLU or not), on a batch of 64 sequences of 784 steps:
  - the step in float on one thread and on two: speed-up in wall time;
  - two programs of one thread each, side by side: how many times the steps of one alone they do together, which is
    what two cores of this machine have to give (caches, memory and neighbours are shared);
  - the step with everything at 8 bits and the states quantized in the loop, against the step in float on one thread:
    ratio of CPU time.
Runs of the two alternate; the times are the least of all runs, the ratios the medians of the rounds' ratios (least and
greatest in brackets). Build the preset `release` first.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys

CONFIGURATIONS = ["2,32,8", "2,32,16", "2,64,16", "4,64,16", "1,128,16", "4,128,64"]


def measure(arguments, shape, glu, threads, copies=1):
    """Medians of a run in ms: (wall of a float step, CPU of a float step, CPU of a quantized step); means of copies."""
    command = [arguments.program, *shape, str(int(glu)), str(threads), str(arguments.seconds)]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(copies)]
    lines = [program.communicate()[0] for program in programs]
    if any(program.returncode != 0 for program in programs):
        sys.exit(f"train_step_ratios: {' '.join(command)} failed")
    return [statistics.mean(numbers) for numbers in zip(*map(numbers_of, lines))]


def numbers_of(line):
    number = r"[\d.]+ \(([\d.]+)\)"
    found = re.search(rf"train: wall {number}, CPU {number}  8 bits: wall {number}, CPU {number}", line)
    return float(found[1]), float(found[2]), float(found[4])


def spread(ratios):
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def compare(arguments, shape, glu):
    rounds = [
        (measure(arguments, shape, glu, 1), measure(arguments, shape, glu, 2), measure(arguments, shape, glu, 1, copies=2))
        for _ in range(arguments.rounds)
    ]
    one, two, copies = ([wall for wall, _, _ in side] for side in zip(*rounds))
    cpu_float, cpu_quantized = ([single[clock] for single, _, _ in rounds] for clock in (1, 2))
    print(
        f"| {', '.join(shape)}{' GLU' if glu else ''} | {min(one):.1f} | {min(two):.1f} | "
        f"{spread([a / b for a, b in zip(one, two)])} | {spread([2.0 * a / b for a, b in zip(one, copies)])} | "
        f"{min(cpu_float):.1f} | {min(cpu_quantized):.1f} | "
        f"{spread([b / a for a, b in zip(cpu_float, cpu_quantized)])} |",
        flush=True,
    )


def main():
    default = os.path.join(os.path.dirname(__file__), "../../build/release/bin/train_step_bench")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.normpath(default), help="train_step_bench of the release build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each kind of step in a run")
    parser.add_argument("--config", nargs="*", default=CONFIGURATIONS, help="layers,heads,states")
    arguments = parser.parse_args()
    if not os.path.exists(arguments.program):
        sys.exit(f"train_step_ratios: no program {arguments.program}; build the preset release")
    print(f"load {os.getloadavg()[0]:.1f} at the start; milliseconds")
    print("| layers, H, N | one thread, wall | two threads, wall | speed-up | of two programs | float, CPU | 8 bits, CPU | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for configuration in arguments.config:
        for glu in (False, True):
            compare(arguments, configuration.split(","), glu)


if __name__ == "__main__":
    main()

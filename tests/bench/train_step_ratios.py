#!/usr/bin/env python3
"""Threads and quantization: the trainer's step against itself.

For each configuration (layers, H, N; with GLU or not), on a batch of 64 sequences of 784 steps:
  - the step in float on one thread and on two: speed-up in wall time;
  - two programs of one thread each, side by side: how many times the steps of one alone they do together, which is
    what two cores of this machine have to give (caches, memory and neighbours are shared);
  - the step with everything at 8 bits and the states quantized in the loop, against the step in float on one thread:
    ratio of CPU time.
Programs that wait for commands take bursts of steps in turn, so that all of them see the same neighbours; the first
steps of a burst, which find cold caches, do not count. Times are the lower quartiles of all steps, their ratio follows;
in brackets the median (least to greatest) of the bursts' ratios. Build the preset `release` first.
"""
import argparse
import os
import statistics
import subprocess
import sys
import threading

CONFIGURATIONS = ["2,32,8", "2,32,16", "2,64,16", "4,64,16", "1,128,16", "4,128,64"]
COLD_STEPS = 3


class Program:
    """A train_step_bench that makes steps on command."""

    def __init__(self, program, shape, glu, threads):
        command = [program, *shape, str(int(glu)), str(threads), "serve"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def burst(self, kind, steps, clock):
        """Milliseconds of each step; clock 0: wall, 1: CPU."""
        times = []
        for _ in range(COLD_STEPS + steps):
            self.process.stdin.write(kind + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().split()
            if len(answer) != 2:
                sys.exit("train_step_ratios: the benchmark ended early")
            times.append(float(answer[clock]))
        return times[COLD_STEPS:]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def side_by_side(programs, steps):
    """Steps of programs that run at the same time."""
    times = [[] for _ in programs]

    def run(at):
        times[at] = programs[at].burst("train", steps, 0)

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(programs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(times, [])


def lower_quartile(bursts):
    times = sorted(sum(bursts, []))
    return times[len(times) // 4]


def ratio(over, under, factor=1.0):
    """Of the lower quartiles, and of the bursts."""
    bursts = sorted(factor * statistics.median(a) / statistics.median(b) for a, b in zip(over, under))
    return (
        f"{factor * lower_quartile(over) / lower_quartile(under):.2f} "
        f"({statistics.median(bursts):.2f}, {bursts[0]:.2f} to {bursts[-1]:.2f})"
    )


def compare(arguments, shape, glu):
    one, other, two = (Program(arguments.program, shape, glu, threads) for threads in (1, 1, 2))
    kinds = {
        "one": lambda steps: one.burst("train", steps, 0),
        "two": lambda steps: two.burst("train", steps, 0),
        "programs": lambda steps: side_by_side([one, other], steps),
        "float": lambda steps: one.burst("train", steps, 1),
        "quantized": lambda steps: one.burst("quantized", steps, 1),
    }
    step_ms = statistics.median(one.burst("train", 2, 0))
    steps = max(4, round(1e3 * arguments.seconds / step_ms))
    times = {kind: [] for kind in kinds}
    for _ in range(arguments.rounds):
        for kind, run in kinds.items():
            times[kind].append(run(steps))
    for program in (one, other, two):
        program.close()
    print(
        f"| {', '.join(shape)}{' GLU' if glu else ''} | {lower_quartile(times['one']):.1f} | "
        f"{lower_quartile(times['two']):.1f} | {ratio(times['one'], times['two'])} | "
        f"{ratio(times['one'], times['programs'], 2.0)} | {lower_quartile(times['float']):.1f} | "
        f"{lower_quartile(times['quantized']):.1f} | {ratio(times['quantized'], times['float'])} |",
        flush=True,
    )


def main():
    default = os.path.join(os.path.dirname(__file__), "../../build/release/bin/train_step_bench")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.normpath(default), help="train_step_bench of the release build")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.4, help="of a burst of steps on one thread")
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

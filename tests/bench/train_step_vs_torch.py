#!/usr/bin/env python3
"""Compares a step of the trainer with PyTorch on the same number of threads.

Usage: train_step_vs_torch.py [--program PATH] [--threads 2] [--rounds 8] [--config L,H,N ...] [--glu no|yes|both]

A step is forward, backward and AdamW on a batch of 64 sequences of 784 steps in float32; inference is the forward pass
without gradients. The peer is S4D in its usual form: the kernel is materialised from the continuous parameters, applied
by FFT convolution, then D, GELU and a 1x1 convolution (H -> H, or H -> 2H with a gated linear unit), residual and layer
norm, between a linear encoder and mean pooling with a linear decoder. The two programs alternate step by step, so that
other load on the machine hits both. Prints a row per configuration: minimum and median over the steps of wall and CPU
time in milliseconds, and PyTorch's time divided by ours.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

BATCH, STEPS, CLASSES = 64, 784, 10
# PyTorch's threads sleep at their barriers. By default they spin, which costs them many times the CPU time when the
# machine has other load.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
CONFIGURATIONS = [(2, 32, 8), (2, 64, 16), (4, 64, 16), (1, 128, 16), (4, 128, 64)]

try:
    import torch
    from torch import nn
except ImportError:
    print("train_step_vs_torch: skipped, PyTorch is not installed (Debian: python3-torch)")
    sys.exit(0)


class Kernel(nn.Module):
    """S4D-Lin, zero-order hold: heads x steps values of the convolution kernel."""

    def __init__(self, heads, states, dt_min=1e-3, dt_max=1e-1):
        super().__init__()
        modes = states // 2
        low, high = torch.log(torch.tensor([dt_min, dt_max])).tolist()
        self.log_dt = nn.Parameter(torch.rand(heads) * (high - low) + low)
        self.c = nn.Parameter(torch.view_as_real(torch.randn(heads, modes, dtype=torch.cfloat)))
        self.log_neg_re = nn.Parameter(torch.log(torch.full((heads, modes), 0.5)))
        self.im = nn.Parameter(torch.pi * torch.arange(modes).repeat(heads, 1).float())

    def forward(self, steps):
        dt = torch.exp(self.log_dt)
        a = -torch.exp(self.log_neg_re) + 1j * self.im
        dt_a = a * dt.unsqueeze(-1)
        powers = torch.exp(dt_a.unsqueeze(-1) * torch.arange(steps))
        c = torch.view_as_complex(self.c) * (torch.exp(dt_a) - 1.0) / a
        return 2 * torch.einsum("hn,hnl->hl", c, powers).real


class Layer(nn.Module):
    """batch x heads x steps to the same shape: convolution, D, GELU, mixing."""

    def __init__(self, heads, states, glu):
        super().__init__()
        self.kernel = Kernel(heads, states)
        self.d = nn.Parameter(torch.randn(heads))
        self.mixing = nn.Conv1d(heads, 2 * heads if glu else heads, kernel_size=1)
        self.gate = nn.GLU(dim=-2) if glu else nn.Identity()

    def forward(self, u):
        steps = u.size(-1)
        kernel_spectrum = torch.fft.rfft(self.kernel(steps), n=2 * steps)
        spectrum = torch.fft.rfft(u, n=2 * steps)
        y = torch.fft.irfft(spectrum * kernel_spectrum, n=2 * steps)[..., :steps]
        y = nn.functional.gelu(y + u * self.d.unsqueeze(-1))
        return self.gate(self.mixing(y))


class Network(nn.Module):
    """batch x steps x 1 to batch x classes."""

    def __init__(self, layers, heads, states, glu):
        super().__init__()
        self.encoder = nn.Linear(1, heads)
        self.layers = nn.ModuleList(Layer(heads, states, glu) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(heads) for _ in range(layers))
        self.decoder = nn.Linear(heads, CLASSES)

    def forward(self, x):
        x = self.encoder(x).transpose(-1, -2)
        for layer, norm in zip(self.layers, self.norms):
            x = norm((x + layer(x)).transpose(-1, -2)).transpose(-1, -2)
        return self.decoder(x.mean(dim=-1))


class Peer:
    def __init__(self, shape, glu):
        torch.manual_seed(0)
        self.network = Network(*shape, glu)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=1e-4, weight_decay=0.01)
        self.inputs = torch.randn(BATCH, STEPS, 1).clamp(-1, 1)
        self.labels = torch.arange(BATCH) % CLASSES

    def train(self):
        self.optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(self.network(self.inputs), self.labels).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()

    def infer(self):
        with torch.inference_mode():
            self.network(self.inputs)

    def step(self, what):
        """Wall and CPU milliseconds of one step."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.train() if what == "train" else self.infer()
        return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


class Ours:
    def __init__(self, program, shape, glu, threads):
        command = [program, *map(str, shape), str(int(glu)), str(threads), "serve"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def step(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(arguments, shape, glu):
    ours, peer = Ours(arguments.program, shape, glu, arguments.threads), Peer(shape, glu)
    for what in ("train", "infer"):
        times = {"torch": [], "ours": []}
        ours.step(what), peer.step(what)  # warm-up
        for _ in range(arguments.rounds):
            times["torch"].append(peer.step(what))
            # Our steps are shorter: more of them see as much of the machine.
            times["ours"] += [ours.step(what) for _ in range(4)]
        columns = []
        for clock in (0, 1):
            torch_ms, our_ms = ([step[clock] for step in times[side]] for side in ("torch", "ours"))
            low = min(torch_ms), min(our_ms)
            middle = statistics.median(torch_ms), statistics.median(our_ms)
            columns.append(
                f"{low[0]:7.1f} ({middle[0]:7.1f}) | {low[1]:6.1f} ({middle[1]:6.1f}) | "
                f"{low[0] / low[1]:5.2f} ({middle[0] / middle[1]:5.2f})"
            )
        name = f"{shape[0]}, {shape[1]}, {shape[2]}{' GLU' if glu else ''}"
        print(f"| {name:12s} | {what} | {' | '.join(columns)} |", flush=True)
    ours.close()


def main():
    default = os.path.join(os.path.dirname(__file__), "../../build/release/bin/train_step_bench")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.normpath(default), help="train_step_bench of the release build")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=8, help="PyTorch steps per row; ours are four times as many")
    parser.add_argument("--config", nargs="*", help="layers,heads,states")
    parser.add_argument("--glu", choices=("no", "yes", "both"), default="both")
    arguments = parser.parse_args()
    if not os.path.exists(arguments.program):
        sys.exit(f"train_step_vs_torch: no program {arguments.program}; build the preset release")
    torch.set_num_threads(arguments.threads)
    shapes = [tuple(map(int, text.split(","))) for text in arguments.config or []] or CONFIGURATIONS
    load = os.getloadavg()[0]
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads, load {load:.1f} at the start; ms: minimum (median)")
    print("| layers, H, N | step | torch wall | our wall | ratio | torch CPU | our CPU | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for shape in shapes:
        for glu in {"no": (False,), "yes": (True,), "both": (False, True)}[arguments.glu]:
            compare(arguments, shape, glu)


if __name__ == "__main__":
    main()

"""Recomputes loss and gradient of a network that trainer_test has dumped, with PyTorch autograd in float64.

Usage: torch_gradient.py DUMP.json. Exit status 77: PyTorch is not installed; 1: a tensor differs; 0: all agree.
"""

import json
import sys

try:
    import torch
except ImportError:
    sys.exit(77)

TOLERANCE = 1e-4  # relative, per tensor: the trainer computes in float32


def shaped(dump, config, name):
    """A parameter tensor with its shape, as a leaf of the graph."""
    last = name.split(".")[-1]
    rows = {
        "encoder": config["heads"],
        "decoder": config["classes"],
        "mixing": config["heads"] * (2 if config["glu"] else 1),
        "log_neg_re": config["heads"],
        "im": config["heads"],
        "b_re": config["heads"],
        "b_im": config["heads"],
        "c_re": config["heads"],
        "c_im": config["heads"],
    }.get(last)
    values = torch.tensor(dump["parameters"][name], dtype=torch.float64)
    if rows is not None:
        values = values.reshape(rows, -1)
    return values.requires_grad_()


def hard_gelu(x):
    """Zhao et al., arXiv 2506.12480, as their code has it."""
    return x * torch.clamp(x + 2, 0, 4) / 4


def layer(config, p, prefix, u):
    """u: batch x steps x heads. S4D by zero-order hold, as a causal convolution with the materialised kernel."""
    dt = torch.exp(p[prefix + "log_dt"])[:, None]
    a = torch.complex(-torch.exp(p[prefix + "log_neg_re"]), p[prefix + "im"])
    c = torch.complex(p[prefix + "c_re"], p[prefix + "c_im"])
    b = (torch.exp(dt * a) - 1) / a
    if config["trained_b"]:
        b = b * torch.complex(p[prefix + "b_re"], p[prefix + "b_im"])
    steps = u.shape[1]
    powers = torch.exp(dt[..., None] * a[..., None] * torch.arange(steps, dtype=torch.float64))
    kernel = 2 * (c[..., None] * b[..., None] * powers).sum(dim=1).real  # heads x steps
    padded = torch.nn.functional.pad(u.transpose(1, 2), (steps - 1, 0))
    y = torch.nn.functional.conv1d(padded, kernel.flip(1)[:, None, :], groups=u.shape[2]).transpose(1, 2)
    y = y + p[prefix + "d"] * u
    y = {"gelu": torch.nn.functional.gelu, "relu": torch.relu, "qgelu": hard_gelu, "none": lambda v: v}[config["activation"]](y)
    z = y @ p[prefix + "mixing"].T + p[prefix + "mixing_bias"]
    if config["glu"]:
        z = torch.nn.functional.glu(z, dim=-1)
    if config["residual"]:
        z = z + u
    if config["norm"] == "layer":
        z = torch.nn.functional.layer_norm(z, (config["heads"],), p[prefix + "gamma"], p[prefix + "beta"])
    if config["norm"] == "batch":
        z = torch.nn.functional.batch_norm(
            z.transpose(1, 2), None, None, p[prefix + "gamma"], p[prefix + "beta"], training=True
        ).transpose(1, 2)
    return z


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        dump = json.load(file)
    config = dump["model"]
    p = {name: shaped(dump, config, name) for name in dump["parameters"]}
    labels = torch.tensor(dump["labels"])
    values = torch.tensor(dump["values"], dtype=torch.float64).reshape(len(labels), -1, config["channels"])
    u = values @ p["encoder"].T + p["encoder_bias"]
    for index in range(config["layers"]):
        u = layer(config, p, f"layers.{index}.", u)
    pooled = u.mean(dim=1) if config["pooling"] == "mean" else u[:, -1]
    logits = pooled @ p["decoder"].T + p["decoder_bias"]
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    failed = abs(loss.item() - dump["loss"]) > 1e-5 * max(1.0, loss.item())
    print(f"loss {loss.item():.8f}, trainer {dump['loss']:.8f}")
    for name, tensor in p.items():
        expected = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
        computed = torch.tensor(dump["gradient"][name], dtype=torch.float64).reshape(expected.shape)
        error = (computed - expected).norm().item()
        size = expected.norm().item()
        print(f"{name:24s} relative error {error / max(size, 1e-30):.2e}")
        failed = failed or error > TOLERANCE * size + 1e-8
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

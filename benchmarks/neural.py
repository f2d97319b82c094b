"""How fast PHOENIX is trained, side by side in one run: the published way, and ours.

Every variant makes the same updates on the same 350-gene problem (40 hidden units, one trajectory of four transitions
per update) from the same start; updates of the variants alternate, so that a busy machine slows all of them alike.

The table has one row per variant: `seconds` of CPU per update of one model (median), `ratio` to the published way,
`deviation` of its loss from that of the published way (largest, relative) and `peak_memory_mb` of a process of its own.
"""

import argparse
import resource
import subprocess
import sys
import time
from functools import partial

WORK = "350 genes, 40 hidden units, 4 transitions, one update"
GENES, HIDDEN, STEPS, MODELS = 350, 40, 8, 4
VARIANTS = ("published", "torch-rk4-autograd", "torch-rk4", "torch-rk4-ensemble")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=24, metavar="N", help="updates per variant (default 24)")
    parser.add_argument("--output", default="results/benchmarks/neural.tsv", metavar="TSV", help="table to write")
    parser.add_argument("--memory-of", choices=VARIANTS, help="only print the peak memory (MB) of two updates of one")
    return parser.parse_args()


def transitions():
    """Return start, end (N, k) and duration (N,) of a simulated network, in float32, four per trajectory."""
    import numpy as np
    import torch

    from kinetrain.dynamics import network as networks
    from kinetrain.dynamics.trajectories import Expression, all_transitions, pairs

    network = networks.draw_network(GENES, regulators=97, inputs=73, modules=10, seed=1)
    times = np.tile([0.0, 2, 3, 7, 9], (8, 1))
    values = networks.simulate(network, networks.draw_initial_states(network, 8, seed=1), times[0])
    listed = all_transitions(times)
    expression = Expression(network.genes, values, times, listed, np.full(len(listed), "train"), "1")
    return [torch.from_numpy(part.astype(np.float32)) for part in pairs(expression, expression.noisy(0.025, 0), listed)]


class Replay:
    """The updates of one variant: each call makes the next one and returns its loss and its CPU seconds per model."""

    def __init__(self, variant: str, data):
        import numpy as np
        import torch

        from kinetrain.dynamics import adaptive_adjoint, phoenix, rk4
        from kinetrain.training.ensemble import size

        self.data = data
        self.models = MODELS if variant == "torch-rk4-ensemble" else 1
        self.shapes = phoenix.shapes(GENES, HIDDEN)
        start = phoenix.initialise(0, GENES, HIDDEN)
        row = np.concatenate([start[name].ravel() for name in self.shapes]).astype(np.float32)
        self.weights = torch.from_numpy(np.tile(row, (self.models, 1)))
        self.first, self.second = torch.zeros((2, self.models, size(self.shapes)))
        self.updates = torch.zeros(self.models, dtype=torch.int64)
        steps = {"steps": [STEPS] * self.models}
        self.gradient = {
            "published": partial(adaptive_adjoint.value_and_gradient, phoenix),
            "torch-rk4-autograd": partial(rk4.autograd_value_and_gradient, phoenix, **steps),
        }.get(variant, partial(rk4.value_and_gradient, phoenix, **steps))

    def __call__(self):
        import torch

        from kinetrain.training.ensemble import adam_step, pack, unpack

        trajectory = int(self.updates[0]) * 4 % len(self.data[2])
        rows = slice(trajectory, trajectory + 4)
        start, end, duration = (part[rows].expand(self.models, *part[rows].shape) for part in self.data)
        began = time.process_time()
        views = unpack(self.weights, self.shapes)
        value, gradients = self.gradient(views, start, end, duration, torch.ones_like(duration))
        self.updates += 1
        rates = torch.full_like(self.updates, 1, dtype=torch.float32)[:, None] * 1e-3
        adam_step(self.weights, pack(gradients), self.first, self.second, rates, self.updates)
        return float(value[0]), (time.process_time() - began) / self.models


def main():
    arguments = parse_arguments()

    import numpy as np
    import pandas as pd
    import torch

    from kinetrain.files import save_table

    torch.set_num_threads(1)
    data = transitions()
    if arguments.memory_of:
        replay = Replay(arguments.memory_of, data)
        _ = replay(), replay()
        print(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1))
        return
    replays = [Replay(variant, data) for variant in VARIANTS]
    measured = np.array([[replay() for replay in replays] for _ in range(arguments.updates)])
    losses, seconds = measured[..., 0], np.median(measured[..., 1], axis=0)
    rows = {
        "work": WORK,
        "variant": VARIANTS,
        "seconds": seconds,
        "ratio": seconds[0] / seconds,
        "deviation": np.abs(losses / losses[:, :1] - 1).max(axis=0),
        "peak_memory_mb": [_memory(variant) for variant in VARIANTS],
    }
    table = pd.DataFrame(rows)
    save_table(table, arguments.output)
    print(table.to_string(index=False))


def _memory(variant: str) -> float:
    command = [sys.executable, __file__, "--memory-of", variant]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()

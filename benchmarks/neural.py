"""Speed of the training of PHOENIX and of an MLP, compared in one run: the published way, other libraries, and ours.

Every variant of a work makes the same updates (gradient and Adam) from the same start with the same data, and all run
in one thread. They take turns after a few updates, so that a busy machine slows all of them alike. The first variant
of a work is the one that the others are compared with.

work, variant:          what is done, and by what; `published` solves pair by pair with the adaptive adjoint,
                        `fused` and `fused-sparse` are the compiled kernel (the latter gets the mask of pruned weights)
seconds:                CPU time per update of one model (median); of all 200 epochs in a whole run
ratio:                  how many times faster than the first variant of this work
deviation:              largest relative deviation of the loss of an update from that of the first variant
peak_memory_mb:         of a process that makes two updates, libraries included
working_memory_mb:      what these two updates add to it
updates:                how many were made
seconds_per_epoch:      where an epoch is defined (SIM350: 149 updates)
gflops:                 multiplications and additions in matrix products per second, of the fixed-step variants
percent_of_matrix_peak: the same relative to the best product of two large matrices, by torch or NumPy in a process of
                        its own, `matrix_peak_gflops`
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from measures import finish, matrix_peak, memory_mb

OUTPUT = "results/benchmarks/neural.tsv"
STEPS, MODELS, MODELS_ON_GPU = 8, 4, 64
IN_A_ROW = (
    15  # updates of a variant before it is the next one's turn: after the first of them its data are in the cache
)


@dataclass(frozen=True)
class Work:
    """One kind of update: k genes, m hidden units, the lengths of the transitions of one batch.

    published: whether the published way is the reference (else torch, of an MLP by autograd); left: share of the
    weights not pruned; share: of the updates asked for; epoch: updates per epoch, 0 where that is meaningless.
    """

    genes: int
    hidden: int
    lengths: tuple[float, ...]
    published: bool = False
    left: float = 1.0
    share: float = 1.0
    epoch: int = 0
    field: str = "phoenix"

    def variants(self) -> list[str]:
        """Return the names of the variants that can be run here, the reference first."""
        import torch

        names = ["torch-rk4-autograd", "torch-rk4"] if self.field == "mlp" else ["torch-rk4"]
        if self.published:
            diffrax = ["diffrax"] if importlib.util.find_spec("diffrax") else []
            names = ["published", *diffrax, "torch-rk4-autograd", "torch-rk4", "torch-rk4-ensemble"]
        gpu = ["torch-rk4-gpu"] if torch.cuda.is_available() else []
        return [*names, *gpu, "fused", *(["fused-sparse"] if self.left < 1 else [])]


SIM350 = (2.0, 1.0, 4.0, 2.0)  # between the times 0, 2, 3, 7, 9
WORKS = {
    "SIM350 update": Work(350, 40, SIM350, published=True, epoch=149),
    "SIM350 update, 96 % pruned": Work(350, 40, SIM350, published=True, left=0.04, share=0.2, epoch=149),
    "BRCA500 update": Work(500, 40, (0.0051,) * 16),
    "BRCA500 update, 96 % pruned": Work(500, 40, (0.0051,) * 16, left=0.04),
    "yeast3551 update": Work(3551, 120, (5.0,) * 4, share=0.1),
    "yeast3551 update, 96 % pruned": Work(3551, 120, (5.0,) * 4, left=0.04, share=0.1),
    "SIM350 update, MLP": Work(350, 80, SIM350, epoch=149, field="mlp"),
}


RUN = "SIM350, whole DASH run"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=298, metavar="N", help="updates per variant (default 298)")
    parser.add_argument("--work", action="append", choices=[*WORKS, RUN], help="only this one (may be repeated)")
    parser.add_argument("--output", default=OUTPUT, metavar="TSV", help=f"table to write (default {OUTPUT})")
    parser.add_argument("--memory-of", nargs=2, metavar=("WORK", "VARIANT"), help="only print what two updates need")
    return parser.parse_args()


def batches(work: Work, count: int = 149):
    """Return start, end (N, B, k) and duration (N, B) of N batches of a simulated network, in float32."""
    import numpy as np
    import torch

    from kinetrain.simulation import gene_network as networks
    from kinetrain.simulation.options import Simulation

    inputs, regulators = work.genes // 5, work.genes // 4
    network = networks.draw_network(Simulation(genes=work.genes, regulators=regulators, inputs=inputs, modules=10))
    count = min(count, max(2, 60_000 // work.genes))
    initial = networks.draw_initial_states(network, count, seed=1)
    values = networks.simulate(network, initial, np.cumsum([0.0, *work.lengths]))
    values = values + np.random.default_rng(0).normal(0, 0.025, values.shape)
    duration = np.tile(work.lengths, (count, 1))
    return [torch.from_numpy(part.astype(np.float32)) for part in (values[:, :-1], values[:, 1:], duration)]


class Replay:
    """The updates of one variant: each call makes the next one and returns its loss and its seconds per model."""

    def __init__(self, work: Work, variant: str, data):
        import numpy as np
        import torch

        from kinetrain.neural import ensemble
        from kinetrain.neural.fields import find_field
        from kinetrain.neural.integrators import fused

        field = find_field(work.field)
        self.device = "cuda" if variant.endswith("gpu") else "cpu"
        self.models = {"torch-rk4-ensemble": MODELS, "torch-rk4-gpu": MODELS_ON_GPU}.get(variant, 1)
        self.data = [part.to(self.device) for part in data]
        self.shapes = field.shapes(work.genes, work.hidden)
        start = field.initialise(0, work.genes, work.hidden)
        row = np.concatenate([start[name].ravel() for name in self.shapes]).astype(np.float32)
        kept = np.ones(row.shape, bool)
        rng, views = np.random.default_rng(1), ensemble.unpack(kept[None], self.shapes)
        if work.left < 1:
            for name in fused.MATRICES:
                views[name][:] = rng.random(views[name].shape) < work.left
            regrown = np.where(kept & (row == 0), rng.normal(0, 0.05, row.shape), 0)  # as after training
            row += regrown.astype(np.float32)
        tile = (self.models, 1)
        self.mask = torch.from_numpy(np.tile(kept, tile)).to(self.device)
        self.weights = torch.from_numpy(np.tile(row * kept, tile)).to(self.device)
        self.first, self.second = torch.zeros((2, *self.weights.shape), device=self.device)
        self.updates = torch.zeros(self.models, dtype=torch.int64, device=self.device)
        self.rates = torch.full((self.models, 1), 1e-3, device=self.device)
        self.adam_step = fused.adam_step if variant.startswith("fused") else ensemble.adam_step
        self.pack = ensemble.pack
        self.gradient = self._gradient_of(variant, field)
        self.views = ensemble.unpack(self.weights, self.shapes)

    def _gradient_of(self, variant: str, field):
        """Return the function of value and gradient of a variant."""
        from kinetrain.neural import ensemble
        from kinetrain.neural.integrators import fused, rk4

        steps = {"steps": [STEPS] * self.models}
        if variant == "published":
            from kinetrain.neural.integrators import adaptive_adjoint

            return partial(adaptive_adjoint.value_and_gradient, field)
        if variant == "diffrax":
            return diffrax_value_and_gradient()
        if variant == "torch-rk4-autograd":
            return partial(rk4.autograd_value_and_gradient, field, **steps)
        if variant == "fused-sparse":
            return partial(fused.value_and_gradient, field, mask=ensemble.unpack(self.mask, self.shapes), **steps)
        return partial((fused if variant == "fused" else rk4).value_and_gradient, field, **steps)

    def __call__(self):
        import torch

        number = int(self.updates[0]) % len(self.data[0])
        start, end, duration = (part[number].expand(self.models, *part[number].shape) for part in self.data)
        weight = torch.ones_like(duration)
        began = self._now()
        value, gradients = self.gradient(self.views, start, end, duration, weight)
        self.updates += 1
        gradient = self.pack(gradients)
        self.adam_step(self.weights, gradient, self.first, self.second, self.rates, self.updates, self.mask)
        return float(value[0]), (self._now() - began) / self.models

    def _now(self) -> float:
        """Return the CPU time of this process, or the time of day where a GPU does the work."""
        if self.device == "cpu":
            return time.process_time()
        import torch

        torch.cuda.synchronize()
        return time.perf_counter()


def diffrax_value_and_gradient():
    """Return a function like the integrators', of JAX and diffrax: adaptive, all transitions in one solve, compiled."""
    import diffrax
    import jax
    import torch

    def derivative(time, state, arguments):
        weights, duration = arguments
        shifted = state - 0.5
        hill = shifted / (1 + jax.numpy.abs(shifted))
        sums = hill @ weights["w_s"].T + weights["b_s"]
        products = jax.numpy.exp(jax.numpy.log1p(hill) @ weights["w_p"].T + weights["b_p"])
        combined = sums @ weights["u_s"].T + products @ weights["u_p"].T
        return duration[:, None] * jax.nn.relu(weights["v"]) * (combined - state)

    def loss(weights, start, end, duration):
        term, control = diffrax.ODETerm(derivative), diffrax.PIDController(rtol=1e-7, atol=1e-9)
        options = {"stepsize_controller": control, "max_steps": 256, "throw": False}
        arguments = weights, duration
        solution = diffrax.diffeqsolve(term, diffrax.Dopri5(), 0.0, 1.0, 0.05, start, args=arguments, **options)
        return jax.numpy.mean((solution.ys[-1] - end) ** 2)

    compiled = jax.jit(jax.value_and_grad(loss))

    def value_and_gradient(parameters, start, end, duration, weight):
        weights = {name: part[0].numpy() for name, part in parameters.items()}
        value, gradients = compiled(weights, *(part[0].numpy() for part in (start, end, duration)))
        found = {name: torch.tensor(jax.device_get(gradients[name]))[None] for name in parameters}
        return torch.tensor([float(value)]), found

    return value_and_gradient


def products(work: Work, variant: str) -> float:
    """Return the GFLOP of an update in matrix products: forward, adjoint and gradient; NaN where they differ."""
    import numpy as np

    if variant in ("published", "diffrax", "fused-sparse") or work.field == "mlp":
        return np.nan
    longest, steps = max(work.lengths), STEPS * len(work.lengths)
    if variant == "fused":
        steps = sum(min(STEPS, np.ceil(STEPS * length / longest - 0.01) + 3) for length in work.lengths)
    return 1e-9 * 4 * steps * 24 * work.genes * work.hidden


def measure(name: str, work: Work, updates: int, tell=lambda text: None):
    """Return the rows of one work."""
    import numpy as np

    data, variants = batches(work), work.variants()
    replays = [Replay(work, variant, data) for variant in variants]
    peak, measured = matrix_peak("float32"), np.empty((updates, len(variants), 2))
    for first in range(0, updates, IN_A_ROW):
        tell(f"{name}: update {first + 1} of {updates}")
        for variant, replay in enumerate(replays):
            for update in range(first, min(first + IN_A_ROW, updates)):
                measured[update, variant] = replay()
    losses, seconds = measured[..., 0], np.median(measured[..., 1], axis=0)
    peak = max(peak, matrix_peak("float32"))
    speed = np.array([products(work, variant) for variant in variants]) / seconds
    memory = np.array([_memory(name, variant) for variant in variants]) if name in WORKS else np.nan * measured[0]
    return {
        "work": name,
        "variant": variants,
        "seconds": seconds,
        "ratio": seconds[0] / seconds,
        "deviation": np.abs(losses / losses[:, :1] - 1).max(axis=0),
        "peak_memory_mb": memory[:, 0],
        "working_memory_mb": memory[:, 1],
        "updates": updates,
        "seconds_per_epoch": seconds * (work.epoch or np.nan),
        "gflops": speed,
        "percent_of_matrix_peak": 100 * speed / peak,
        "matrix_peak_gflops": peak,
    }


def training_data(genes: int, trajectories: int):
    """Return expression of a simulated network, and its prior with 5 % of the edges moved, with co-regulation."""
    import numpy as np
    from scipy import sparse

    from kinetrain.data import prior_networks
    from kinetrain.data.expression import Expression, all_transitions, split_transitions
    from kinetrain.simulation import gene_network as networks
    from kinetrain.simulation.options import Simulation

    network = networks.draw_network(Simulation(genes=genes, regulators=genes // 4, inputs=genes // 5, modules=10))
    times = np.tile(np.cumsum([0.0, *SIM350]), (trajectories, 1))
    values = networks.simulate(network, networks.draw_initial_states(network, trajectories, seed=1), times[0])
    transitions = all_transitions(times)
    split = split_transitions(transitions, {"validation": 1 / 15}, seed=1)
    truth = np.zeros((genes, genes))
    truth[network.target, network.regulator] = network.sign
    prior = prior_networks.corrupt(truth, 0.05, seed=0)
    known = tuple(sparse.csr_array(part) for part in (prior, prior_networks.coregulation(prior)))
    return Expression(network.genes, values, times, transitions, split, "1"), known


def training_run(genes=350, hidden=40, trajectories=150, epochs=200, tell=lambda text: None):
    """Return the rows of a whole training with DASH: updates, validation and pruning; the deviation is that of the
    validation error at the end."""
    import numpy as np

    from kinetrain.neural import training_loop
    from kinetrain.neural.options import NeuralOptions
    from kinetrain.neural.run import Run
    from kinetrain.pruning.methods.dash import Method

    expression, known = training_data(genes, trajectories)
    seconds, errors, updates = [], [], 0
    for integrator in ("rk4", "fused"):
        options = NeuralOptions(integrator=integrator, hidden=hidden, epochs=epochs, patience_epochs=None)
        run = Run(Method(), expression, [known], [0], expression.noisy(0.025, 0)[None], options)
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            state, history, _ = training_loop.train(
                run, Path(folder) / "training.npz", lambda text: tell(f"DASH run: {text}")
            )
        seconds.append(time.process_time() - began)
        errors.append(history[-1, 3])
        updates = int(state.updates[0])
    return {
        "work": RUN,
        "variant": ["torch-rk4", "fused"],
        "seconds": seconds,
        "ratio": seconds[0] / np.array(seconds),
        "deviation": np.abs(np.array(errors) / errors[0] - 1),
        "peak_memory_mb": memory_mb("VmHWM"),
        "updates": updates,
        "seconds_per_epoch": np.array(seconds) / epochs,
    }


def _memory(work: str, variant: str) -> tuple[float, float]:
    command = [sys.executable, __file__, "--memory-of", work, variant]
    return tuple(map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()))


def _print_memory(work: str, variant: str) -> None:
    """Print the peak memory (MB) of this process after two updates, and what they added to it."""
    replay = Replay(WORKS[work], variant, batches(WORKS[work], 2))
    before = memory_mb("VmRSS")
    _ = replay(), replay()
    print(memory_mb("VmHWM"), memory_mb("VmHWM") - before)


def main():
    arguments = parse_arguments()

    import pandas as pd
    import torch

    torch.set_num_threads(1)
    if arguments.memory_of:
        return _print_memory(*arguments.memory_of)
    tell = partial(print, file=sys.stderr)
    if not importlib.util.find_spec("diffrax"):
        tell("diffrax is not installed: its rows are left out")
    wanted = arguments.work or [*WORKS, RUN]
    tables = [
        pd.DataFrame(measure(name, work, max(2, round(work.share * arguments.updates)), tell))
        for name, work in WORKS.items()
        if name in wanted
    ]
    if RUN in wanted:
        tables.append(pd.DataFrame(training_run(tell=tell)))
    return finish(pd.concat(tables, ignore_index=True), arguments.output)


if __name__ == "__main__":
    main()

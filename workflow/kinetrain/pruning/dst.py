"""DST, dynamic sparse training: a threshold for every output row, trained with the weights (Liu et al. 2020).

A weight counts if |w| reaches the threshold of its row. The step has a long-tailed surrogate derivative: 2 − 4|x| up
to |x| = 0.4, then 0.4 up to 1, else 0. The extra loss α Σ exp(−threshold) drives thresholds up. Hossain et al. 2024
(NeurIPS) name the method and give no values.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from kinetrain.pruning import method
from kinetrain.pruning.l0 import matrices


@dataclass(frozen=True)
class Method(method.Method):
    """Rows raise their thresholds while the data loss allows it.

    alpha: price of low thresholds; choice of ours, 70 % sparse at 1e-6 and 96 % at 1e-5 on 350 simulated genes.
    fewest: fraction of the weights of a matrix that must be left, else its thresholds start again at 0.
    """

    gates: ClassVar[bool] = True
    penalises: ClassVar[bool] = True

    alpha: float = 5e-6
    fewest: float = 0.01

    def __post_init__(self):
        if self.alpha < 0:
            raise ValueError(f"alpha: expected at least 0, got {self.alpha}")
        if not 0 <= self.fewest < 1:
            raise ValueError(f"fewest: expected a number from 0 to 1, got {self.fewest}")

    def raw_shapes(self, shapes):
        """Return the names and shapes of the field, and those of the thresholds, one for every row of a matrix."""
        return {**shapes, **{_threshold(name): shapes[name][:1] for name in matrices(shapes)}}

    def raw_start(self, rng, weights):
        """Return the field's own start and thresholds of zero."""
        shapes = {name: part.shape for name, part in weights.items()}
        return weights | {_threshold(name): 0 * weights[name][:, 0] for name in matrices(shapes)}

    def parameters(self, raw, noise):
        """Return the weights, zero where they do not reach the threshold of their row."""
        kept = {name: part for name, part in raw.items() if not name.startswith("threshold_")}
        for name in matrices(raw):
            kept[name] = raw[name] * _Step.apply(raw[name].abs() - raw[_threshold(name)][..., None])
        return kept

    def penalty(self, raw, parameters, moment):
        """Return α Σ exp(−threshold) over all rows (M,)."""
        return self.alpha * sum(torch.exp(-raw[_threshold(name)]).sum(dim=1) for name in matrices(raw))

    def after_update(self, raw):
        """Set the thresholds of matrices to zero, in place, of which nearly nothing is left."""
        for name in matrices(raw):
            threshold = raw[_threshold(name)]
            left = (raw[name].abs() >= threshold[..., None]).double().mean(dim=(1, 2))
            threshold[left <= self.fewest] = 0


def _threshold(name: str) -> str:
    return f"threshold_{name}"


class _Step(torch.autograd.Function):
    """1 where x ≥ 0, else 0; with the surrogate derivative."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return (x >= 0).to(x)

    @staticmethod
    def backward(context, gradient):
        size = context.saved_tensors[0].abs()
        slope = torch.where(size <= 0.4, 2 - 4 * size, torch.where(size <= 1, 0.4, 0.0))
        return gradient * slope

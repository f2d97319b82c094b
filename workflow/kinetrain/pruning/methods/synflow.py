"""SynFlow: prune by the flow through each weight, without looking at data (Tanaka et al. 2020).

With all parameters replaced by their absolute values and a state of ones, R is the sum of the outputs of the vector
field; a weight scores |θ ∂R/∂θ|. As Hossain et al. 2024 (NeurIPS) run it: scored anew at every event of the schedule,
rewound to its start once pruning no longer helps.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kinetrain.pruning import method

LABEL, COLOUR, MARKER, PLACE = "SynFlow", "#AA4499", "p", 8


@dataclass(frozen=True)
class Method(method.Method):
    """Removes the weights of the least flow; the mask of the best epoch is trained again from the initial weights."""

    prunes: ClassVar[bool] = True
    rewinds: ClassVar[bool] = True

    def scores(self, event):
        """Return |θ ∂R/∂θ| of every prunable weight, {matrix: array}, and no memory."""
        import torch

        leaves = {name: torch.tensor(np.abs(part))[None].requires_grad_() for name, part in event.weights.items()}
        names = list(event.masks)
        genes = event.masks[names[0]].shape[1]  # the first matrix reads all genes
        flow = event.field.derivative(leaves, torch.ones((1, 1, genes), dtype=torch.float64)).sum()
        gradients = torch.autograd.grad(flow, [leaves[name] for name in names])
        slopes = dict(zip(names, gradients, strict=True))
        return {name: (leaves[name] * slopes[name]).abs().detach().numpy()[0] for name in names}, {}

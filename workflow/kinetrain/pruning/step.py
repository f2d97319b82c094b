"""The step function of dynamic sparse training, with a surrogate derivative (Liu et al. 2020)."""

import torch


def step(x):
    """Return 1 where x ≥ 0, else 0; with the surrogate derivative."""
    return _Step.apply(x)


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

"""Loss and gradient of PHOENIX through Runge-Kutta steps, differentiated by hand.

The forward pass keeps what every stage computed; the backward pass walks the stages in reverse with the transposed
Jacobian and collects the adjoints of the hidden units; the gradients of all weights are then one matrix product
over all stages. Both branches are one batched product: tensors with a leading 2M hold the sums of the M models
first, their products after. Models are independent of each other throughout.
"""

from dataclasses import dataclass

import torch


@dataclass
class _Weights:
    """Weights as the stages need them; relu(v) is multiplied into the second layer once per solve."""

    first: torch.Tensor  # (2M, m, k)
    bias: torch.Tensor  # (2M, 1, m)
    second: torch.Tensor  # (2M, k, m)
    scaled: torch.Tensor  # (2M, k, m): relu(v) ∘ second
    rate: torch.Tensor  # (M, 1, k): relu(v)


def value_and_gradient(parameters, start, end, duration, weight, steps: int):
    """Return the loss (M,) of every model and the dict of its gradients.

    start, end (M, B, k); duration, weight (M, B), see `rk4.loss`; exactly the derivative of the steps made, so that
    it agrees with autograd to rounding.
    """
    with torch.no_grad():
        weights = _prepare(parameters)
        scale = (duration / steps)[..., None]
        tape, state = _forward(weights, start, scale, steps)
        residual = state - end
        share = (weight / weight.sum(dim=1, keepdim=True) / start.shape[2])[..., None]
        value = (residual.square() * share).sum(dim=(1, 2))
        return value, _backward(parameters, weights, tape, 2 * share * residual, scale, steps)


def _prepare(parameters) -> _Weights:
    second = torch.cat([parameters["u_s"], parameters["u_p"]])
    rate = torch.relu(parameters["v"])
    return _Weights(
        first=torch.cat([parameters["w_s"], parameters["w_p"]]),
        bias=torch.cat([parameters["b_s"], parameters["b_p"]])[:, None],
        second=second,
        scaled=second * rate.repeat(2, 1)[..., None],
        rate=rate[:, None],
    )


def _stage(weights: _Weights, state, scale):
    """Return scale · f(state), with the Hill terms (2M, B, k) and hidden units (2M, B, m) it went through."""
    models = len(state)
    terms = state.new_empty((2 * models, *state.shape[1:]))
    shifted = state - 0.5
    torch.div(shifted, shifted.abs().add_(1), out=terms[:models])
    torch.log1p(terms[:models], out=terms[models:])
    hidden = torch.baddbmm(weights.bias, terms, weights.first.mT)
    hidden[models:].exp_()
    slope = torch.mul(state, weights.rate).neg_()
    slope.baddbmm_(hidden[:models], weights.scaled[:models].mT)
    slope.baddbmm_(hidden[models:], weights.scaled[models:].mT)
    return slope.mul_(scale), terms, hidden


def _forward(weights: _Weights, state, scale, steps: int):
    """Return the tape (states, terms, hidden units of all 4·steps stages in order) and the final state."""
    states, terms, hiddens = [], [], []

    def slope(at):
        result, term, hidden = _stage(weights, at, scale)
        states.append(at)
        terms.append(term)
        hiddens.append(hidden)
        return result

    for _ in range(steps):
        slope1 = slope(state)
        slope2 = slope(torch.add(state, slope1, alpha=0.5))
        slope3 = slope(torch.add(state, slope2, alpha=0.5))
        slope4 = slope(state + slope3)
        state = torch.add(state, slope1.add_(slope4).add_(slope2.add_(slope3), alpha=2), alpha=1 / 6)
    return tuple(torch.stack(kept, dim=1) for kept in (states, terms, hiddens)), state


def _backward(parameters, weights: _Weights, tape, adjoint, scale, steps: int):
    """Return the gradients, given the adjoint of the final state (M, B, k)."""
    states, terms, hiddens = tape
    models, rows = adjoint.shape[:2]
    slopes = _slopes(terms, models)
    pulls = torch.empty_like(states)  # adjoints of f at every stage
    inner = torch.empty_like(hiddens)  # adjoints of W φ + b at every stage

    def pull_back(stage, pull):
        """Store the adjoints of one stage; return the transposed Jacobian of scale · f applied to `pull`."""
        pull = torch.mul(pull, scale, out=pulls[:, stage])
        unit = inner[:, stage]
        torch.bmm(pull, weights.scaled[:models], out=unit[:models])
        torch.bmm(pull, weights.scaled[models:], out=unit[models:])
        unit[models:].mul_(hiddens[models:, stage])
        through = torch.bmm(unit, weights.first).mul_(slopes[:, stage])
        return through[:models].add_(through[models:]).addcmul_(pull, weights.rate, value=-1)

    for stage in range(4 * steps - 4, -1, -4):
        pulled4 = pull_back(stage + 3, adjoint / 6)
        pulled3 = pull_back(stage + 2, torch.add(pulled4, adjoint, alpha=1 / 3))
        pulled2 = pull_back(stage + 1, torch.add(adjoint / 3, pulled3, alpha=0.5))
        pulled1 = pull_back(stage, torch.add(adjoint / 6, pulled2, alpha=0.5))
        adjoint = adjoint + pulled1.add_(pulled2).add_(pulled3).add_(pulled4)
    return _collect(parameters, weights, states, terms, hiddens, pulls, inner)


def _slopes(terms, models: int):
    """Return dφ/dg and d log(1 + φ)/dg at every stage; with φ = x / (1 + |x|) the first is (1 − |φ|)²."""
    hill = terms[:models]
    slopes = torch.empty_like(terms)
    torch.square(1 - hill.abs(), out=slopes[:models])
    torch.div(slopes[:models], 1 + hill, out=slopes[models:])
    return slopes


def _collect(parameters, weights, states, terms, hiddens, pulls, inner):
    """Return the gradients from the adjoints of all stages: one product over stages and rows per matrix."""
    models = len(states)
    states, terms, hiddens, pulls, inner = (x.flatten(1, 2) for x in (states, terms, hiddens, pulls, inner))
    first = torch.bmm(inner.mT, terms)
    bias = inner.sum(dim=1)
    scaled = torch.bmm(pulls.mT.repeat(2, 1, 1), hiddens)
    rate = (scaled * weights.second).sum(dim=2).view(2, models, -1).sum(dim=0) - (pulls * states).sum(dim=1)
    second = scaled.mul_(weights.rate.repeat(2, 1, 1).mT)
    return {
        "w_s": first[:models],
        "b_s": bias[:models],
        "w_p": first[models:],
        "b_p": bias[models:],
        "u_s": second[:models],
        "u_p": second[models:],
        "v": rate * (parameters["v"] > 0),
    }

"""Loss and gradient of PHOENIX through Runge-Kutta steps, differentiated by hand.

The forward pass stores the intermediate values of every stage; the backward pass goes through the stages in reverse
with the transposed Jacobian and collects the adjoints of the hidden units; the gradient of each weight matrix is then
one product over all stages and rows. Genes and hidden units are the last dimension: with few rows, products in which
they come first are several times slower.
"""

from types import SimpleNamespace

import torch

from kinetrain.neural.segments import segments

MATRICES = ("w_s", "w_p", "u_s", "u_p")


def value_and_gradient(parameters, start, end, duration, weight, steps):
    """Return the loss (M,) of every model and the dict of its gradients.

    Arguments as in `rk4.value_and_gradient`. Exactly the derivative of the steps made: agrees with autograd to
    rounding.
    """
    with torch.no_grad():
        weights = _prepare(parameters)
        scale = (duration / torch.tensor(steps).to(duration)[:, None])[..., None]
        state, tapes = start, []
        for models, count in segments(steps):
            tape, ended = _forward(_head(weights, models), state[:models], scale[:models], count)
            state = torch.cat([ended, state[models:]])
            tapes.append(tape)
        residual = state - end
        share = (weight / weight.sum(dim=1, keepdim=True) / start.shape[2])[..., None]
        value = (residual.square() * share).sum(dim=(1, 2))
        adjoint = residual.mul_(share).mul_(2)
        return value, _gradients(parameters, weights, tapes, adjoint, scale)


def _prepare(parameters):
    """Return the weights as the stages need them; relu(v) is multiplied into the second layer once per solve."""
    rate = torch.relu(parameters["v"])
    return SimpleNamespace(
        w_s=parameters["w_s"],
        w_p=parameters["w_p"],
        b_s=parameters["b_s"][:, None],
        b_p=parameters["b_p"][:, None],
        u_s=parameters["u_s"] * rate[..., None],
        u_p=parameters["u_p"] * rate[..., None],
        rate=rate[:, None],
    )


def _head(weights, models: int):
    """Return the weights of the first `models` models, with the transposes (wt_s, ut_s, ...) that a stage needs."""
    head = {name: tensor[:models] for name, tensor in vars(weights).items()}
    return SimpleNamespace(**head, **{f"{name[0]}t{name[1:]}": head[name].mT for name in MATRICES})


def _forward(weights, state, scale, steps: int):
    """Return the tape, the intermediate values of all stages as (M, S, B, ·) tensors, and the final state."""
    kept = []

    def slope(at):
        """Return scale · f(at), and store the state, the Hill terms and the hidden units."""
        shifted = at - 0.5
        hill = shifted / shifted.abs().add_(1)
        logarithm = hill.log1p()
        sums = torch.baddbmm(weights.b_s, hill, weights.wt_s)
        products = torch.baddbmm(weights.b_p, logarithm, weights.wt_p).exp_()
        kept.append((at, hill, logarithm, sums, products))
        result = at * weights.rate
        result.baddbmm_(sums, weights.ut_s, beta=-1)
        return result.baddbmm_(products, weights.ut_p).mul_(scale)

    for _ in range(steps):
        slope1 = slope(state)
        slope2 = slope(torch.add(state, slope1, alpha=0.5))
        slope3 = slope(torch.add(state, slope2, alpha=0.5))
        slope4 = slope(state + slope3)
        state = torch.add(state, slope1.add_(slope4).add_(slope2.add_(slope3), alpha=2), alpha=1 / 6)
    names = ("states", "hill", "logarithm", "sums", "products")
    parts = zip(*kept, strict=True)
    return SimpleNamespace(**{name: torch.stack(part, dim=1) for name, part in zip(names, parts, strict=True)}), state


def _gradients(parameters, weights, tapes, adjoint, scale) -> dict[str, torch.Tensor]:
    """Return the gradients by the names of the parameters, given the adjoint (M, B, k) of the final states."""
    total = {name: torch.zeros_like(tensor) for name, tensor in parameters.items()} if len(tapes) > 1 else {}
    for tape in reversed(tapes):
        models = len(tape.states)
        head = _head(weights, models)
        began, pulls, inner_s, inner_p = _backward(head, tape, adjoint[:models], scale[:models])
        adjoint = torch.cat([began, adjoint[models:]])
        gradients = _collect(
            {name: part[:models] for name, part in parameters.items()}, head, tape, pulls, inner_s, inner_p
        )
        if not total:
            return gradients
        for name, gradient in gradients.items():
            total[name][:models].add_(gradient)
    return total


def _backward(weights, tape, adjoint, scale):
    """Return the adjoint of the initial state, and those of f and of both first layers at every stage."""
    slope_s = (1 - tape.hill.abs()).square_()  # φ = x / (1 + |x|) has the slope (1 − |φ|)²
    slope_p = slope_s / (1 + tape.hill)
    at_stage = list(zip(slope_s.unbind(1), slope_p.unbind(1), tape.products.unbind(1), strict=True))
    kept = []

    def pull_back(stage, pull):
        """Store the adjoints of one stage; return the transposed Jacobian of scale · f applied to `pull`."""
        slope_s, slope_p, products = at_stage[stage]
        pull = pull * scale
        inner_s = torch.bmm(pull, weights.u_s)
        inner_p = torch.bmm(pull, weights.u_p).mul_(products)
        kept.append((pull, inner_s, inner_p))
        through = torch.bmm(inner_s, weights.w_s).mul_(slope_s)
        through.addcmul_(torch.bmm(inner_p, weights.w_p), slope_p)
        return through.addcmul_(pull, weights.rate, value=-1)

    for stage in range(len(at_stage) - 4, -1, -4):
        pulled4 = pull_back(stage + 3, adjoint / 6)
        pulled3 = pull_back(stage + 2, torch.add(pulled4, adjoint, alpha=1 / 3))
        pulled2 = pull_back(stage + 1, torch.add(adjoint / 3, pulled3, alpha=0.5))
        pulled1 = pull_back(stage, torch.add(adjoint / 6, pulled2, alpha=0.5))
        adjoint = adjoint + pulled1.add_(pulled2).add_(pulled3).add_(pulled4)
    return adjoint, *(torch.stack(part, dim=1) for part in zip(*reversed(kept), strict=True))


def _collect(parameters, weights, tape, pulls, inner_s, inner_p) -> dict[str, torch.Tensor]:
    """Return the gradients from the adjoints of all stages: one product over stages and rows per matrix."""
    pulls, inner_s, inner_p = (part.flatten(1, 2) for part in (pulls, inner_s, inner_p))
    states, hill, logarithm, sums, products = (part.flatten(1, 2) for part in vars(tape).values())
    scaled_s, scaled_p = torch.bmm(pulls.mT, sums), torch.bmm(pulls.mT, products)  # with respect to relu(v) ∘ U
    rate = (scaled_s * parameters["u_s"]).add_(scaled_p * parameters["u_p"]).sum(dim=2)
    rate.sub_((pulls * states).sum(dim=1))
    return {
        "w_s": torch.bmm(inner_s.mT, hill),
        "b_s": inner_s.sum(dim=1),
        "w_p": torch.bmm(inner_p.mT, logarithm),
        "b_p": inner_p.sum(dim=1),
        "u_s": scaled_s.mul_(weights.rate.mT),
        "u_p": scaled_p.mul_(weights.rate.mT),
        "v": rate.mul_(parameters["v"] > 0),
    }

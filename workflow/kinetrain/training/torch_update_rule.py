"""Any optimizer of torch.optim as an updater of the mini-batch loop."""

import io

import numpy as np
import torch

from kinetrain.errors import InputError


class TorchUpdater:
    """An optimizer of torch for one vector of n parameters, with the methods of `updater.Updater`.

    Learning rates come from the schedule. The state before the last step is kept so that it can be undone.

    Raises
    ------
    InputError
        If torch.optim has no such class, or it does not take the arguments or a vector with its gradient.
    """

    def __init__(self, name: str, arguments: dict, n: int):
        torch.set_num_threads(1)  # vectors are short, and other fits run at the same time
        kind = getattr(torch.optim, name, None)
        if not (
            isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer
        ):
            raise InputError(f"settings: optimizer: torch.optim has no optimizer '{name}'")
        if "lr" in arguments:
            raise InputError("settings: optimizer: arguments: 'lr' is set by the schedule")
        try:
            self._create(kind, arguments, n)
            self.step(np.zeros(n), np.ones(n), 1.0, 1, -np.ones(n), np.ones(n))
            self._create(kind, arguments, n)
        except (TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise InputError(f"settings: optimizer: torch.optim.{name} with {arguments}: {error}") from None

    def _create(self, kind, arguments, n):
        self.vector = torch.zeros(n, dtype=torch.float64, requires_grad=True)
        self.optimizer = kind([self.vector], lr=1.0, **arguments)
        self.initial = self.previous = self._state()

    def step(self, x, gradient, rate, t, lower, upper) -> np.ndarray:
        """Return the next parameters (n,), clipped to the box; t is not used, torch counts by itself."""
        self.previous = self._state()
        self.vector.data = torch.tensor(x)
        self.vector.grad = torch.tensor(gradient)
        self.optimizer.param_groups[0]["lr"] = float(rate)
        self.optimizer.step()
        return np.clip(self.vector.detach().numpy(), lower, upper)

    def undo(self) -> None:
        """Restore the state before the last step."""
        self._put(self.previous)

    def clear(self) -> None:
        """Restore the state before the first step."""
        self._put(self.initial)
        self.previous = self.initial

    def as_arrays(self) -> dict:
        """Return the state as named arrays: the bytes that torch saves."""
        buffer = io.BytesIO()
        torch.save({"moments": self._state(), "previous": self.previous}, buffer)
        return {"torch": np.frombuffer(buffer.getvalue(), dtype=np.uint8)}

    def restore(self, arrays: dict) -> None:
        """Restore a state written by `as_arrays`."""
        states = torch.load(io.BytesIO(np.asarray(arrays["torch"]).tobytes()), weights_only=True)
        self._put(states["moments"])
        self.previous = states["previous"]

    def _state(self) -> dict:
        return _copied(self.optimizer.state[self.vector])

    def _put(self, state):
        self.optimizer.state[self.vector] = _copied(state)


def _copied(state) -> dict:
    return {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in state.items()}

"""Full-batch optimizers on the same objective, the same starts and the same budget as the mini-batch ones.

Fides is run through pyPESTO, which offers the others by name alike. Optimizers keep their state to themselves, so a
killed run is resumed by replaying its evaluations: asked for the same points in the same order it gets the recorded
answers, and arrives where it was.
"""

import json
import logging
import time
from dataclasses import asdict

import numpy as np

from kinetrain.errors import InputError
from kinetrain.problems.cost import BudgetExhausted, Cost, Counted
from kinetrain.training.settings import FullBatchOptions
from kinetrain.training.starts import Checkpoint, budget_points, run_starts, starting_point

SECONDS_BETWEEN_CHECKPOINTS = 5.0


class Recorder:
    """The full objective within a budget of gradient solves, with a record of all evaluations.

    `best` is the lowest value so far, `best_x` where; `history` holds one dict (cost, best value) per evaluation.
    """

    def __init__(self, problem, budget: int, save):
        self.counted = Counted(problem, budget)
        self.everything = np.arange(problem.n_conditions)
        self.save = save
        self.records, self.replay = [], []
        self.history, self.best, self.best_x = [], np.inf, None
        self.saved_at = time.monotonic()

    def evaluate(self, theta, order: int):
        """Return (value,), (value, gradient) or (value, gradient, information) for order 0, 1 or 2.

        What the record to be replayed holds is not computed again, but counted as it was.

        Raises
        ------
        BudgetExhausted
            If another gradient would exceed the budget.
        """
        theta = np.array(theta, dtype=float)
        if self.records and len(self.records[-1][1]) > order and np.array_equal(self.records[-1][0], theta):
            return self.records[-1][1][: order + 1]  # Ipopt asks for value and gradient one by one
        replayed = self._replayed(theta, order)
        if replayed is None:
            calls = (self.counted.value, self.counted.value_and_gradient, self.counted.value_gradient_and_information)
            result = calls[order](theta, self.everything)
            result = result if isinstance(result, tuple) else (result,)
        else:
            result, self.counted.cost = replayed
        self._record(theta, result)
        return result

    def _replayed(self, theta, order):
        position = len(self.records)
        if position < len(self.replay):
            point, result, cost = self.replay[position]
            if np.array_equal(point, theta) and len(result) == order + 1:
                return result, cost
            self.replay = []  # not the same run after all: evaluate from here on
        return None

    def _record(self, theta, result):
        self.records.append((theta, result, Cost(**self.counted.cost.as_dict())))
        if result[0] < self.best:
            self.best, self.best_x = result[0], theta
        cost = self.counted.cost.as_dict()
        del cost["failed_evaluations"]
        self.history.append({**cost, "objective": float(self.best)})
        if len(self.records) > len(self.replay) and time.monotonic() - self.saved_at > SECONDS_BETWEEN_CHECKPOINTS:
            self.save(self.as_arrays())
            self.saved_at = time.monotonic()

    def as_arrays(self) -> dict:
        """Return the record of evaluations as arrays, one row per evaluation."""
        points = np.array([point for point, _, _ in self.records])
        results = [np.concatenate([np.ravel(part) for part in result]) for _, result, _ in self.records]
        return {
            "points": points,
            "results": np.concatenate(results),
            "lengths": np.array([len(result) for result in results]),
            "costs": json.dumps([vars(cost) for _, _, cost in self.records]),
        }

    def restore(self, arrays: dict) -> None:
        """Take a record written by `as_arrays` for replay."""
        points = arrays["points"]
        n = points.shape[1]
        ends = np.cumsum(arrays["lengths"])
        for point, begin, end, cost in zip(
            points, ends - arrays["lengths"], ends, json.loads(str(arrays["costs"])), strict=True
        ):
            numbers = arrays["results"][begin:end]
            result = (float(numbers[0]),)
            if len(numbers) > 1:
                result += (numbers[1 : n + 1],)
            if len(numbers) > n + 1:
                result += (numbers[n + 1 :].reshape(n, n),)
            self.replay.append((point, result, Cost(**cost)))


def fides():
    """Return pyPESTO's Fides: a trust region with the Fisher information where it is offered, else BFGS."""
    from pypesto.optimize import FidesOptimizer

    # Iterations are limited by the budget alone; the tolerances are Fides' own.
    return FidesOptimizer(verbose=logging.ERROR, options={"maxiter": 10**6})


def l_bfgs_b():
    """Return SciPy's limited-memory BFGS in a box."""
    from pypesto.optimize import ScipyOptimizer

    return ScipyOptimizer(method="L-BFGS-B", options={"maxiter": 10**6, "maxfun": 10**6})


def ipopt():
    """Return Ipopt with the options of parPE (limited-memory Hessian, tolerance 1e-9, ...)."""
    from pypesto.optimize import IpoptOptimizer

    return IpoptOptimizer(
        options={
            "hessian_approximation": "limited-memory",
            "limited_memory_update_type": "bfgs",
            "max_iter": 10**6,
            "tol": 1e-9,
            "acceptable_iter": 1,
            "acceptable_tol": 1e20,
            "acceptable_obj_change_tol": 1e-12,
            "watchdog_shortened_iter_trigger": 0,
            "print_level": 0,
        }
    )


OPTIMIZERS = {"fides": fides, "l_bfgs_b": l_bfgs_b, "ipopt": ipopt}


def fit(problem, start: int, x, name: str, epochs: int, information: bool, checkpoint: Checkpoint):
    """Return the row and the trace of one full-batch run from x (n,), with a budget of `epochs` * K gradient solves.

    The result is the best point evaluated. The trace holds the start and the best value so far at about 20 fixed
    budgets. Solves without gradient are counted, but not limited by the budget. A run whose start cannot be evaluated
    has failed. With `information` the optimizer gets the Fisher information as its Hessian.
    """
    import pypesto

    recorder = Recorder(problem, epochs * problem.n_conditions, lambda arrays: checkpoint.save(start, arrays))
    saved = checkpoint.load(start)
    if saved is not None:
        recorder.restore(saved)
    message = "budget used"
    try:
        task = pypesto.Problem(_objective(recorder, information), problem.lower, problem.upper)
        result = OPTIMIZERS[name]().minimize(task, x)
        message = str(result.message)
    except BudgetExhausted:
        pass
    finished = recorder.history and np.isfinite(recorder.history[0]["objective"])
    return {
        **recorder.counted.cost.as_dict(),
        "objective": float(recorder.best) if finished else np.inf,
        "status": "finished" if finished else "failed",
        "rescues": 0,
        "epochs": recorder.counted.cost.gradient_solves // problem.n_conditions,
        "conditions": problem.n_conditions,
        "best_objective": float(recorder.best),
        "message": message,
    }, _trace(recorder.history, epochs, problem.n_conditions)


def _objective(recorder, information):
    """Return the recorder as an objective of pyPESTO, which offers the information as a Hessian if wanted."""
    from pypesto.C import FVAL, GRAD, HESS
    from pypesto.objective import ObjectiveBase

    class Objective(ObjectiveBase):
        def call_unprocessed(self, x, sensi_orders, mode, return_dict, **options):
            result = recorder.evaluate(x, max(sensi_orders))
            names = (FVAL, GRAD, HESS)
            return {names[order]: result[order] for order in sensi_orders}

        def check_mode(self, mode):
            return mode == "mode_fun"

        def check_sensi_orders(self, sensi_orders, mode):
            return max(sensi_orders) <= (2 if information else 1)

    return Objective()


def _trace(history, epochs, n_conditions) -> list[dict]:
    """Return the start, and for about 20 fixed budgets the last entry of the history within the budget."""
    solves = np.array([point["gradient_solves"] for point in history])
    within = np.searchsorted(solves, budget_points(epochs) * n_conditions, side="right") - 1
    return [history[index] for index in np.unique([0, *within[within >= 0]])] if history else []


def fit_starts(problem, name, replicate, optimizer, starts, options: FullBatchOptions, checkpoint_folder):
    """Return the tables of fits and traces (`starts.FIT_COLUMNS`, `TRACE_COLUMNS`) of a full-batch multi-start.

    Raises
    ------
    InputError
        If the optimizer is unknown.
    """
    if optimizer not in OPTIMIZERS:
        raise InputError(f"optimizer '{optimizer}' is unknown (known: {', '.join(OPTIMIZERS)})")
    information = optimizer == "fides" and options.sensitivities == "forward"
    identity = {
        "problem": name,
        "optimizer": optimizer,
        "schedule": "-",
        "batch_size": problem.n_conditions,
        "replicate": replicate,
    }
    checkpoint = Checkpoint(checkpoint_folder, {**identity, "settings": asdict(options), "data": problem.checksum})

    def fit_one(start):
        x = starting_point(problem, options.seed, start)
        return fit(problem, start, x, optimizer, options.epochs, information, checkpoint)

    return run_starts(fit_one, starts, checkpoint, identity)

"""Requests of runs for evaluations, answered run by run, or for several runs at once.

The loop of a run is a generator: it yields a `Request` where it needs a value or a gradient, and goes on with the
`Answer`. So there is one loop for runs that are computed one after another, and for runs side by side, whose small
batches together fill the lanes of the kinetics kernel.
"""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kinetrain.problem import SumOverConditions, SumsAtPoints


@dataclass
class Request:
    """A request for the sum over `conditions` at theta (n,), for order 1 with its gradient."""

    order: int
    theta: np.ndarray
    conditions: np.ndarray


@dataclass
class Answer:
    """Value, or value and gradient (n,), and its cost; of a shared evaluation the share by conditions."""

    result: Any
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    relaxed_solves: int = 0


Steps = Generator[Request, Answer, Any]


def complete(problem: SumOverConditions, steps: Steps):
    """Run the generator of one run to its end; return its result."""
    return next(complete_all(problem, {"run": steps}))[1]


def complete_all(problem: SumOverConditions, runs: dict, side_by_side: bool = True) -> Iterator[tuple[Any, Any, float]]:
    """Yield name, returned value and seconds of each of the `runs` (generators by name) as they end.

    With `side_by_side` they advance together if the problem evaluates several points at once (`SumsAtPoints`), else
    one after another. The seconds of runs side by side are their shares, which add up to the time of all.
    """
    groups = (
        [runs] if side_by_side and isinstance(problem, SumsAtPoints) else [{name: run} for name, run in runs.items()]
    )
    for group in groups:
        seconds, answers = dict.fromkeys(group, 0.0), dict.fromkeys(group)
        while answers:
            asked = {}
            for name, answer in answers.items():
                begin = time.monotonic()
                try:
                    asked[name] = group[name].send(answer)
                    seconds[name] += time.monotonic() - begin
                except StopIteration as end:
                    yield name, end.value, seconds[name] + time.monotonic() - begin
            answers = _answer(problem, asked)
            for name, answer in answers.items():
                seconds[name] += answer.seconds


def _answer(problem: SumOverConditions, asked: dict) -> dict:
    """Return the answers to requests, by the same names; those of the same order are evaluated together."""
    answers = {}
    for order in (0, 1):
        own = {name: request for name, request in asked.items() if request.order == order}
        if own:
            answers |= dict(zip(own, _evaluate(problem, list(own.values()), order), strict=True))
    return {name: answers[name] for name in asked}


def _evaluate(problem: SumOverConditions, requests: list[Request], order: int) -> list[Answer]:
    relaxed, began, began_cpu = problem.relaxed_solves, time.monotonic(), time.process_time()
    results: list
    if not isinstance(problem, SumsAtPoints) or len(requests) == 1:
        evaluate = problem.value_and_gradient if order else problem.value
        results = [evaluate(one.theta, one.conditions) for one in requests]
    else:
        thetas, batches = [one.theta for one in requests], [one.conditions for one in requests]
        if order:
            values, gradients = problem.values_and_gradients(thetas, batches)
            results = list(zip(map(float, values), gradients, strict=True))
        else:
            results = list(map(float, problem.values(thetas, batches)))
    cpu, seconds = time.process_time() - began_cpu, time.monotonic() - began
    total = sum(len(one.conditions) for one in requests)
    shares = [len(one.conditions) / total for one in requests]
    relaxed = problem.relaxed_solves - relaxed  # never of several requests: the kernel repeats none
    return [Answer(result, s * cpu, s * seconds, relaxed) for result, s in zip(results, shares, strict=True)]

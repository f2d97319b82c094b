"""A PEtab problem as arrays for its kernel: constants, mappings of parameters, times and measurements of conditions.

They are saved in the cache with the kernel, so that a problem that was opened before needs neither AMICI nor PEtab's
library.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from kinetrain.mechanistic.simulated_times import even_times

BOXES = ("lower", "upper", "nominal", "start_lower", "start_upper")  # numbers of all estimated parameters


@dataclass
class Arrays:
    """A problem of n estimated parameters and K conditions; conditions of pre-equilibrations (E - K) follow them.

    Every condition is one initial value problem from `start` (E,). `k` (E, n_k): constants; `base` (E, n_p): parameters
    of the model, unscaled; those at `to_model` are computed from the elements `from_theta` of the estimated ones on the
    scales `scale` (E, n_p; 0 linear, 1 natural, 2 decimal logarithm). Condition i has the mappings up to
    `mapping_end[i]` that the ones before do not have, and likewise rows (a time and a replicate): `time` (R,),
    `measured`, `noise` (R, n_y), NaN where there is none. preequilibration (E,): the condition that gives the initial
    states, or -1; `reset` (E, n_x): which states begin anew then.
    """

    start: np.ndarray
    k: np.ndarray
    base: np.ndarray
    scale: np.ndarray
    reset: np.ndarray
    preequilibration: np.ndarray
    mapping_end: np.ndarray
    to_model: np.ndarray
    from_theta: np.ndarray
    row_end: np.ndarray
    time: np.ndarray
    measured: np.ndarray
    noise: np.ndarray

    @property
    def most_measurements(self) -> int:
        """Return the largest number of measurements of a condition."""
        known = np.isfinite(self.measured).sum(axis=1)
        parts = np.split(known, self.row_end[:-1])
        return int(max((part.sum() for part in parts), default=0))

    def with_times(self, count: int) -> "Arrays":
        """Return the same problem with rows without measurements: `count` even times from the start to the last one."""
        begin, parts = 0, []
        for start, end in zip(self.start, self.row_end, strict=True):
            own = [self.time[begin:end], self.measured[begin:end], self.noise[begin:end]]
            added = even_times(start, own[0], count)
            nothing = np.full((len(added), self.measured.shape[1]), np.nan)
            order = np.argsort(np.concatenate([own[0], added]), kind="stable")
            pairs = zip(own, (added, nothing, nothing), strict=True)
            parts.append([np.concatenate(pair)[order] for pair in pairs])
            begin = end
        time, measured, noise = (np.concatenate(one) for one in zip(*parts, strict=True))
        ends = np.cumsum([len(one) for one, *_ in parts]).astype(TYPES["row_end"])
        return replace(self, row_end=ends, time=time, measured=measured, noise=noise)


TYPES = {
    **{field.name: np.float64 for field in fields(Arrays)},
    **dict.fromkeys(("scale", "reset"), np.int8),
    **dict.fromkeys(("preequilibration", "mapping_end", "to_model", "from_theta", "row_end"), np.int32),
}


class Names:
    """The names in a model, as `conditions.prepare` asks a compiled one of AMICI for them."""

    def __init__(self, facts: dict):
        self._facts = facts

    def get_free_parameter_ids(self) -> list[str]:
        """Return the names of parameters that can be estimated."""
        return self._facts["parameter_names"]

    def get_fixed_parameter_ids(self) -> list[str]:
        """Return the names of constants."""
        return self._facts["constant_names"]

    def get_observable_ids(self) -> list[str]:
        """Return the names of observables."""
        return self._facts["observable_names"]

    def get_state_ids(self) -> list[str]:
        """Return the names of states; those that never change are left out where there is no pre-equilibration."""
        return self._facts["state_names"]


def arrays_of(conditions, facts: dict, constants: list[str]) -> Arrays:
    """Return prepared conditions (`conditions.prepare`) as arrays.

    facts: those of the kernel; constants: the names of `fixed_parameters`, which may have another order than there.
    """
    n_x, n_y = len(facts["state_names"]), len(facts["observable_names"])
    order = [constants.index(name) for name in facts["constant_names"]]
    rows, before = [], {}
    for condition in conditions:
        data = condition.data
        scales = np.array([int(scale) for scale in data.pscale], dtype=np.int8)  # AMICI numbers them as we do
        own = _Row(condition, np.array(data.fixed_parameters)[order], scales, n_x)
        own.time = np.array(data.get_timepoints())
        own.measured = np.array(data.get_measurements()).reshape(-1, n_y)
        own.noise = np.array(data.get_noise_scales()).reshape(-1, n_y)
        own.start = float(data.t_start)
        before_start = np.array(data.fixed_parameters_pre_equilibration)
        if len(before_start):
            own.reset[list(data.reinitialization_state_idxs_sim)] = 1
            earlier = _Row(condition, before_start[order], scales, n_x).driven_by(facts["driving"])
            earlier.time, earlier.start = np.array([np.inf]), own.start
            earlier.measured = earlier.noise = np.full((1, n_y), np.nan)
            number, _ = before.setdefault(earlier.key(), (len(before), earlier))
            own.preequilibration = len(conditions) + number
        rows.append(own)
    rows += [row for _, row in before.values()]

    def stacked(name):
        return np.array([getattr(row, name) for row in rows])

    def joined(name):
        return np.concatenate([getattr(row, name) for row in rows])

    def ends(name):
        return np.cumsum([len(getattr(row, name)) for row in rows])

    each = ("start", "k", "base", "scale", "reset", "preequilibration")
    found = {name: stacked(name) for name in each}
    found |= {name: joined(name) for name in ("to_model", "from_theta", "time", "measured", "noise")}
    found |= {"mapping_end": ends("to_model"), "row_end": ends("time")}
    return Arrays(**{name: np.ascontiguousarray(value, dtype=TYPES[name]) for name, value in found.items()})


class _Row:
    start: float
    time: np.ndarray
    measured: np.ndarray
    noise: np.ndarray

    def __init__(self, condition, constants, scale, n_x):
        self.k, self.scale = constants, scale
        self.to_model, self.from_theta = np.array(condition.to_model), np.array(condition.from_theta)
        self.base = np.array(condition.parameters, dtype=float)
        self.base[self.to_model] = 0.0
        fixed = ~np.isin(np.arange(len(self.base)), self.to_model)
        for code, unscale in ((1, np.exp), (2, lambda value: 10.0**value)):
            here = fixed & (scale == code)
            self.base[here] = unscale(self.base[here])
        self.reset, self.preequilibration = np.zeros(n_x), -1

    def driven_by(self, driving):
        """Leave only the parameters with these indices, so that equal pre-equilibrations are found to be equal."""
        keep = np.isin(self.to_model, driving)
        self.to_model, self.from_theta = self.to_model[keep], self.from_theta[keep]
        other = ~np.isin(np.arange(len(self.base)), driving)
        self.base[other] = 0.0
        self.scale = np.where(other, 0, self.scale)
        return self

    def key(self):
        parts = (self.k, self.base, self.scale, self.to_model, self.from_theta)
        return (self.start, *(np.asarray(part).tobytes() for part in parts))

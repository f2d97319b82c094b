"""The model of a PEtab problem as a graph, read from the symbolic model of AMICI's importer; AMICI compiles nothing."""

import contextlib
import logging
from dataclasses import dataclass, field

import amici
import numpy as np

from kinetrain.errors import InputError
from kinetrain.mechanistic.amici_import import import_problem
from kinetrain.mechanistic.compiled_model import not_imported
from kinetrain.mechanistic.kernel.derivatives import derivative
from kinetrain.mechanistic.kernel.graph import INPUT, QUANTITIES, TIME, Graph, UnsupportedModelError
from kinetrain.mechanistic.kernel.translation import Translator
from kinetrain.mechanistic.petab_tables import is_version_1

POINTS = 20  # at which a condition on states is tested
SCALES = {"lin": 0, "log": 1, "log10": 2}


@dataclass
class Jump:
    """An event that sets states: which (indices), to what (nodes), and when.

    trigger: the index of its switch, which must go from 0 to 1. at_start: whether it happens too if the switch is 1
    when a simulation begins. priority: the highest of simultaneous ones is first. old_values: whether it sees the
    states before any simultaneous event.
    """

    trigger: int
    targets: list[int]
    values: list[int]
    at_start: bool
    priority: float
    old_values: bool


@dataclass
class Model:
    """An ODE model with observables as nodes of a graph.

    states, parameters, constants, observables: names; parameters can be estimated. xdot, initial: by states. y, sigma:
    by observables. losses: distinct negative log-likelihoods of a measurement, as nodes of the inputs `y`, `m`
    (measured), `s` (sigma); loss_of: which of them an observable has. scale_of: 0 linear, 1 natural, 2 decimal
    logarithm, on which an observable is compared. switches: a node by switch `h`, which is 1 where the node is
    positive. times: where switches can change, as nodes of parameters and constants. jumps: events that set states.
    eliminated: names of states that never change, whose initial value stands in for them.
    """

    graph: Graph
    parameters: list[str]
    constants: list[str]
    observables: list[str]
    states: list[str] = field(default_factory=list)
    xdot: list[int] = field(default_factory=list)
    initial: list[int] = field(default_factory=list)
    y: list[int] = field(default_factory=list)
    sigma: list[int] = field(default_factory=list)
    losses: list[int] = field(default_factory=list)
    loss_of: list[int] = field(default_factory=list)
    scale_of: list[int] = field(default_factory=list)
    switches: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    jumps: list[Jump] = field(default_factory=list)
    eliminated: list[str] = field(default_factory=list)


def import_symbolic(path, problem):
    """Return AMICI's symbolic model (`DEModel`) of a PEtab problem (`petab_reader.read_petab`).

    Raises
    ------
    InputError
        If AMICI cannot import it.
    """
    try:
        with _caught() as found:
            if is_version_1(problem):
                import_problem(problem, path, output_dir="", model_name="kernel", verbose=logging.ERROR)
            else:
                problem.import_sbml()
    except InputError:
        raise
    except Exception as error:
        raise not_imported(path, error) from error
    return found[0]


@contextlib.contextmanager
def _caught():
    """Let AMICI's importer stop at the symbolic model; yield a list that gets it."""
    found = []

    class Importer(amici.SbmlImporter):
        def sbml2amici(self, fixed_parameters=None, observation_model=None, verbose=None, compile=False, **rest):
            # Without conservation laws: no state is then a difference of others, which loses digits.
            found.append(
                self._build_ode_model(
                    fixed_parameters=fixed_parameters,
                    observation_model=observation_model,
                    verbose=verbose,
                    compute_conservation_laws=False,
                    simplify=None,
                )
            )

    original, amici.SbmlImporter = amici.SbmlImporter, Importer
    try:
        yield found
    finally:
        amici.SbmlImporter = original


def read_model(symbolic, has_preequilibration: bool, sort_constants: bool = False) -> Model:
    """Return AMICI's symbolic model as a graph.

    has_preequilibration: then states that never change are kept, as their values may differ before and after.
    sort_constants: put constants in alphabetical order, as that of AMICI differs from import to import in version 2.

    Raises
    ------
    UnsupportedModelError
        If it has events that states trigger, algebraic rules, or functions that are not known here.
    """
    if symbolic.has_algebraic_states():
        raise UnsupportedModelError("algebraic rules")
    names = {kind: [str(symbol) for symbol in symbolic.sym(kind)] for kind in ("x", "p", "k", "h", "y")}
    if sort_constants:
        names["k"].sort()
    graph = Graph()
    model = Model(graph, names["p"], names["k"], names["y"])
    formulas = dict(zip(map(str, symbolic.sym("w")), symbolic.eq("w"), strict=True))
    leaves = {name: graph.node(kind, i) for kind in ("p", "k", "h") for i, name in enumerate(names[kind])}
    leaves["t"] = leaves["time"] = graph.node(TIME)  # splines have the other name
    translate = Translator(graph, leaves, formulas, {str(one.sbml_id): one for one in symbolic._splines})
    initial = [translate(formula) for formula in symbolic.eq("x0")]
    xdot = list(symbolic.eq("xdot"))
    changed = {str(state) for event in symbolic.events() for state in event._assignments}
    for name, formula, start in zip(names["x"], xdot, initial, strict=True):
        if formula.is_zero and name not in changed and not has_preequilibration:
            translate.names[name] = start
            model.eliminated.append(name)
        else:
            translate.names[name] = graph.node("x", len(model.states))
            model.states.append(name)
            model.initial.append(start)
    kept = [name not in model.eliminated for name in names["x"]]
    thresholds = _read_thresholds(symbolic, translate)
    model.xdot = [translate(formula) for formula, keep in zip(xdot, kept, strict=True) if keep]
    model.y = [translate(formula) for formula in symbolic.eq("y")]
    translate.names.update(zip(names["y"], model.y, strict=True))
    model.sigma = [translate(formula) for formula in symbolic.eq("sigmay")]
    for node, text in thresholds.items():
        _check_continuity(graph, node, text, [*model.xdot, *model.y, *model.sigma])
    _read_losses(symbolic, model)
    _read_switches(symbolic, model, translate)
    if any(graph.depends(node, "x", "h") for node in model.initial):
        raise UnsupportedModelError("an initial value that depends on states or switches")
    return model


def _read_thresholds(symbolic, translate) -> dict[int, str]:
    """Translate switches that states trigger as conditions; return them, with their texts.

    They may stand where a right-hand side is continuous (its slope changes). Where it jumps, the time of the jump has a
    derivative that steps do not see.
    """
    graph, found = translate.graph, {}
    for event in symbolic.events():
        node = translate(event.get_val())
        if not graph.depends(node, "x"):
            continue
        text = str(event.get_val())[:100]
        if event.updates_state:
            raise UnsupportedModelError(f"the event '{text}', which states trigger")
        condition = graph.less(graph.number(0), node)
        translate.names[str(event.get_sym())] = graph.where(condition, graph.number(1), graph.number(0))
        found[node] = text
    return found


def _check_continuity(graph, node, text, functions):
    """Raise UnsupportedModelError if one of some functions jumps where a node is zero, as seen at random points."""
    rng = np.random.default_rng(1)
    functions = [one for one in functions if graph.reaches(one, node)]
    leaves = [leaf for leaf, (kind, *_) in enumerate(graph.nodes) if kind in (*QUANTITIES, TIME)]
    states = [leaf for leaf in graph.leaves(node) if graph.nodes[leaf][0] == "x"]
    tried = 0
    for number in range(POINTS):
        values = dict(zip(leaves, np.exp(rng.normal(0, 1, len(leaves))), strict=True))
        state = states[number % len(states)]
        slope = derivative(graph, node, state)
        for _ in range(20):  # Newton's method: to where the node is zero
            height, rise = graph.evaluate([node, slope], values)
            if not (height and rise):
                break
            values[state] -= height / rise
        if not abs(height) < 1e-9:
            continue
        sides = [graph.evaluate(functions, values | {state: values[state] + step}) for step in (-1e-8, 1e-8)]
        if not np.isfinite(sides).all():
            continue
        tried += 1
        if not np.allclose(*sides, rtol=1e-4, atol=1e-4):
            break
    else:
        if tried or not functions:
            return
    raise UnsupportedModelError(f"the condition '{text}', which states trigger and where the right-hand side jumps")


def _read_losses(symbolic, model):
    graph = model.graph
    y, m, s = (graph.node(INPUT, name) for name in "yms")
    for own in zip(symbolic.sym("y"), symbolic.sym("my"), symbolic.sym("sigmay"), symbolic.eq("Jy"), strict=True):
        *symbols, formula = own
        loss = Translator(graph, dict(zip(map(str, symbols), (y, m, s), strict=True)))(formula)
        if loss not in model.losses:
            model.losses.append(loss)
        model.loss_of.append(model.losses.index(loss))
    model.scale_of = [SCALES[str(getattr(one, "value", one))] for one in symbolic.get_observable_transformations()]


def _read_switches(symbolic, model, translate):
    graph = model.graph
    used = {leaf for node in (*model.xdot, *model.y, *model.sigma) for leaf in graph.leaves(node)}
    times = {}
    for number, event in enumerate(symbolic.events()):
        node = translate(event.get_val())
        if graph.depends(node, "x"):  # a condition in the right-hand side
            node = graph.number(-1)
        jump = _read_jump(event, number, model, translate)
        used |= {leaf for value in (jump.values if jump else []) for leaf in graph.leaves(value)}
        if jump is None and graph.node("h", number) not in used:
            node = graph.number(-1)  # AMICI mirrors each switch by one of opposite sign
        model.switches.append(node)
        if graph.depends(node, "h"):
            raise UnsupportedModelError(f"the event or condition '{str(event.get_val())[:100]}' of other switches")
        for time in _times(node, graph):
            times[time] = None
        if jump:
            model.jumps.append(jump)
    splines = [translate(node) for spline in symbolic._splines for node in spline.nodes]
    model.times = list(dict.fromkeys([*times, *splines]))


def _read_jump(event, number, model, translate) -> Jump | None:
    if not event.updates_state:
        return None
    states = {name: index for index, name in enumerate(model.states)}
    targets = {states[str(state)]: translate(formula) for state, formula in event._assignments.items()}
    priority = event.get_priority()
    return Jump(
        number,
        list(targets),
        list(targets.values()),
        not event.get_initial_value(),
        float("-inf") if priority is None else float(priority),
        bool(event.uses_values_from_trigger_time),
    )


def _times(node, graph) -> list[int]:
    """Return where a node of time, parameters and constants can change its sign, as nodes without time."""
    operation, *operands = graph.nodes[node]
    time = graph.node(TIME)
    if not graph.depends(node, TIME):
        return []
    if operation in ("where", "mul", "div", "lt", "le", "neg") or (
        operation in ("add", "sub") and any(graph.nodes[one][0] == "where" for one in operands)
    ):
        parts = [graph.sub(*operands)] if operation in ("lt", "le") else operands
        return [found for part in parts for found in _times(part, graph)]
    slope = derivative(graph, node, time)
    if graph.depends(slope, TIME):
        raise UnsupportedModelError("an event or a condition whose time is no linear equation")
    return [graph.neg(graph.div(graph.substitute(node, {time: graph.number(0)}), slope))]

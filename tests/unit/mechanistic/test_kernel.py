"""The kinetics kernel against SciPy: random networks of mass action and Hill kinetics, values and derivatives.

All networks are one model, whose rates are parameters and mostly zero, so that one kernel serves them all.
"""

import json

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from kinetrain.cache import CHECKSUMS
from kinetrain.compiler import CompilerError, runnable
from kinetrain.mechanistic.kernel import build, elimination
from kinetrain.mechanistic.kernel.derivatives import adjoints, derivative
from kinetrain.mechanistic.kernel.evaluation import GRADIENT, INFORMATION, INFORMATION_BY_ADJOINTS, VALUE, Evaluator
from kinetrain.mechanistic.kernel.generate import Generator
from kinetrain.mechanistic.kernel.graph import INPUT, TIME, Graph, UnsupportedModelError
from kinetrain.mechanistic.kernel.mapping import TYPES, Arrays
from kinetrain.mechanistic.kernel.model import Jump, Model
from kinetrain.mechanistic.kernel.translation import Translator

N = 3
TIMES = np.array([0.0, 0.4, 1.0, 2.5, 6.0])
X = sympy.symbols(f"x:{N}")
T, H = sympy.symbols("t h")
JUMP = X[1] / 2 + sympy.Symbol("dose") * X[0] * T  # what the second state becomes when production stops
RATES = [*(f"make{i}" for i in range(N)), *(f"lose{i}" for i in range(N))]
RATES += [f"turn{i}{j}" for i in range(N) for j in range(N) if i != j]  # i becomes j
RATES += [f"bind{i}{j}" for i in range(N) for j in range(i, N)]  # i and j become the next one
RATES += [f"activate{i}{j}" for i in range(N) for j in range(N) if i != j]  # i makes j, by a Hill function
PARAMETERS = [*RATES, "half", "hill", *(f"start{i}" for i in range(N)), "stop", "sd", "dose"]


def right_hand_side():
    """Return the derivatives of the states as expressions of sympy."""
    p = {name: sympy.Symbol(name) for name in PARAMETERS}
    f = [p[f"make{i}"] * H - p[f"lose{i}"] * X[i] for i in range(N)]
    for name, rate in p.items():
        if name.startswith(("turn", "bind", "activate")):
            i, j = int(name[-2]), int(name[-1])
            if name.startswith("turn"):
                f[i] -= rate * X[i]
                f[j] += rate * X[i]
            elif name.startswith("bind"):
                for one in (i, j):
                    f[one] -= rate * X[i] * X[j]
                f[(j + 1) % N] += rate * X[i] * X[j]
            else:
                f[j] += rate * X[i] ** p["hill"] / (p["half"] ** p["hill"] + X[i] ** p["hill"])
    return f


def family() -> Model:
    """Return the model of all networks: observables are the first state, and the logarithm of the sum of all."""
    graph = Graph()
    names = {name: graph.node("p", i) for i, name in enumerate(PARAMETERS)}
    names |= {f"x{i}": graph.node("x", i) for i in range(N)} | {"t": graph.node(TIME), "h": graph.node("h", 0)}
    translate = Translator(graph, names)
    y, m, s = (graph.node(INPUT, name) for name in "yms")
    loss = Translator(graph, {"y": y, "m": m, "s": s})(
        sympy.sympify("log(2 * pi * s**2) / 2 + ((y - m) / s)**2 / 2", locals={"s": sympy.Symbol("s")})
    )
    return Model(
        graph,
        PARAMETERS,
        [],
        ["first", "all"],
        states=[f"x{i}" for i in range(N)],
        xdot=[translate(formula) for formula in right_hand_side()],
        initial=[names[f"start{i}"] for i in range(N)],
        y=[names["x0"], translate(sympy.log(1 + sum(X)))],
        sigma=[names["sd"]] * 2,
        losses=[loss],
        loss_of=[0, 0],
        scale_of=[0, 0],
        switches=[graph.sub(names["stop"], names["t"]), graph.sub(names["t"], names["stop"])],
        times=[names["stop"]],
        jumps=[Jump(1, [1], [translate(JUMP)], at_start=False, priority=0.0, old_values=True)],
    )


def library():
    generator = Generator(family())
    name = build.keep(generator.text(), {"states": N, "driving": generator.driving})
    return build.load(name, runnable()[0])


@pytest.fixture(scope="module")
def kernel():
    """An evaluator of conditions that are the rows of data: every parameter is estimated, on the linear scale."""
    own = library()

    def make(data, relative=1e-6, absolute=1e-12, times=TIMES):
        conditions, p, rows = len(data), len(PARAMETERS), len(times)
        values = {
            **{"start": np.zeros(conditions), "k": np.zeros((conditions, 0)), "base": np.zeros((conditions, p))},
            **{"scale": np.zeros((conditions, p)), "reset": np.zeros((conditions, N))},
            **{"preequilibration": np.full(conditions, -1), "mapping_end": p * np.arange(1, conditions + 1)},
            **{"to_model": np.tile(np.arange(p), conditions), "from_theta": np.tile(np.arange(p), conditions)},
            **{"row_end": rows * np.arange(1, conditions + 1), "time": np.tile(times, conditions)},
            **{"measured": np.concatenate(data), "noise": np.full((rows * conditions, 2), np.nan)},
        }
        arrays = Arrays(**{name: np.ascontiguousarray(values[name], dtype=kind) for name, kind in TYPES.items()})
        evaluator = Evaluator(own, arrays, relative, absolute, 5000)
        evaluator.arrays = arrays  # kept alive
        return evaluator

    return make


FIELD = sympy.lambdify([T, X, H, [sympy.Symbol(name) for name in PARAMETERS]], right_hand_side(), cse=True)


def objective(theta, data) -> float:
    """Return the negative log-likelihood of data (times, 2), by SciPy at tight tolerances."""
    p = dict(zip(PARAMETERS, theta, strict=True))
    states = np.empty((len(TIMES), N))
    y, now = np.array([p[f"start{i}"] for i in range(N)]), 0.0
    edges = sorted({*TIMES, p["stop"]})
    for end in edges:
        if end > now:
            h = float(now < p["stop"])
            options = {"method": "LSODA", "rtol": 1e-11, "atol": 1e-13}
            with np.errstate(all="ignore"):
                y = solve_ivp(lambda t, x, h=h: FIELD(t, np.maximum(x, 0), h, theta), (now, end), y, **options).y[:, -1]
            now = end
            if end == p["stop"]:
                y[1] = y[1] / 2 + p["dose"] * y[0] * end
        states[end == TIMES] = y
    found = np.stack([states[:, 0], np.log(1 + states.sum(axis=1))], axis=1)
    return float((0.5 * np.log(2 * np.pi * p["sd"] ** 2) + 0.5 * ((found - data) / p["sd"]) ** 2).sum())


@st.composite
def networks(draw):
    """A network of a few reactions, as the values of PARAMETERS."""
    number = st.floats(0.05, 3.0)
    theta = dict.fromkeys(PARAMETERS, 0.0)
    for name in draw(st.lists(st.sampled_from(RATES), min_size=2, max_size=8, unique=True)):
        theta[name] = draw(number)
    theta |= {f"start{i}": draw(st.floats(0.1, 4)) for i in range(N)}
    theta |= {
        "half": draw(number),
        "hill": draw(st.sampled_from([1.0, 2.0, 2.7, 4.0])),
        "sd": 0.3,
        "dose": draw(number),
    }
    theta["stop"] = draw(st.floats(1.1, 2.4))
    return np.array([theta[name] for name in PARAMETERS])


DATA = np.array([[1.0, 0.5], [0.8, 0.7], [1.2, 1.0], [0.9, 1.1], [0.7, 0.9]])


@settings(deadline=None, max_examples=8)
@given(theta=networks(), direction=st.integers(0, 2**31))
def test_values_and_gradients_of_random_networks_are_those_of_scipy(kernel, theta, direction):
    evaluator = kernel([DATA])
    found = evaluator.evaluate(theta[None], [0], [0], GRADIENT)
    assert found.status[0] == 0
    assert found.value[0] == pytest.approx(objective(theta, DATA), rel=1e-5)
    along = np.random.default_rng(direction).normal(0, 1, len(theta)) * np.maximum(theta, 0.0)
    step = 1e-4 / np.abs(along).max()
    expected = (objective(theta + step * along, DATA) - objective(theta - step * along, DATA)) / (2 * step)
    assert found.gradient[0] @ along == pytest.approx(
        expected, rel=1e-4, abs=1e-4 * np.abs(found.gradient * along).max()
    )


@settings(deadline=None, max_examples=6)
@given(theta=networks())
def test_sensitivities_and_the_adjoint_of_the_same_steps_agree_to_rounding(kernel, theta):
    few = np.where(np.arange(5)[:, None] == [1, 3], DATA, np.nan)
    evaluator, pairs = kernel([DATA, few]), (theta[None], [0, 1, 0], [0, 0, 0])
    back = evaluator.evaluate(*pairs, GRADIENT).gradient[0]
    forward, adjoints = (evaluator.evaluate(*pairs, order) for order in (INFORMATION, INFORMATION_BY_ADJOINTS))
    np.testing.assert_allclose(forward.gradient[0], back, atol=1e-7 * np.abs(back).max())
    np.testing.assert_array_equal(adjoints.gradient[0], back)
    scale = np.sqrt(np.diag(forward.information[0]))
    np.testing.assert_allclose(adjoints.information[0], forward.information[0], atol=1e-7 * max(scale) ** 2, rtol=1e-6)
    assert np.linalg.eigvalsh(forward.information[0]).min() > -1e-9 * np.abs(forward.information).max()


@settings(deadline=None, max_examples=6)
@given(thetas=st.lists(networks(), min_size=2, max_size=12))
def test_results_do_not_depend_on_what_runs_in_other_lanes(kernel, thetas):
    evaluator = kernel([DATA, 2 * DATA])
    thetas = np.array(thetas)
    points = np.repeat(np.arange(len(thetas)), 2)
    together = evaluator.evaluate(thetas, np.tile([0, 1], len(thetas)), points, GRADIENT)
    for number, theta in enumerate(thetas):
        alone = evaluator.evaluate(theta[None], [0, 1], [0, 0], GRADIENT)
        np.testing.assert_allclose(together.value[points == number], alone.value, rtol=1e-13)
        np.testing.assert_allclose(together.gradient[number], alone.gradient[0], rtol=1e-12, atol=1e-13)


def test_a_state_that_is_negative_by_its_error_does_not_spoil_derivatives_of_its_power(kernel):
    theta = dict.fromkeys(PARAMETERS, 0.0) | {"make0": 2.0, "make1": 1.0, "bind01": 2.0, "bind02": 0.25, "bind11": 1.0}
    theta |= {
        "bind12": 1.0,
        "half": 1.0,
        "hill": 1.0,
        "start0": 1.0,
        "start1": 1.0,
        "start2": 1.0,
        "stop": 2.0,
        "sd": 0.3,
    }
    found = kernel([DATA]).evaluate(np.array([list(theta.values())]), [0], [0], GRADIENT)
    assert np.isfinite(found.gradient).all()


def test_a_state_that_begins_to_grow_from_zero_after_an_event_is_followed(kernel):
    theta = dict.fromkeys(PARAMETERS, 0.0) | {"start0": 1.0, "turn12": 1e5, "half": 1.0, "hill": 1.0}
    theta = np.array(list((theta | {"stop": 5.5, "sd": 0.3, "dose": 0.4}).values()))
    found = kernel([DATA], absolute=1e-16).evaluate(theta[None], [0], [0], GRADIENT)
    assert found.status[0] == 0
    assert found.value[0] == pytest.approx(objective(theta, DATA), rel=1e-6)


def test_what_is_left_of_a_state_that_decayed_asks_for_no_steps(kernel):
    theta = dict.fromkeys(PARAMETERS, 0.0) | {"start0": 1.0, "lose0": 20.0, "start1": 1.0, "lose1": 0.1, "half": 1.0}
    theta = np.array(list((theta | {"hill": 1.0, "stop": 2.0, "sd": 0.3}).values()))
    found = kernel([DATA], absolute=1e-30).evaluate(theta[None], [0], [0], VALUE)
    assert found.attempts[0] < 100  # 158 if the decay were followed down to 1e-30
    assert found.value[0] == pytest.approx(objective(theta, DATA), rel=1e-6)


@pytest.mark.parametrize("relative", [1e-6, 1e-9])
def test_a_steady_state_with_a_conserved_sum_is_found_though_rounding_changes_the_sum(kernel, relative):
    own = {"turn01": 3e3, "turn10": 7e3, "turn12": 3e-4, "turn21": 1e-4, "start0": 1.0, "start1": 2.0, "start2": 0.5}
    rest = {"half": 1.0, "hill": 1.0, "stop": -1.0, "sd": 0.3}
    theta = np.array(list((dict.fromkeys(PARAMETERS, 0.0) | own | rest).values()))
    places = [PARAMETERS.index(name) for name in own]

    def solved_by_hand(values):
        to_second, back, to_third, back_again, *starts = values
        parts = np.cumprod([1.0, to_second / back, to_third / back_again])
        found = np.array([sum(starts) / parts.sum(), np.log(1 + sum(starts))])
        return float((0.5 * np.log(2 * np.pi * 0.09) + 0.5 * ((found - 1.0) / 0.3) ** 2).sum())

    values = theta[places]
    steps = 1e-5 * np.diag(values)
    expected = np.array([(solved_by_hand(values + one) - solved_by_hand(values - one)) / 2e-5 for one in steps])
    evaluator = kernel([np.ones((1, 2))], relative, times=[np.inf])
    for order in (GRADIENT, INFORMATION, INFORMATION_BY_ADJOINTS):
        found = evaluator.evaluate(theta[None], [0], [0], order)
        assert found.status[0] == 0
        assert found.value[0] == pytest.approx(solved_by_hand(values), rel=1e-6)
        gradient = found.gradient[0, places] * values
        np.testing.assert_allclose(gradient, expected, atol=1e-5 * np.abs(expected).max())


def test_tighter_tolerances_bring_the_value_nearer_to_the_solution(kernel):
    theta = np.array([0.5] * len(RATES) + [0.7, 2.0, 1.0, 2.0, 0.5, 1.5, 0.3, 0.4])
    right = objective(theta, DATA)
    errors = [
        abs(kernel([DATA], relative).evaluate(theta[None], [0], [0], VALUE).value[0] - right)
        for relative in (1e-3, 1e-5, 1e-7)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-7 * abs(right)


def test_what_is_not_finite_is_a_failure_and_leaves_other_points_alone(kernel):
    evaluator = kernel([DATA])
    good = np.array([0.5] * len(RATES) + [0.7, 2.0, 1.0, 2.0, 0.5, 1.5, 0.3, 0.4])
    endless = good.copy()
    endless[PARAMETERS.index("make0")] = 1e308
    unknown = good.copy()
    unknown[PARAMETERS.index("half")] = np.nan
    found = evaluator.evaluate(np.array([good, endless, unknown]), [0, 0, 0], [0, 1, 2], GRADIENT)
    alone = evaluator.evaluate(good[None], [0], [0], GRADIENT)
    assert found.value[0] == alone.value[0]
    assert (found.status[1:] > 0).all() and np.isinf(found.value[1:]).all()
    np.testing.assert_array_equal(found.gradient[0], alone.gradient[0])


def expressions():
    """Expressions of x, y > 0 in sympy, by what the graph knows."""
    x, y = sympy.symbols("x y")
    leaf = st.sampled_from([x, y, sympy.Integer(2), sympy.Rational(1, 3), -x])

    def grow(inner):
        two = st.tuples(inner, inner)
        return st.one_of(
            two.map(lambda ab: ab[0] + ab[1]),
            two.map(lambda ab: ab[0] - 3 * ab[1]),
            two.map(lambda ab: ab[0] * ab[1]),
            two.map(lambda ab: ab[0] / (2 + ab[1] ** 2)),
            two.map(lambda ab: sympy.Max(ab[0], ab[1])),
            two.map(lambda ab: sympy.Piecewise((ab[0], ab[1] > 1), (ab[1], True))),
            inner.map(lambda a: sympy.exp(-(a**2))),
            inner.map(lambda a: sympy.log(1 + a**2)),
            inner.map(lambda a: sympy.sqrt(1 + a**2)),
            inner.map(lambda a: (1 + a**2) ** x),
            inner.map(sympy.sin),
            inner.map(sympy.tanh),
        )

    return st.recursive(leaf, grow, max_leaves=8)


@settings(deadline=None, max_examples=40)
@given(formula=expressions(), x=st.floats(0.3, 1.7), y=st.floats(0.3, 1.7))
def test_the_graph_has_values_and_derivatives_of_any_expression(formula, x, y):
    graph = Graph()
    leaves = [graph.node("x", 0), graph.node("x", 1)]
    root = Translator(graph, dict(zip("xy", leaves, strict=True)))(formula)
    values = dict(zip(leaves, (x, y), strict=True))
    exact = float(formula.subs(dict(zip(sympy.symbols("x y"), (x, y), strict=True))).evalf())
    assert graph.evaluate([root, *graph.with_coefficients([root])], values) == pytest.approx(
        [exact] * 2, rel=1e-9, abs=1e-12
    )
    back = adjoints(graph, [(root, graph.number(1))], leaves.__contains__)
    for leaf in leaves:
        forward = graph.evaluate([derivative(graph, root, leaf)], values)[0]
        reverse = graph.evaluate([back[leaf]], values)[0] if leaf in back else 0.0
        assert reverse == pytest.approx(forward, rel=1e-9, abs=1e-12)
        side = [graph.evaluate([root], values | {leaf: values[leaf] + step})[0] for step in (-1e-6, 1e-6)]
        if abs(side[0] + side[1] - 2 * exact) < 1e-8 * (1 + abs(exact)):  # no kink or jump between them
            assert forward == pytest.approx((side[1] - side[0]) / 2e-6, rel=1e-4, abs=1e-5 * (1 + abs(exact)))


@settings(deadline=None, max_examples=30)
@given(size=st.integers(1, 8), seed=st.integers(0, 2**31))
def test_the_plan_of_an_elimination_solves_any_matrix_of_its_pattern(size, seed):
    rng = np.random.default_rng(seed)
    pattern = [(i, j) for i in range(size) for j in range(size) if rng.random() < 0.3]
    matrix = np.diag(rng.uniform(4, 5, size))
    for i, j in pattern:
        matrix[i, j] += rng.uniform(-0.5, 0.5)
    found = elimination.plan(size, pattern)
    lu = matrix[np.ix_(found.order, found.order)]
    assert all((i, j) in found.entries for i in range(size) for j in range(size) if lu[i, j])
    for i, k, columns in found.steps:
        lu[i, k] /= lu[k, k]
        lu[i, columns] -= lu[i, k] * lu[k, columns]
    product = (np.tril(lu, -1) + np.eye(size)) @ np.triu(lu)
    np.testing.assert_allclose(product, matrix[np.ix_(found.order, found.order)], atol=1e-12)


def test_large_models_are_solved_by_tables_as_small_ones_by_straight_code(kernel, monkeypatch):
    theta = np.array([0.5] * len(RATES) + [0.7, 2.0, 1.0, 2.0, 0.5, 1.5, 0.3, 0.4])
    straight = kernel([DATA])
    monkeypatch.setattr(elimination, "LARGEST_STRAIGHT", 0)
    tables = Evaluator(library(), straight.arrays, 1e-6, 1e-12, 5000)
    found, expected = (one.evaluate(theta[None], [0], [0], GRADIENT) for one in (tables, straight))
    assert found.value[0] == pytest.approx(expected.value[0], rel=1e-10)
    np.testing.assert_allclose(found.gradient, expected.gradient, rtol=1e-7, atol=1e-9)


def test_unknown_functions_and_symbols_are_reported():
    translate = Translator(Graph(), {})
    with pytest.raises(UnsupportedModelError, match="gamma"):
        translate(sympy.gamma(sympy.Integer(3) / 7))
    with pytest.raises(UnsupportedModelError, match="'nowhere'"):
        translate(sympy.Symbol("nowhere"))


def test_a_missing_or_failing_compiler_is_reported(tmp_path, monkeypatch):
    name = build.keep("this is no C++", {"states": 1})
    monkeypatch.setenv("CXX", str(tmp_path / "nothing"))
    with pytest.raises(CompilerError, match="C\\+\\+ compiler is needed"):
        build.load(name, runnable()[0])
    monkeypatch.delenv("CXX")
    with pytest.raises(CompilerError, match="cannot be compiled"):
        build.load(name, runnable()[0])


def test_a_damaged_library_is_made_anew(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = []

    def compile_again(name, variant, folder):
        made.append(variant)
        raise CompilerError("not now")

    monkeypatch.setattr(build, "_compile", compile_again)
    name = build.keep("// nothing", {"states": 1})
    library = build.library_file(name, "plain")
    library.parent.mkdir()
    library.write_bytes(b"broken")
    (library.parent / CHECKSUMS).write_text(json.dumps({library.name: "another digest"}))
    with pytest.raises(CompilerError):
        build.load(name, "plain")
    assert made == ["plain"]

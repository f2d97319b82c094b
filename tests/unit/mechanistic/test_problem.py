"""A compiled PEtab problem is a sum over conditions with correct gradients, and equals the published models."""

import logging

import numpy as np
import pandas as pd
import petab.v1 as petab
import pytest

from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.training.starts import starting_point

EXACT = {"absolute_tolerance": 1e-14, "relative_tolerance": 1e-11, "max_steps": 20000}


@pytest.fixture(scope="module")
def egf(egf_yaml, egf_model):
    """The embedded problem, solved with default settings."""
    return PetabProblem(egf_yaml, egf_model)


def perturbed(problem, number, width=0.2):
    """Return a random point near the nominal parameters."""
    return problem.nominal + np.random.default_rng(number).normal(0, width, len(problem.names))


def test_the_embedded_problem_passes_the_petab_linter(egf_yaml):
    assert not petab.lint_problem(petab.Problem.from_yaml(str(egf_yaml)))


def test_the_embedded_problem_has_19_parameters_in_the_published_box(egf):
    assert (len(egf.names), egf.n_conditions) == (19, 6)
    np.testing.assert_allclose(egf.lower, -8)
    np.testing.assert_allclose(egf.upper, 8)
    assert (egf.nominal > egf.lower).all() and (egf.nominal < egf.upper).all()


def test_starts_are_drawn_from_the_initialization_priors(egf):
    np.testing.assert_allclose(egf.start_upper - egf.start_lower, 4)
    assert (egf.start_lower >= egf.lower).all() and (egf.start_upper <= egf.upper).all()
    starts = np.array([starting_point(egf, 0, number) for number in range(100)])
    assert (starts >= egf.start_lower).all() and (starts <= egf.start_upper).all()


def test_conditions_add_up_to_the_whole(egf):
    theta, everything = perturbed(egf, 0), np.arange(egf.n_conditions)
    value, gradient = egf.value_and_gradient(theta, everything)
    parts = [egf.value_and_gradient(theta, [k]) for k in everything]
    assert sum(part for part, _ in parts) == pytest.approx(value, rel=1e-8)
    np.testing.assert_allclose(sum(part for _, part in parts), gradient, rtol=1e-8, atol=1e-8 * np.abs(gradient).max())


def test_conditions_can_be_evaluated_in_any_order_and_again(egf):
    theta = perturbed(egf, 1)
    first = egf.value_and_gradient(theta, [3, 0])
    egf.value_and_gradient(perturbed(egf, 2), [0, 1, 2])
    again = egf.value_and_gradient(theta, [3, 0])
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1], again[1])


@pytest.mark.parametrize("sensitivities", ["forward", "adjoint"])
@pytest.mark.parametrize("number", [0, 1])
def test_gradients_are_those_of_finite_differences(egf_yaml, egf_model, sensitivities, number):
    problem = PetabProblem(egf_yaml, egf_model, SolverOptions(sensitivities=sensitivities))
    exact = PetabProblem(egf_yaml, egf_model, SolverOptions(**EXACT))
    theta, everything, step = perturbed(problem, number), np.arange(problem.n_conditions), 1e-4
    _, gradient = problem.value_and_gradient(theta, everything)
    differences = [
        (exact.value(theta + shift, everything) - exact.value(theta - shift, everything)) / (2 * step)
        for shift in step * np.eye(len(theta))
    ]
    np.testing.assert_allclose(gradient, differences, rtol=1e-4, atol=1e-4 * np.abs(gradient).max())


def test_the_fisher_information_is_the_curvature_where_the_model_fits(egf):
    everything, step = np.arange(egf.n_conditions), 1e-3
    _, _, information = egf.value_gradient_and_information(egf.nominal, everything)
    np.testing.assert_allclose(information, information.T)
    shift = step * np.eye(len(egf.nominal))[3]  # the receptor's loss, well determined by the data
    beyond, before = (egf.value_and_gradient(egf.nominal + side * shift, everything)[1] for side in (1, -1))
    np.testing.assert_allclose((beyond - before)[3] / (2 * step), information[3, 3], rtol=1e-2)


def test_a_point_that_cannot_be_evaluated_is_infinite_in_value_and_nan_in_gradient(egf):
    value, gradient = egf.value_and_gradient(np.full(19, np.nan), [0, 1])
    assert value == np.inf and egf.value(np.full(19, np.nan), [0, 1]) == np.inf
    assert np.isnan(gradient).all()


def test_the_kernel_says_so_too_where_no_point_can_be_evaluated(egf_yaml):
    kernel, nowhere = KernelProblem(egf_yaml), np.full(19, np.nan)
    value, gradient, information = kernel.value_gradient_and_information(nowhere, [0, 1])
    assert value == kernel.value(nowhere, [0, 1]) == np.inf
    assert np.isnan(gradient).all() and np.isnan(information).all()


def test_a_parameter_of_zero_can_be_evaluated_on_its_logarithmic_scale(egf_yaml, egf_model, tmp_path):
    for file in egf_yaml.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    parameters = tmp_path / "parameters.tsv"
    parameters.write_text(parameters.read_text().replace("0.000398546299782", "0"))  # the release of S6
    problem = PetabProblem(tmp_path / "problem.yaml", egf_model)
    tiny = np.where(np.isinf(problem.nominal), -20, problem.nominal)
    assert np.isneginf(problem.nominal).sum() == 1
    assert problem.value(problem.nominal, range(6)) == pytest.approx(problem.value(tiny, range(6)), rel=1e-6)


def test_too_few_solver_steps_are_a_failure_not_an_error(egf_yaml, egf_model):
    problem = PetabProblem(egf_yaml, egf_model, SolverOptions(max_steps=3))
    assert problem.value(problem.nominal, [0]) == np.inf


def test_our_model_of_the_egf_pathway_is_that_of_the_collection(egf_yaml, egf_model, compiled_collection):
    ours = PetabProblem(egf_yaml, egf_model, SolverOptions(**EXACT))
    theirs = PetabProblem(*compiled_collection("Fujita_SciSignal2010"), SolverOptions(**EXACT))
    names = {"pEGFR_total": "pEGFR_tot", "pAKT_total": "pAkt_tot", "pS6_total": "pS6_tot"}
    columns = [list(theirs.model.get_observable_ids()).index(names[name]) for name in ours.model.get_observable_ids()]
    assert [f"step_{dose}" for dose in ("0_1", "0_3", "1", "3", "10", "30")] == ours.condition_names
    assert len(theirs.condition_names) == 6 and all("step" in name for name in theirs.condition_names)
    for mine, other in zip(
        ours.simulate(ours.nominal, range(6)), theirs.simulate(theirs.nominal, range(6)), strict=True
    ):
        np.testing.assert_array_equal(mine.ts, np.unique(other.ts))
        first = np.searchsorted(other.ts, mine.ts)
        np.testing.assert_allclose(mine.y, other.y[first][:, columns], rtol=1e-6, atol=1e-12)
        totals = [np.sort(result.x[place], axis=1) for result, place in ((mine, slice(None)), (other, first))]
        np.testing.assert_allclose(totals[0], totals[1], rtol=1e-6, atol=1e-18)


# -log p of their priors at the nominal parameters; the objectives without these are published.
PRIORS = {
    "Fujita_SciSignal2010": 0.0,
    "Bachmann_MSB2011": -0.72375,
    "Lucarelli_CellSystems2018": 0.0,
    "Boehm_JProteomeRes2014": 0.0,
    "Raia_CancerResearch2011": 0.0,
    "Isensee_JCB2018": 4.45300,
    "Smith_BMCSystBiol2013": 0.0,
}


@pytest.mark.parametrize("name", PRIORS)
def test_nominal_objectives_are_the_published_ones(compiled_collection, root, name):
    published = pd.read_csv(root / "resources/published/objectives.tsv", sep="\t").set_index(["petab", "quantity"])
    reference, prior = published.loc[(f"{name}/{name}.yaml", "nominal"), "objective"], PRIORS[name]
    problem, with_priors = (PetabProblem(*compiled_collection(name), SolverOptions(priors=p)) for p in (False, True))
    everything = np.arange(problem.n_conditions)
    value = problem.value(problem.nominal, everything)
    assert value == pytest.approx(reference, rel=1e-4)
    assert with_priors.value(problem.nominal, everything) - value == pytest.approx(prior, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("sensitivities", ["forward", "adjoint"])
@pytest.mark.parametrize("name", PRIORS)
def test_gradients_of_published_models_are_those_of_finite_differences(compiled_collection, name, sensitivities):
    problem = PetabProblem(*compiled_collection(name), SolverOptions(sensitivities=sensitivities))
    exact = PetabProblem(*compiled_collection(name), SolverOptions(**EXACT))
    theta, everything, step = perturbed(problem, 0, 0.05), np.arange(problem.n_conditions), 1e-4
    _, gradient = problem.value_and_gradient(theta, everything)
    # The steepest parameters and a few others: each difference costs two solves of all conditions.
    order = np.argsort(-np.abs(gradient))
    for index in [*order[:6], *order[6 :: max(1, len(order) // 6)]]:
        shift = step * np.eye(len(theta))[index]
        difference = (exact.value(theta + shift, everything) - exact.value(theta - shift, everything)) / (2 * step)
        assert gradient[index] == pytest.approx(difference, abs=1e-4 * np.abs(gradient).max()), problem.names[index]


def test_amici_itself_finds_the_same_objective(egf, egf_yaml):
    from amici.sim.sundials.petab.v1 import simulate_petab

    logging.getLogger("amici").setLevel(logging.CRITICAL)
    tables = petab.Problem.from_yaml(str(egf_yaml))
    theta = perturbed(egf, 3)
    solver = egf.model.create_solver()
    solver.set_absolute_tolerance(1e-10)
    solver.set_relative_tolerance(1e-8)
    result = simulate_petab(
        petab_problem=tables,
        amici_model=egf.model,
        solver=solver,
        problem_parameters=dict(zip(egf.names, theta, strict=True)),
        scaled_parameters=True,
    )
    assert egf.value(theta, np.arange(6)) == pytest.approx(-result["llh"], rel=1e-8)


def test_a_thousand_conditions_are_read_and_set_up_column_by_column(egf_yaml, egf_model, tmp_path, calls_of):
    for file in egf_yaml.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    conditions = pd.read_csv(tmp_path / "conditions.tsv", sep="\t").iloc[:1]
    measurements = pd.read_csv(tmp_path / "measurements.tsv", sep="\t")
    measurements = measurements[measurements["simulationConditionId"] == conditions["conditionId"].iloc[0]]
    names = [f"dose{number}" for number in range(1000)]
    many = pd.concat([conditions] * 1000).assign(conditionId=names, EGF_0=np.logspace(-1, 1.5, 1000))
    many.to_csv(tmp_path / "conditions.tsv", sep="\t", index=False)
    rows = [measurements.assign(simulationConditionId=name) for name in names]
    pd.concat(rows).to_csv(tmp_path / "measurements.tsv", sep="\t", index=False)
    calls, problem = calls_of(PetabProblem, tmp_path / "problem.yaml", egf_model)
    assert calls < 2.5e6  # 1.3e6 for 24,000 measurements
    assert problem.n_conditions == 1000
    values = [problem.value(problem.nominal, [k]) for k in (0, 500, 999)]
    assert len(set(values)) == 3 and np.isfinite(values).all()


def test_measurements_may_be_in_several_files(egf, egf_yaml, egf_model, tmp_path):
    for file in egf_yaml.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    table = pd.read_csv(tmp_path / "measurements.tsv", sep="\t")
    for name, rows in (("measurements", slice(0, 50)), ("more", slice(50, None))):
        table.iloc[rows].to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    text = (tmp_path / "problem.yaml").read_text()
    (tmp_path / "problem.yaml").write_text(text.replace("[measurements.tsv]", "[measurements.tsv, more.tsv]"))
    problem = PetabProblem(tmp_path / "problem.yaml", egf_model)
    assert problem.value(problem.nominal, range(6)) == egf.value(egf.nominal, range(6))


def test_priors_count_once_per_full_objective(egf, egf_yaml, egf_model, tmp_path):
    for file in egf_yaml.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    parameters = pd.read_csv(tmp_path / "parameters.tsv", sep="\t")
    parameters.loc[0, "objectivePriorType"] = "parameterScaleNormal"
    parameters.loc[0, "objectivePriorParameters"] = "-2;0.5"
    parameters.to_csv(tmp_path / "parameters.tsv", sep="\t", index=False)
    problem = PetabProblem(tmp_path / "problem.yaml", egf_model, SolverOptions(priors=True))
    theta = perturbed(egf, 4)
    distance = (theta[0] + 2) / 0.5
    penalty = 0.5 * np.log(2 * np.pi * 0.25) + 0.5 * distance**2
    with_prior, without = (p.value_and_gradient(theta, np.arange(6)) for p in (problem, egf))
    assert with_prior[0] - without[0] == pytest.approx(penalty, rel=1e-9)
    assert with_prior[1][0] - without[1][0] == pytest.approx(distance / 0.5, rel=1e-9)
    assert problem.value(theta, [2]) - egf.value(theta, [2]) == pytest.approx(penalty / 6, rel=1e-9)

"""pyPESTO opens the result file of the fits, and finds in it what the tables say."""

import matplotlib
import numpy as np
import pandas as pd
import pypesto.petab
import pypesto.store
import pypesto.visualize
import pytest

from kinetrain.mechanistic.estimates import write_fitted_problem
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.pypesto_file import write_results

matplotlib.use("Agg")
FULL = {"schedule": "-", "optimizer": "fides"}
BATCHES = {"schedule": "S3", "optimizer": "adam_balanced"}


def fits_of(problem, objectives, setting):
    """Return the table and the arrays of fits with these objectives, their parameters in another order."""
    table = pd.DataFrame({"objective": objectives, "start": range(len(objectives)), **setting})
    table["status"] = np.where(np.isfinite(table["objective"]), "finished", "failed")
    table = table.assign(conditions=4, value_solves=40, gradient_solves=81, wall_seconds=1.5, message=np.nan)
    last = np.linspace(problem.lower, problem.upper, len(objectives))
    last[~np.isfinite(table["objective"])] = np.nan
    return table, {"names": np.array(problem.names[::-1]), "last": last[:, ::-1], "best": last[:, ::-1] / 2}


@pytest.fixture(scope="module")
def problem(egf_yaml, egf_model):
    return PetabProblem(egf_yaml, egf_model)


@pytest.fixture(scope="module")
def written(problem, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "pypesto.hdf5"
    fits = {"fides": fits_of(problem, [3.0, np.inf, 1.0], FULL), "adam": fits_of(problem, [2.0], BATCHES)}
    write_results(problem, fits, path)
    return path, fits


def test_its_fits_are_those_of_the_tables_best_first(problem, written):
    result = pypesto.store.read_result(written[0], optimize=True)
    fits = result.optimize_result.list
    assert [fit.id for fit in fits] == ["fides-start2", "adam-start0", "fides-start0", "fides-start1"]
    assert [fit.fval for fit in fits] == [1.0, 2.0, 3.0, np.inf]
    assert [fit.exitflag for fit in fits] == [0, 0, 0, -1] and fits[0].n_fval == 10 and fits[0].n_grad == 20
    free = result.problem.x_free_indices
    assert [result.problem.x_names[place] for place in free] == problem.names
    np.testing.assert_array_equal(fits[0].x[free], problem.upper / 2)  # the best point of a full-batch fit
    np.testing.assert_array_equal(fits[1].x[free], problem.lower)  # the last one of a mini-batch fit
    assert np.isnan(fits[3].x[free]).all()


def test_its_parameters_are_those_of_the_problem_with_the_estimates(problem, egf_yaml, written, tmp_path):
    table = pd.DataFrame({"parameter": problem.names, "estimate": 1.0, "at_bound": "no"})
    write_fitted_problem(egf_yaml, table, tmp_path)
    read = pypesto.store.read_result(written[0], optimize=True).problem
    objective = pypesto.Objective(fun=lambda theta: 0.0)
    imported = pypesto.petab.PetabImporter.from_yaml(tmp_path / "problem.yaml").create_problem(objective=objective)
    assert (read.x_names, read.x_scales) == (imported.x_names, imported.x_scales)
    assert read.x_fixed_indices == imported.x_fixed_indices
    np.testing.assert_allclose(read.x_fixed_vals, imported.x_fixed_vals)
    np.testing.assert_allclose([read.lb, read.ub], [imported.lb, imported.ub])


def test_its_figures_can_be_drawn(written):
    result = pypesto.store.read_result(written[0], optimize=True)
    pypesto.visualize.waterfall(result)
    pypesto.visualize.parameters(result)


def test_the_same_fits_make_the_same_bytes(problem, written, tmp_path):
    write_results(problem, written[1], tmp_path / "again.hdf5")
    assert (tmp_path / "again.hdf5").read_bytes() == written[0].read_bytes()

"""Ordinary network inference finds what it must find, and says nothing that depends on the order of the genes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LassoLarsIC

from kinetrain.data.expression import Split, prepare
from kinetrain.evaluation.yardstick_rows import yardstick_rows
from kinetrain.networks.scores import edge_scores
from kinetrain.yardsticks.changes import Changes, noise_variance
from kinetrain.yardsticks.methods import YARDSTICKS, find_yardstick, lasso, lasso_prior, ridge

FEW = settings(max_examples=8, deadline=None)
LEVEL = {"dataset": "linear", "noise": 0.0, "prior_corruption": 0.0}


def drawn_network(rng, genes: int) -> np.ndarray:
    """One or two regulators per target, (k, k) with signs; none regulates itself."""
    network = np.zeros((genes, genes))
    for target in range(genes // 2, genes):
        others = np.delete(np.arange(genes), target)
        chosen = rng.choice(others, rng.integers(1, 3), replace=False)
        network[target, chosen] = rng.choice([-1, 1], len(chosen)) * rng.uniform(0.5, 1, len(chosen))
    return network


def linear_changes(seed: int, genes=10, transitions=120, noise=0.0, prior=None, lengths=(0.5, 1.0, 3.0)) -> Changes:
    """Changes of dx/dt = A x + 0.3 - x with the drive held during each interval."""
    rng = np.random.default_rng(seed)
    network = drawn_network(rng, genes)
    start = rng.normal(size=(transitions, genes))
    duration = rng.choice(lengths, transitions)
    gain = -np.expm1(-duration)[:, None]
    end = start + gain * (start @ network.T + 0.3 - start) + noise * rng.normal(size=start.shape)
    return Changes(start, end, duration, start[:7], duration[:7], network != 0 if prior is None else prior, seed)


def reordered(changes: Changes, order) -> Changes:
    parts = (changes.start[:, order], changes.end[:, order], changes.duration, changes.asked_start[:, order])
    return Changes(*parts, changes.asked_duration, changes.prior[np.ix_(order, order)], changes.seed)


@FEW
@given(st.integers(0, 10**6))
def test_a_lasso_finds_a_linear_network_exactly_without_noise(seed):
    changes = linear_changes(seed)
    truth = changes.prior
    answer = lasso.infer(changes)
    assert ((answer.strength > 1e-3 * answer.strength.max()) == truth).all()
    rates = ridge.fit(changes).rate
    assert set(rates) == {1.0}  # the rate of decay, in units of one over the median interval of 1
    assert np.allclose(answer.end, changes.end[:7], atol=1e-3)
    assert (np.sign(answer.effect[truth]) == np.sign(true_effects(changes)[truth])).all()


def true_effects(changes: Changes) -> np.ndarray:
    return drawn_network(np.random.default_rng(changes.seed), changes.start.shape[1])


@FEW
@given(st.integers(0, 10**6))
def test_with_little_noise_the_lasso_has_the_true_edges_and_few_others(seed):
    changes = linear_changes(seed, transitions=200, noise=0.05)
    found = lasso.infer(changes).strength != 0
    assert found[changes.prior].all() and found[~changes.prior].mean() < 0.3


def test_genes_that_move_alike_share_their_edges_without_a_word_of_the_solver(recwarn):
    changes = linear_changes(3, transitions=30, noise=0.1)
    twice = changes.start.copy()
    twice[:, 1] = twice[:, 0]
    found = lasso.infer(replace(changes, start=twice, end=twice + changes.change))
    assert np.isfinite(found.end).all() and not recwarn.list


@pytest.mark.parametrize("name", YARDSTICKS)
def test_genes_in_another_order_give_the_same_network_in_that_order(name):
    changes = linear_changes(3, noise=0.1)
    order = np.random.default_rng(0).permutation(10)
    first, second = (find_yardstick(name).infer(one) for one in (changes, reordered(changes, order)))
    if name == "extra_trees":  # drawn at random: the same up to what other draws change
        assert np.corrcoef(first.strength[np.ix_(order, order)].ravel(), second.strength.ravel())[0, 1] > 0.98
    else:
        assert np.allclose(first.strength[np.ix_(order, order)], second.strength, rtol=1e-6, atol=1e-9)
        assert first.end is None or np.allclose(first.end[:, order], second.end)


@pytest.mark.parametrize("name", YARDSTICKS)
def test_units_of_expression_and_of_time_change_no_ranking(name):
    changes = linear_changes(4, noise=0.1)
    scaled = Changes(
        *(3 * changes.start + 1, 3 * changes.end + 1, 60 * changes.duration, 3 * changes.asked_start + 1),
        *(60 * changes.asked_duration, changes.prior, changes.seed),
    )
    first, second = (find_yardstick(name).infer(one) for one in (changes, scaled))
    assert np.allclose(first.strength, second.strength, rtol=1e-6, atol=1e-9)
    assert first.end is None or np.allclose(3 * first.end + 1, second.end)


@pytest.mark.parametrize("name", YARDSTICKS)
@pytest.mark.parametrize("transitions", [6, 11, 25])
def test_few_transitions_and_genes_that_never_change_are_handled(name, transitions):
    changes = linear_changes(5, genes=12, transitions=transitions, noise=0.1)
    changes.start[:, 0] = changes.end[:, 0] = 0.5  # constant
    changes.start[:, 1] = changes.end[:, 1]  # constant within each trajectory
    answer = find_yardstick(name).infer(changes)
    assert np.isfinite(answer.strength).all() and (answer.strength >= 0).all()
    assert (np.diag(answer.strength) == 0).all()
    found = answer.strength if answer.edges is None else answer.strength - changes.prior
    assert (found[0] == 0).all() and (found[:, 0] == 0).all()
    assert answer.end is None or np.isfinite(answer.end).all()


@pytest.mark.parametrize("what", ["independent", "constant", "alike"])
def test_the_noise_of_a_gene_is_that_of_least_squares_on_all_genes(what):
    changes = linear_changes(7, transitions=60, noise=0.1, lengths=(1.0,))
    if what == "alike":
        changes.start[:, 3] = changes.start[:, 1]
    if what == "constant":
        changes.start[:, 0] = 0.5
    design = np.column_stack([np.ones(60), changes.start])
    left = changes.change - design @ np.linalg.lstsq(design, changes.change)[0]
    expected = (left**2).sum(axis=0) / (60 - np.linalg.matrix_rank(design))
    assert noise_variance(changes, np.zeros(10), np.full(10, np.nan)) == pytest.approx(expected)


def test_where_least_squares_explains_nearly_all_the_noise_is_the_error_of_transitions_left_out():
    changes, left_out = linear_changes(7, transitions=20, noise=0.1, lengths=(1.0,)), np.arange(10.0)
    assert (noise_variance(changes, np.zeros(10), left_out) == left_out).all()
    changes.start[:, :5] = 0.5  # 14 of 20 degrees of freedom are left
    assert (noise_variance(changes, np.zeros(10), left_out) != left_out).all()


def test_equal_intervals_need_no_rate_and_unequal_ones_are_distinguished():
    assert linear_changes(1, lengths=(2.0,)).rates == (0.0,)
    changes = linear_changes(1)
    assert np.allclose(changes.saturation(0.0), changes.duration / np.median(changes.duration))
    assert np.allclose(changes.saturation(np.inf), 1)
    assert np.allclose(changes.saturation(1.0), np.expm1(-changes.duration) / np.expm1(-1))


def test_a_right_prior_helps_the_lasso_and_a_wrong_one_is_not_believed():
    right = linear_changes(6, genes=16, transitions=40, noise=1.5)
    wrong = Changes(*(getattr(right, name) for name in vars(right) if name not in ("prior", "seed")), right.prior.T)
    truth = right.prior
    plain, helped, misled = (
        edge_scores(answer.strength, truth, truth)["auprc"]
        for answer in (lasso.infer(right), lasso_prior.infer(right), lasso_prior.infer(wrong))
    )
    assert helped > plain + 0.02 and misled > plain - 0.05


def made_expression(genes=8, trajectories=20):
    rng = np.random.default_rng(0)
    values = rng.random((trajectories, 4, genes))
    times = np.tile([0.0, 1.0, 3.0, 4.0], (trajectories, 1))
    names = [f"G{number}" for number in range(genes)]
    return prepare(names, (values, times), None, Split(test_fraction=0.1))


def test_every_yardstick_has_a_row_per_seed_with_its_errors_where_it_predicts():
    expression, prior = made_expression(), np.eye(8, k=1, dtype=bool)
    rows, effects = yardstick_rows(expression, LEVEL, [3, 4], [prior, prior], prior)
    assert set(rows["method"]) == set(YARDSTICKS) and (rows.groupby("method").size() == 2).all()
    predicts = rows.groupby("method")["test_mse"].count() == 2
    assert set(predicts[predicts].index) == {"ridge", "lasso", "lasso_prior", "extra_trees"}
    assert rows.loc[rows["method"] == "prior_correlation", "balanced_accuracy"].eq(1).all()
    assert set(effects["models"]) == {2} and rows["auprc"].notna().all()


def test_what_is_left_out_has_a_row_that_says_why(monkeypatch, capsys):
    expression, nothing = made_expression(), np.zeros((8, 8), bool)
    monkeypatch.setattr(find_yardstick("extra_trees"), "MOST_WORK", 100)
    rows, _ = yardstick_rows(expression, LEVEL, [3, 4], [nothing, nothing], None)
    reported = capsys.readouterr().out.splitlines()
    left_out = rows[rows["status"] == "left out"].set_index("method")
    assert set(left_out.index) == {"extra_trees", "lasso_prior", "prior_correlation"}
    assert "needs a prior network" in left_out.loc["lasso_prior", "reason"]
    assert "8 genes squared x" in left_out.loc["extra_trees", "reason"] and len(reported) == 3
    assert rows.loc[rows["status"] == "finished", "test_mse"].notna().any()
    rows, effects = yardstick_rows(expression, LEVEL, [3], [nothing], None, ["lasso_prior"])
    assert rows["status"].tolist() == ["left out"] and effects.empty and "effect" in effects


@FEW
@given(st.integers(0, 10**6), st.floats(0.1, 10))
def test_scores_do_not_depend_on_the_order_of_genes_nor_on_the_unit_of_strength(seed, unit):
    rng = np.random.default_rng(seed)
    strength = rng.random((9, 9)) * (rng.random((9, 9)) < 0.5)
    truth, prior = rng.random((9, 9)) < 0.2, rng.random((9, 9)) < 0.2
    order = rng.permutation(9)
    both = np.ix_(order, order)
    first, second = edge_scores(strength, truth, prior), edge_scores(unit * strength[both], truth[both], prior[both])
    pd.testing.assert_series_equal(pd.Series(first), pd.Series(second))


@pytest.mark.parametrize("case", range(8))
def test_the_lasso_has_the_coefficients_of_scikit_learn(case):
    random = np.random.default_rng(case)
    transitions, genes = int(random.integers(20, 500)), int(random.integers(3, 80))
    columns = random.normal(size=(transitions, genes)) @ (np.eye(genes) + 0.03 * random.normal(size=(genes, genes)))
    response = columns[:, : case % 3 + 1].sum(axis=1) + 0.5 * random.normal(size=transitions)
    products = columns.T @ columns if transitions > genes else None
    coefficients, _ = lasso.best_on_path(columns, response, products, 0.25)
    whole = LassoLarsIC("bic", fit_intercept=False, noise_variance=0.25, max_iter=min(lasso.STEPS, transitions - 2))
    assert coefficients == pytest.approx(whole.fit(columns, response).coef_, abs=1e-9)

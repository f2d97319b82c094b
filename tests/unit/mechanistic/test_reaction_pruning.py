"""Reactions are pruned by rate, by confidence and by both, and what is wrong in a table of confidences is refused."""

import json
import runpy
import sys

import numpy as np
import pandas as pd
import prune_reactions
import pytest
from scipy import optimize

from kinetrain import tables
from kinetrain.errors import InputError
from kinetrain.files import save_arrays
from kinetrain.mechanistic.artificial_data import make_artificial
from kinetrain.mechanistic.artificial_options import ArtificialOptions
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.reaction_options import METHODS, ReactionPruning
from kinetrain.mechanistic.reaction_prior import ReactionPrior, corrupt, read_reaction_prior
from kinetrain.mechanistic.reaction_pruning import score_of
from kinetrain.mechanistic.reaction_starts import Pruned, prune_fits
from kinetrain.mechanistic.template import write_template
from kinetrain.options import read_options
from kinetrain.training import full_batch, starts
from kinetrain.training.options import FullBatchOptions

COUNT, TRUE = 12, (1, 4, 7)
OPTIONS = {"events": 8, "fraction": 0.25, "epochs": 40}
TIMES = ["cpu_seconds", "wall_seconds", "peak_memory_mb"]


class Mixture:
    """Conditions that each measure one sum of twelve rates and an offset, with a known standard deviation."""

    checksum, engine = "mixture", "formula"
    gradient_weight, information_weight, relaxed_solves = 2.0, None, 0

    def __init__(self, seed=0, conditions=30, noise=0.0, lives=np.inf):
        rng = np.random.default_rng(seed)
        self.names = ("offset", *(f"k{number}" for number in range(COUNT)))
        self.lower, self.upper = np.zeros(COUNT + 1), np.full(COUNT + 1, 5.0)
        self.weights = rng.uniform(0, 1, (conditions, COUNT + 1))
        rates = np.zeros(COUNT + 1)
        rates[0], rates[np.array(TRUE) + 1] = 0.5, (0.4, 0.8, 1.2)
        self.measured = self.weights @ rates + rng.normal(0, noise, conditions) if noise else self.weights @ rates
        self.n_conditions = self.n_measurements = conditions
        self.lives, self.gradients = lives, 0

    def value(self, theta, conditions):
        residuals = (self.weights[conditions] @ theta - self.measured[conditions]) / 0.05
        return float(0.5 * (residuals**2).sum())

    def value_and_gradient(self, theta, conditions):
        self.gradients += 1
        if self.gradients > self.lives:
            raise KeyboardInterrupt
        residuals = (self.weights[conditions] @ theta - self.measured[conditions]) / 0.05
        return self.value(theta, conditions), self.weights[conditions].T @ residuals / 0.05


def given(problem=None, fits=2, truth=TRUE, confidence=None, **changed):
    names = tuple(f"k{number}" for number in range(COUNT))
    confidence = np.linspace(0.2, 0.8, COUNT) if confidence is None else confidence
    problem = problem or Mixture()
    points = np.random.default_rng(5).uniform(0.1, 0.5, (fits, COUNT + 1))
    everything, box = np.arange(problem.n_conditions), optimize.Bounds(problem.lower, problem.upper)
    fitted = [
        optimize.minimize(lambda x: problem.value(x, everything), x, method="L-BFGS-B", bounds=box).x for x in points
    ]
    return Pruned(
        name="mixture",
        replicate=0,
        problem=problem,
        held_out=Mixture(seed=1),
        fitted=np.array(fitted),
        prior=ReactionPrior(names, tuple(f"reaction {name}" for name in names), np.asarray(confidence)),
        truth=np.isin(np.arange(COUNT), truth),
        seed=3,
        **changed,
    )


def pruned(folder, method, data=None, **options):
    return prune_fits(data or given(), method, ReactionPruning(**OPTIONS | options), folder / method)


def without_times(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=[name for name in TIMES if name in table])


def test_pruning_by_magnitude_finds_the_true_reactions_in_data_without_noise(tmp_path):
    runs, path = pruned(tmp_path, "magnitude")
    assert runs["kept"].tolist() == ["; ".join(f"reaction k{number}" for number in TRUE)] * 2
    scores = ["precision", "true_positive_rate", "balanced_accuracy", "auprc", "precision_at_edges"]
    assert (runs[scores] == 1).all(axis=None)
    assert path.loc[path["start"] == 0, "left"].tolist() == [12, 9, 7, 5, 4, 3, 2, 2, 2]
    assert (runs["objective"] < 1e-6).all() and (runs["held_out_objective"] < 1e-3).all()


def test_both_with_a_weight_of_0_or_1_is_pruning_by_magnitude_or_by_the_prior(tmp_path):
    data = given(Mixture(noise=0.05))
    for weight, method in ((0.0, "magnitude"), (1.0, "prior")):
        tables = pruned(tmp_path, method, data)
        mixed = prune_fits(data, "both", ReactionPruning(**OPTIONS, prior_weight=weight), tmp_path / "both")
        for pure, own in zip(tables, mixed, strict=True):
            same = own.assign(method=method, prior_corruption=pure["prior_corruption"])
            pd.testing.assert_frame_equal(without_times(pure), without_times(same))
        (tmp_path / "both").rename(tmp_path / f"both {weight}")


def test_a_score_is_a_mixture_of_shares():
    rates, confidence = np.array([1.0, 3.0, 0.0]), np.array([0.5, 0.25, 0.25])
    np.testing.assert_allclose(score_of(rates, confidence, 0.4), [0.35, 0.55, 0.1])
    np.testing.assert_allclose(score_of(0 * rates, confidence, 0.4), 0.4 * confidence)


def test_the_prior_decides_alone_and_a_right_one_keeps_the_true_reactions(tmp_path):
    confidence = np.where(np.isin(np.arange(COUNT), TRUE), 0.9, 0.1) + np.arange(COUNT) / 1000
    runs, _ = pruned(tmp_path, "prior", given(confidence=confidence))
    assert (runs["auprc"] == 1).all() and (runs["true_positive_rate"] == 1).all()
    wrong, _ = pruned(tmp_path / "wrong", "prior", given(confidence=1 - confidence))
    assert (wrong["auprc"] < 0.3).all()


def test_no_method_sees_the_truth(tmp_path):
    for method in METHODS:
        first, second = (pruned(tmp_path / str(truth), method, given(truth=truth))[1] for truth in (TRUE, (0, 2)))
        scores = ["precision", "true_positive_rate", "balanced_accuracy"]
        pd.testing.assert_frame_equal(*(without_times(table.drop(columns=scores)) for table in (first, second)))


def test_every_method_has_the_budget_of_all_events(tmp_path):
    data = given(Mixture(noise=0.3))
    limit = OPTIONS["events"] * OPTIONS["epochs"] * data.problem.gradient_weight * data.problem.n_conditions
    for method in METHODS:
        runs, path = pruned(tmp_path, method, data)
        assert (runs["cost"] <= limit).all() and (path.groupby("start")["cost"].first() == 0).all()
        assert path["event"].max() == (1 if method == "unpruned" else OPTIONS["events"])
    # an optimizer that never converges uses all of it
    few, _ = pruned(tmp_path / "few", "unpruned", data, epochs=2, events=2)
    assert 1 <= few["cost"].iloc[0] <= 4 * data.problem.gradient_weight * data.problem.n_conditions


@pytest.mark.parametrize("method", ["magnitude", "random", "unpruned"])
def test_a_run_that_is_killed_again_and_again_has_the_result_of_an_uninterrupted_one(tmp_path, monkeypatch, method):
    monkeypatch.setattr(starts, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    whole = pruned(tmp_path / "whole", method, given(Mixture(noise=0.05)))
    kills = 0
    while True:
        try:
            resumed = pruned(tmp_path / "killed", method, given(Mixture(noise=0.05, lives=40)))
            break
        except KeyboardInterrupt:
            kills += 1
    assert kills >= (method != "unpruned")
    for first, second in zip(whole, resumed, strict=True):
        pd.testing.assert_frame_equal(without_times(first), without_times(second))


def test_a_fit_that_had_failed_is_a_failed_run_and_the_others_go_on(tmp_path):
    data = given()
    data.fitted[0] = np.nan
    runs, path = pruned(tmp_path, "magnitude", data)
    assert runs["status"].tolist() == ["failed", "finished"] and path["start"].unique().tolist() == [1]
    assert runs["balanced_accuracy"].isna().tolist() == [True, False]


def test_a_corrupted_prior_has_the_confidences_of_other_reactions():
    confidence = np.arange(20.0)
    moved = {}
    for share in (0, 0.25, 0.5, 1):
        corrupted = corrupt(confidence, share, np.random.default_rng(1))
        moved[share] = set(np.flatnonzero(corrupted != confidence))
        assert len(moved[share]) == 20 * share and sorted(corrupted) == sorted(confidence)
    assert moved[0.25] < moved[0.5] < moved[1]


def test_all_methods_are_told_the_same_corrupted_prior_which_differs_by_start(tmp_path):
    settings = {"prior_corruption": (0.5,), "events": 1, "fraction": 0.5}
    left = {name: pruned(tmp_path, name, prior_weight=1.0, **settings)[1] for name in ("prior", "both")}
    assert left["prior"]["kept"].tolist() == left["both"]["kept"].tolist()
    after = left["prior"][left["prior"]["event"] == 1]
    assert after["prior_corruption"].tolist() == [0.5, 0.5] and after["kept"].nunique() == 2


PARAMETERS = pd.DataFrame(
    {"parameterScale": ["lin", "lin", "log10", "lin"], "lowerBound": [0.0, 0.0, 1e-3, 0.1]},
    index=["k1", "k2", "k3", "k4"],
)
HEADER = "parameterId\treaction\tconfidence\n"


def test_a_prior_is_read(tmp_path):
    (tmp_path / "prior.tsv").write_text(f"{HEADER}k2\tb\t0.25\nk1\ta\t1\n")
    prior = read_reaction_prior(tmp_path / "prior.tsv", PARAMETERS)
    assert (prior.parameters, prior.reactions, prior.confidence.tolist()) == (("k2", "k1"), ("b", "a"), [0.25, 1.0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("parameterId\tconfidence\nk1\t1\nk2\t1\n", "no column 'reaction'"),
        (f"{HEADER}k1\ta\t1\nk9\tb\t1\n", "row 3: 'k9' is no estimated parameter of the problem"),
        (f"{HEADER}k1\ta\t1\nk1\tb\t1\n", "the parameter 'k1' is named more than once"),
        (f"{HEADER}k1\ta\t1\nk2\ta\t1\n", "the reaction 'a' is named more than once"),
        (f"{HEADER}k1\ta\t1\nk2\tb\t1.2\n", "row 3: confidence is '1.2'; a number from 0 to 1 is needed"),
        (f"{HEADER}k1\ta\t1\nk2\tb\t-0.1\n", "row 3: confidence is '-0.1'"),
        (f"{HEADER}k1\ta\thigh\nk2\tb\t1\n", "row 2: confidence is 'high'"),
        (f"{HEADER}k1\ta\t1\nk2\tb\t\n", "row 3: no confidence"),
        (f"{HEADER}k1\ta\t1\nk2\ta; b\t1\n", "row 3: the reaction 'a; b' has a semicolon"),
        (f"{HEADER}k1\ta\t1\nk3\tb\t1\n", "row 3: 'k3' has the scale log10 and the lower bound 0.001"),
        (f"{HEADER}k1\ta\t1\nk4\tb\t1\n", "row 3: 'k4' has the scale lin and the lower bound 0.1"),
        (f"{HEADER}k1\ta\t1\n", "it has 1 reactions"),
    ],
)
def test_a_wrong_prior_is_refused_with_its_row(tmp_path, text, said):
    (tmp_path / "prior.tsv").write_text(text)
    with pytest.raises(InputError, match=said) as refused:
        read_reaction_prior(tmp_path / "prior.tsv", PARAMETERS)
    assert "prior.tsv" in str(refused.value)


def test_the_command_refuses_a_method_that_it_does_not_know(monkeypatch, capsys):
    needed = ("problem", "model", "test", "fits", "parameters", "prior", "name", "checkpoint", "output", "path")
    words = [f"--{name}=any" for name in needed]
    monkeypatch.setattr(sys, "argv", ["prune_reactions", *words, "--method=magnitud"])
    with pytest.raises(SystemExit):
        prune_reactions.main()
    said = capsys.readouterr().err
    assert "--method: invalid choice: 'magnitud'" in said and all(method in said for method in METHODS)


def test_the_files_of_the_embedded_model_are_those_that_its_script_writes(root, tmp_path):
    folder = root / "resources" / "models" / "crosstalk"
    runpy.run_path(str(folder / "make.py"))["main"](tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert len(written) == 13
    for name in written:
        assert (tmp_path / name).read_text() == (folder / name).read_text(), name


def test_the_command_prunes_a_network_of_the_embedded_model(monkeypatch, root, compiled_model, tmp_path):
    folder, given_drugs = root / "resources" / "models" / "crosstalk", {"drug_P1": {"choice": [0, 0.9]}}
    doses = {"stimulus_P1": {"log10_uniform": [-1, 1]}, "stimulus_P2": {"log10_uniform": [-1, 1]}}
    groups = {"count": 4, "test": 1, "scaling": False, "inputs": given_drugs}
    settings = {"conditions": 12, "times": [5, 20], "protocols": [{"inputs": doses}], "groups": groups}
    options, data = read_options(ArtificialOptions, settings), tmp_path / "data"
    write_template(folder / "network_1.yaml", options, tmp_path / "template")
    template = tmp_path / "template" / "problem.yaml"
    make_artificial(template, compiled_model(template), 0, options, data)
    fitting = FullBatchOptions(epochs=60)
    problem = KernelProblem(data / "problem.yaml")
    fits, _, arrays = full_batch.fit_starts(problem, "n", 0, "fides_bfgs", 2, fitting, tmp_path / "fits")
    tables.save("fits", fits, tmp_path / "fits.tsv")
    save_arrays(tmp_path / "fits.npz", **arrays)
    given_files = {
        "problem": data / "problem.yaml",
        "test": data / "test.yaml",
        "model": compiled_model(template),
        "fits": tmp_path / "fits.tsv",
        "parameters": tmp_path / "fits.npz",
        "prior": folder / "prior_1.tsv",
        "checkpoint": tmp_path / "checkpoint",
        "output": tmp_path / "runs.tsv",
        "path": tmp_path / "path.tsv",
    }
    pruning = {"events": 5, "fraction": 0.3, "epochs": 10, "prior_corruption": [0, 1], "engine": "kernel"}
    words = [f"--{name}={value}" for name, value in given_files.items()]
    words += ["--name=n", "--method=prior", f"--settings={json.dumps(pruning)}"]
    monkeypatch.setattr(sys, "argv", ["prune_reactions", *words])
    prune_reactions.main()
    runs, path = tables.load("reactions", tmp_path / "runs.tsv"), tables.load("reaction_path", tmp_path / "path.tsv")
    assert runs["status"].tolist() == ["finished"] * 4 and runs["prior_corruption"].tolist() == [0, 0, 1, 1]
    assert path["left"].tolist() == [60, 42, 29, 20, 14, 10] * 4
    first = path[path["event"] == 0]
    np.testing.assert_allclose(first["objective"], np.tile(fits["objective"], 2))
    np.testing.assert_allclose(first["precision"], 10 / 60)
    assert (runs["auprc"][:2] > runs["auprc"][2:].to_numpy()).all() and not given_files["checkpoint"].exists()

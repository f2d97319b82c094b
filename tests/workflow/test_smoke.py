"""The whole workflow, at its smallest, from an empty folder to figures and tables."""

import json
import shutil
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
import yaml

from kinetrain.cache import cache_folder

COLUMNS = {
    "nominal": ["problem", "objective_nominal", "reference"],
    "fits": [
        *["problem", "optimizer", "schedule", "batch_size", "safeguard", "replicate", "start"],
        *["objective", "gradient_solves", "value_solves", "cost", "cpu_seconds", "status"],
    ],
    "scores": ["problem", "optimizer", "schedule", "batch_size", "safeguard", "rank", "rank_low", "cost_to_10"],
    "pairs": ["contrast", "first", "second", "verdict"],
    "claims": ["subject", "quantity", "value", "source", "ours"],
    "large_scale": ["problem", "optimizer", "set", "metric", "value", "low", "high"],
    "networks": [
        *["dataset", "method", "noise", "prior_corruption", "seed", "sparsity", "balanced_accuracy", "auroc", "auprc"],
        *["test_mse", "epochs", "cpu_seconds", "status"],
    ],
    "path": ["dataset", "method", "seed", "epoch", "sparsity", "validation_mse", "balanced_accuracy"],
    "pathways": ["dataset", "method", "pathway", "score", "z", "p_value", "p_bonferroni", "p_bh"],
}
FIGURES = [
    *["final_objective", "objective_against_cost", "waterfall", "best_starts", "rank_by_schedule", "adam_comparison"],
    *["rank_by_batch_size", "safeguards", "large_scale", "sparsity_against_accuracy"],
    *["effect_matrices", "pathways", "prediction_error", "pruning_path", "prior_recovery", "coregulation"],
    *["network_accuracy", "time_courses", "learning_curves", "trajectories"],
]


PARTS = [
    "Snakefile",
    "workflow",
    "envs",
    "profiles",
    "config",
    "resources/published",
    "resources/datasets.tsv",
    "resources/costs.tsv",
]
PROBLEM = """my mödel's "files" (1)"""


@pytest.fixture(scope="module")
def again(root, copy_parts, snakemake, tmp_path_factory):
    """A function that runs the smoke configuration in a checkout whose path needs quotes, with such a path of data.

    Compilers fail in such paths: the environments, and what is compiled, come from the user's cache.
    """
    top = tmp_path_factory.mktemp("smoke")
    checkout, cache = top / """it's a "smöke" $(touch harmed) & test; (1)""", top / "cache" / "kinetrain"
    copy_parts(PARTS, checkout)
    shutil.copytree(root / "resources" / "models" / "egf_akt", checkout / PROBLEM)
    cache.mkdir(parents=True)
    (cache / "envs").symlink_to((root / ".snakemake" / "envs").resolve())
    for made in cache_folder().glob("[kmp]*"):  # kernels, models and phoenix-…
        (cache / made.name).symlink_to(made)
    config = yaml.safe_load((root / "config" / "smoke.yaml").read_text())
    config["problems"]["egf_akt"]["petab"] = f"{PROBLEM}/problem.yaml"

    def run(*arguments):
        return snakemake(checkout, config, *arguments, checkout=checkout, XDG_CACHE_HOME=str(cache.parent))

    return run, checkout


@pytest.fixture(scope="module")
def run(again):
    """The folder of a finished smoke run."""
    process = again[0]("--verbose")
    assert process.returncode == 0, process.stdout + process.stderr
    (again[1] / "run.log").write_text(process.stdout + process.stderr)
    return again[1]


def table(run, name):
    return pd.read_csv(run / "results" / "tables" / f"{name}.tsv", sep="\t")


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_has_the_promised_columns_and_rows(run, name):
    columns = list(table(run, name).columns)
    assert len(table(run, name)) and [column for column in COLUMNS[name] if column not in columns] == []


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_in_three_formats_with_its_table(run, name):
    figures = run / "results" / "figures"
    assert ElementTree.parse(figures / f"{name}.svg").getroot().tag.endswith("svg")
    assert (figures / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    assert (figures / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert len(pd.read_csv(figures / f"{name}.tsv", sep="\t"))


def test_all_settings_begin_at_the_same_starts_and_keep_to_the_same_budget(run):
    fits = table(run, "fits")
    settings = fits.groupby(["optimizer", "schedule", "batch_size", "safeguard"])["start"].apply(list)
    assert len(settings) == 7 and settings.map(tuple).unique().tolist() == [(0, 1)]
    traces = table(run, "traces")
    first = traces[traces["cost"] == 0].groupby("start")["objective"]
    np.testing.assert_allclose(first.max(), first.min(), rtol=1e-6)
    budget = 12 * 4 * fits["gradient_weight"]  # epochs x conditions that are fitted, in forward solves
    assert (fits["cost"] <= budget * (1 + 1e-9)).all()


def test_held_out_groups_are_predicted_but_not_fitted(run):
    assert (table(run, "fits")["conditions"] == 4).all()
    scores = table(run, "large_scale")
    assert set(scores["set"]) == {"train", "test"} and len(scores["optimizer"].unique()) == 3


def test_every_method_and_control_has_its_rows(run):
    networks = table(run, "networks")
    trained = networks[networks["method"].isin(["unpruned", "sparseflow", "bioprune", "dash"])]
    assert trained.groupby("method")["seed"].apply(list).map(tuple).unique().tolist() == [(0, 1)]
    controls = {"prior alone", "regulators x targets", "regulators x all genes", "all genes x targets", "persistence"}
    assert controls <= set(networks["method"])
    yardsticks = {"lagged_correlation", "prior_correlation", "ridge", "lasso", "lasso_prior", "extra_trees"}
    inferred = networks[networks["method"].isin(yardsticks)]
    assert inferred.groupby("method")["seed"].apply(list).map(tuple).to_dict() == dict.fromkeys(yardsticks, (0, 1))
    assert inferred["auprc"].notna().all() and networks["uses_prior"].notna().all()


def test_pruned_models_are_sparser_than_the_unpruned_one(run):
    sparsity = table(run, "networks").groupby("method")["sparsity"].mean()
    assert (sparsity[["sparseflow", "bioprune", "dash"]] > sparsity["unpruned"] + 0.5).all()


def test_the_provenance_records_configuration_packages_and_cost(run):
    record = json.loads((run / "results" / "provenance.json").read_text())
    assert record["configuration"]["seeds"] == [0, 1]
    assert any(pin.startswith("amici==") for pin in record["packages"]["mechanistic"])
    for name in table(run, "nominal")["problem"].unique():
        solver = record["solvers"][name]
        assert solver["engine"] in ("kernel", "amici") and solver["accurate"] and solver["check"]
    assert any(pin.startswith("torch==") for pin in record["packages"]["neural"])
    assert f"snakemake=={record['snakemake']}" in record["packages"]["workflow"]
    assert record["not_as_pinned"] == {} and set(record["python"]) == set(record["packages"])
    assert record["cost"]["mechanistic"]["gradient_solves"] == table(run, "fits")["gradient_solves"].sum()


def test_paths_are_words_to_the_shell_and_never_commands(run):
    assert not list(run.parent.rglob("harmed"))


def test_ready_jobs_are_looked_at_when_a_job_ends_and_at_no_other_time(run):
    log = (run / "run.log").read_text()
    assert log.count("Ready jobs: ") <= log.count("Finished jobid") + 2


def test_a_second_run_has_nothing_to_do(run, again):
    process = again[0]()
    assert "Nothing to be done" in process.stdout + process.stderr


def test_the_report_is_one_file_that_holds_all_figures_and_needs_no_network(run, again):
    process = again[0]("--report", "report.html")
    assert process.returncode == 0, process.stderr
    text = (run / "report.html").read_text()
    assert all(f"{name}.svg" in text for name in FIGURES)
    assert '<script src="http' not in text and '<link rel="stylesheet" href="http' not in text

"""A wrong configuration or manifest is refused before anything starts, and what would be right is said."""

import dataclasses
import re

import configuration
import pytest
import yaml
from configuration import Plan, load_manifest

from kinetrain.errors import InputError, InputWarning
from kinetrain.options import plain, read_options
from kinetrain.pruning.methods import find_method, known_methods


@pytest.mark.parametrize("name", ["config", "real", "smoke"])
def test_every_shipped_configuration_is_accepted(name, manifest, root):
    plan = Plan(yaml.safe_load((root / "config" / f"{name}.yaml").read_text()), manifest, places=(root,))
    assert plan.problems and plan.datasets


def test_an_unknown_key_is_named_with_the_key_that_was_probably_meant(smoke, refusal):
    smoke["fits"]["epoch"] = 3
    assert "fits: unknown key 'epoch' (did you mean 'epochs'?)" in refusal(smoke)


def test_an_unknown_key_in_an_override_is_named(smoke, refusal):
    smoke["problems"]["egf_akt"]["fits"] = {"startz": 3}
    assert "problems.egf_akt.fits: unknown key 'startz' (did you mean 'starts'?)" in refusal(smoke)


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("fits", "starts", "four", "fits.starts = 'four': 'four' is not of type 'integer'; Start points"),
        ("fits", "epochs", 1, "fits.epochs = 1: 1 is less than the minimum of 2"),
        ("training", "learning_rate", "1e-3", "write 1.0e-3 for 1e-3"),
        ("training", "hidden", 0, "training.hidden = 0: 0 is less than the minimum of 1; Hidden units"),
        ("training", "batch", "pairs", "training.batch = 'pairs'"),
        ("pruning", "first_fraction", 1, "pruning.first_fraction = 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_is_right(smoke, section, key, value, said, refusal):
    smoke.setdefault(section, {})[key] = value
    assert said in refusal(smoke)


def test_all_wrong_keys_are_reported_at_once(smoke, refusal):
    smoke["seeds"] = []
    smoke["fits"]["starts"] = 0
    said = refusal(smoke)
    assert "seeds" in said and "fits.starts" in said


def test_mini_batches_of_all_conditions_of_measured_data_are_fitted_once(smoke, manifest, root):
    conditions = 6  # of the embedded measurements
    smoke["problems"] = {"egf_akt": {"petab": smoke["problems"]["egf_akt"]["petab"]}}
    main = {"optimizers": ["adam_balanced"], "schedules": ["S3"], "safeguards": ["rescue"]}
    smoke["fits"]["mini_batch"] = {"main": main | {"batch_sizes": [2, conditions, 500, "full"]}}
    with pytest.warns(InputWarning, match=f"500 conditions per mini-batch are more than the {conditions}"):
        plan = Plan(smoke, manifest, places=(root,))
    assert plan.fit_labels("egf_akt")[:-1] == [f"adam_balanced-S3-batch{size}-rescue" for size in (2, "full")]


@pytest.mark.parametrize("folder", ["workflow", "resources/models", "results/../docs", "."])
def test_results_among_the_files_of_the_project_are_refused(smoke, root, folder, refusal):
    smoke["pathvars"] = {"results": str(root / folder)}
    assert "is a folder of the project itself" in refusal(smoke)


def test_mini_batches_larger_than_the_data_are_refused(smoke, refusal):
    smoke["fits"]["mini_batch"]["main"]["batch_sizes"] = ["full", 7]
    said = refusal(smoke)
    assert "problems.egf_akt.fits.mini_batch.main: batch_sizes has 7, but there are 4 conditions" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"optimizers": ["adam_balance"]},
            "main.optimizers: unknown name 'adam_balance' (did you mean 'adam_balanced'?)",
        ),
        ({"schedules": ["S9"]}, "main.schedules: unknown name 'S9'"),
        ({"safeguards": ["non"]}, "main.safeguards: unknown name 'non' (did you mean 'none'?)"),
        ({"batch_sizes": ["half"]}, "fits.mini_batch.main"),
    ],
)
def test_a_grid_of_fits_combines_only_what_is_defined(smoke, change, said, refusal):
    smoke["fits"]["mini_batch"]["main"] |= change
    assert said in refusal(smoke)


def test_a_hybrid_whose_share_of_the_budget_is_less_than_its_schedule_needs_is_refused(smoke, refusal):
    """The job found it out, after the others had run."""
    smoke["fits"] |= {"epochs": 3, "optimizers": {"hybrid": {"rule": "sgd", "then": "ipopt"}}}
    smoke["fits"]["mini_batch"]["main"]["optimizers"] = ["hybrid"]
    said = refusal(smoke)
    assert "main (hybrid, S2): a logarithmic schedule needs at least 2 epochs, got 0.6: give a larger budget" in said


def test_one_arm_problem_or_data_set_can_be_run_alone(smoke, manifest, root, refusal):
    smoke["problems"]["other"] = {**smoke["problems"]["egf_akt"], "run": False}
    for only, problems, datasets in (
        (["egf_akt"], ["egf_akt"], []),
        (["mechanistic"], ["egf_akt"], []),
        (["neural"], [], ["modular24"]),
        (["other", "modular24"], ["other"], ["modular24"]),
    ):
        plan = Plan(smoke | {"only": only}, manifest, places=(root,))
        assert (list(plan.problems), list(plan.datasets)) == (problems, datasets)
    said = refusal(smoke | {"only": ["egf_atk"]})
    assert "only: 'egf_atk' is no arm, problem or data set" in said and "did you mean 'egf_akt'?" in said


def test_an_optimizer_of_ones_own_is_a_rule_or_a_class_of_torch(smoke, refusal):
    smoke["fits"]["optimizers"] = {"mine": {"rule": "adam", "torch": "Adam"}}
    assert "fits.optimizers.mine: exactly one of rule or torch must be given" in refusal(smoke)
    smoke["fits"]["optimizers"] = {"mine": {"rule": "adam"}}
    assert "fits.optimizers.mine.rule: unknown rule 'adam'" in refusal(smoke)


def test_equal_fits_of_several_grids_are_run_once_and_a_null_grid_not_at_all(smoke, manifest, root):
    main = {"optimizers": ["adam_balanced"], "schedules": ["S3"], "batch_sizes": [2]}
    more = main | {"batch_sizes": [2, "full"]}
    smoke["fits"]["mini_batch"] = {"main": main, "more": more, "none": None}
    plan = configuration.Plan(smoke, manifest, places=(root,))
    labels = ["adam_balanced-S3-batch2-rescue", "adam_balanced-S3-batchfull-rescue", "fides"]
    assert plan.fit_labels("egf_akt") == labels
    settings = plan.mini_batch_settings("egf_akt", "adam_balanced", "S3", "full", "rescue")
    assert settings["batch_size"] == "full" and settings["optimizer"] == {"rule": "adam_balanced"}
    assert settings["safeguard"] == {"name": "rescue", "rescue": 2, "line_search": 0, "variant": "published"}


def test_pruning_that_would_begin_after_the_last_epoch_is_refused(smoke, refusal):
    smoke["pruning"] = {"first_epoch": 13}
    assert "nothing is pruned: pruning.first_epoch 13 > training.epochs 12" in refusal(smoke)


def test_a_data_set_is_either_simulated_or_measured(smoke, refusal):
    smoke["datasets"]["modular24"]["expression"] = {"train": "x.csv", "genes": "y.csv"}
    said = refusal(smoke)
    assert "datasets.modular24: exactly one of simulate or expression must be given" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs": 9}, "simulate: inputs 9 > regulators 8; give at most that"),
        ({"modules": 25}, "simulate: modules 25 > genes 24"),
        ({"in_degree": 8}, "simulate.in_degree 8: must be below the 8 regulators"),
        ({"exponents": [2, 1]}, "simulate.exponents: must be above 0, the smaller first, got 2 and 1"),
        ({"half": [0.5, 1]}, "simulate.half = [0.5, 1]: 1.0 is not below 1"),
        ({"validation_fraction": 0.6, "test_fraction": 0.6}, "= 1.2 leaves nothing to train on"),
    ],
)
def test_a_network_that_cannot_be_is_refused(smoke, change, said, refusal):
    smoke["datasets"]["modular24"]["simulate"] |= change
    assert said in refusal(smoke)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"observables": ["pFoo"]}, "artificial.observables: the problem has no 'pFoo'"),
        ({"protocols": [{"inputs": {"EFG_0": {"constant": 1}}}]}, "no such input (did you mean 'EGF_0'?)"),
        ({"protocols": [{"inputs": {"EGF_0": {"uniform": [5, 1]}}}]}, "the range 5 to 1 is empty"),
        ({"protocols": [{"inputs": {"EGF_0": {"gamma": [5, 1]}}}]}, "unknown key 'gamma'"),
    ],
)
def test_artificial_data_that_cannot_be_drawn_are_refused(smoke, change, said, refusal):
    smoke["problems"]["egf_akt"]["artificial"] |= change
    assert said in refusal(smoke)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lamdas": [0.5, 0.5]}, "methods.dash: unknown key 'lamdas' (did you mean 'lambdas'?); known keys: lambdas"),
        ({"lambdas": 0.5}, "dash.lambdas = 0.5: expected a list of numbers"),
        ({"lambdas": ["1e-3", 0]}, "dash.lambdas = ['1e-3', 0]: expected a list of numbers"),
        ({"lambdas": "1e-3"}, "YAML reads this as text"),
        ({"variant": "x"}, "dash.variant = 'x': expected 'corrected' or 'published'"),
    ],
)
def test_a_wrong_setting_of_a_method_is_refused(smoke, settings, said, refusal):
    smoke["methods"]["dash"] = settings
    assert said in refusal(smoke)
    dataset = next(iter(smoke["datasets"]))
    smoke["methods"]["dash"], smoke["datasets"][dataset]["methods"] = {}, {"dash": settings}
    assert f"datasets.{dataset}.methods.dash" in refusal(smoke)


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"lamdas": [[0, 1]]}, "tuning.dash: unknown key 'lamdas' (did you mean 'lambdas'?)"),
        ({"lambdas": [0, 1]}, "tuning.dash.lambdas = 0: expected a list of numbers"),
        ({"lambdas": {"each": [0, "half"]}}, "tuning.dash.lambdas = ['half', 'half']: expected a list of numbers"),
    ],
)
def test_a_grid_of_settings_that_a_method_does_not_have_is_refused(smoke, grid, said, refusal):
    smoke["tuning"] = {"dash": {"grid": grid}}
    assert said in refusal(smoke)


def test_the_settings_of_the_methods_are_those_of_their_files():
    defaults = plain(find_method("dash")())
    assert defaults == {"lambdas": [0.5, 0.95], "variant": "corrected"}
    for method in known_methods():
        record = find_method(method)
        assert read_options(record, plain(record())) == record(), method
        for field in dataclasses.fields(record):
            assert field.metadata["doc"].endswith("."), f"{method}: nothing is said of '{field.name}'"


def test_a_lowest_learning_rate_above_the_first_is_refused(smoke, refusal):
    smoke["training"]["minimum_learning_rate"] = 1.0
    assert "training.minimum_learning_rate 1.0 is above training.learning_rate" in refusal(smoke)


def test_an_unknown_method_is_answered_with_the_known_ones(smoke, refusal):
    smoke["methods"]["dahs"] = {}
    said = "methods.dahs: unknown method (did you mean 'dash'?); known methods: bioprune, c_node, dash"
    assert said in refusal(smoke)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "A/a.csv\tx/a.csv\thttps://host/a.csv\t10\tsha256:" + "0" * 64,
            "line 2: expected 6 fields with tabs between them, got 5",
        ),
        (
            "A/a.csv\tx/a.csv\tfile:///a.csv\t10\tsha256:" + "0" * 64 + "\tMIT",
            "line 2: url is 'file:///a.csv', expected an http",
        ),
        (
            "A/a.csv\tx/a.csv\thttps://h/a\tten\tsha256:" + "0" * 64 + "\tMIT",
            "line 2: bytes is 'ten', expected a whole number",
        ),
        (
            "A/a.csv\tx/a.csv\thttps://h/a\t10\tsha256:12\tMIT",
            "line 2: checksum is 'sha256:12', expected sha256:<64 hex",
        ),
        (
            "A/a.csv\t../a.csv\thttps://h/a\t10\tsha256:" + "0" * 64 + "\tMIT",
            "line 2: path is '../a.csv', expected a relative path",
        ),
    ],
)
def test_a_malformed_line_of_the_manifest_is_named(tmp_path, line, said):
    path = tmp_path / "datasets.tsv"
    path.write_text("name\tpath\turl\tbytes\tchecksum\tlicence\n" + line + "\n")
    with pytest.raises(InputError, match=re.escape(said)):
        load_manifest(path)


def test_snakemake_refuses_a_wrong_configuration_without_building_anything(smoke, snakemake, tmp_path):
    smoke["fits"]["epoch"] = 3
    process = snakemake(tmp_path, smoke, "--dry-run")
    assert process.returncode != 0
    assert "fits: unknown key 'epoch' (did you mean 'epochs'?)" in process.stdout + process.stderr
    assert not (tmp_path / "results").exists()


def test_snakemake_refuses_a_key_that_stands_twice_in_any_of_its_files(smoke, snakemake, tmp_path):
    (tmp_path / "overlay.yaml").write_text("seeds: [1]\ntraining: {epochs: 12}\nseeds: [2]\n")
    process = snakemake(tmp_path, smoke, tmp_path / "overlay.yaml", "--dry-run")
    assert process.returncode != 0
    assert "overlay.yaml, line 3: the key 'seeds' stands in line 1 already" in process.stdout + process.stderr


def test_snakemake_warns_of_mini_batches_that_are_full(smoke, snakemake, tmp_path):
    smoke["fits"].pop("mini_batch")
    smoke["problems"]["egf_akt"]["artificial"] |= {"conditions": 3}
    process = snakemake(tmp_path, smoke, "--dry-run")
    assert process.returncode == 0, process.stderr
    said = process.stdout + process.stderr
    assert "problems.egf_akt: 4 conditions per mini-batch are more than the 2 that there are" in said


def test_one_arm_is_planned_from_the_command_line(root, snakemake, tmp_path):
    process = snakemake(tmp_path, root / "config" / "smoke.yaml", "--dry-run", "--config", "only=[modular24]")
    assert process.returncode == 0, process.stderr
    said = process.stdout + process.stderr
    assert "prune_neural_ode" in said and "fit_mini_batch" not in said and "compile_model" not in said


@pytest.mark.parametrize("name", ["config", "real", "smoke"])
def test_every_configuration_can_be_planned(name, root, snakemake, tmp_path):
    process = snakemake(tmp_path, root / "config" / f"{name}.yaml", "--dry-run", "--quiet")
    assert process.returncode == 0, process.stderr


def test_the_documentation_of_the_configuration_is_that_of_the_schema(root):
    written = (root / "config" / "README.md").read_text()
    assert configuration.describe() in written, "bring config/README.md up to date with `make docs`"


def test_every_key_of_the_schema_says_what_it_means():
    rows = [line for line in configuration.describe().splitlines() if line.startswith("| `")]
    undocumented = [row for row in rows if not row.rstrip(" |").endswith((".", "`"))]
    assert len(rows) > 80 and not undocumented


def test_the_small_version_of_the_mechanistic_arm_says_how_much_of_every_problem_is_run(root):
    whole, small = (
        yaml.safe_load((root / "config" / f"paper-mechanistic{name}.yaml").read_text())["problems"]
        for name in ("", "-small")
    )
    assert {name for name, problem in whole.items() if problem.get("run", True)} - small.keys() == set()

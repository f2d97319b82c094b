"""A wrong configuration or manifest is refused before anything starts, and what would be right is said."""

import dataclasses
import re
import shutil
from pathlib import Path

import configuration
import pytest
import yaml
from configuration import ConfigurationError, Plan, Sizes, load_manifest, read_own_tables

from kinetrain.errors import InputError, InputWarning
from kinetrain.options import plain, read_options
from kinetrain.pruning.methods import find_method, known_methods


@pytest.fixture(scope="module")
def manifest(root):
    return load_manifest(root / "resources" / "datasets.tsv")


def refusal(config, manifest, root) -> str:
    with pytest.raises(ConfigurationError) as refused:
        Plan(config, manifest, places=(root,))
    return str(refused.value)


@pytest.mark.parametrize("name", ["config", "real", "smoke"])
def test_every_shipped_configuration_is_accepted(name, manifest, root):
    plan = Plan(yaml.safe_load((root / "config" / f"{name}.yaml").read_text()), manifest, places=(root,))
    assert plan.problems and plan.datasets


def test_an_unknown_key_is_named_with_the_key_that_was_probably_meant(smoke, manifest, root):
    smoke["fits"]["epoch"] = 3
    assert "fits: unknown key 'epoch' (did you mean 'epochs'?)" in refusal(smoke, manifest, root)


def test_an_unknown_key_in_an_override_is_named(smoke, manifest, root):
    smoke["problems"]["egf_akt"]["fits"] = {"startz": 3}
    assert "problems.egf_akt.fits: unknown key 'startz' (did you mean 'starts'?)" in refusal(smoke, manifest, root)


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
def test_a_wrong_value_is_named_with_its_key_and_what_is_right(smoke, manifest, root, section, key, value, said):
    smoke.setdefault(section, {})[key] = value
    assert said in refusal(smoke, manifest, root)


def test_all_wrong_keys_are_reported_at_once(smoke, manifest, root):
    smoke["seeds"] = []
    smoke["fits"]["starts"] = 0
    said = refusal(smoke, manifest, root)
    assert "seeds" in said and "fits.starts" in said


def test_a_missing_file_is_named_with_its_key(smoke, manifest, root):
    smoke["problems"]["egf_akt"]["petab"] = "models/nowhere.yaml"
    said = refusal(smoke, manifest, root)
    assert "problems.egf_akt.petab = 'models/nowhere.yaml': neither a name in resources/datasets.tsv nor a file" in said


def test_a_table_of_expression_is_read_before_anything_starts(manifest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text(
        "dose,minutes,A,B\n" + "".join(f"{d},{t},{t + d},1\n" for d in "12" for t in "123")
    )
    expression = {"train": "mine.csv", "time": "minutes", "trajectory": "dose"}
    config = {"datasets": {"mine": {"expression": expression}}, "methods": {"unpruned": {}}}
    (said,) = read_own_tables(Plan(config, manifest))
    assert said.startswith("  mine: 2 genes (A to B), 2 trajectories; transitions: ")
    expression["time"] = "minute"
    with pytest.raises(
        ConfigurationError, match=r"datasets.mine: mine.csv: no column 'minute' \(did you mean 'minutes'"
    ):
        read_own_tables(Plan(config, manifest))


def test_a_table_with_genes_in_its_rows_goes_with_a_sheet_of_its_samples(manifest, tmp_path, monkeypatch, snakemake):
    monkeypatch.chdir(tmp_path)
    samples = [f"s{number}" for number in range(8)]
    rows = [["gene", *samples], *([gene, *(f"0.{place}{7 - place}" for place in range(8))] for gene in "ABC")]
    (tmp_path / "genes.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    sheet = "".join(f"{name},{number % 4},{number // 4}\n" for number, name in enumerate(samples))
    (tmp_path / "sheet.csv").write_text(f"sample,hours,animal\n{sheet}")
    expression = {"train": "genes.csv", "samples": "sheet.csv", "time": "hours", "trajectory": "animal"}
    config = {"datasets": {"mine": {"expression": expression}}, "methods": {"unpruned": {}}}
    plan = Plan(config, manifest)
    assert read_own_tables(plan) == [
        "  mine: 3 genes (A to C), 2 trajectories; transitions: 3 for train, 3 for validation, 0 for test"
    ]
    assert Sizes(plan, Path("nowhere")).genes("mine") == 3
    process = snakemake(tmp_path, config, "--dry-run", "--printshellcmds")
    assert "--train genes.csv --samples sheet.csv --settings" in process.stdout + process.stderr, process.stderr
    expression["samples"] = "sheets.csv"
    with pytest.raises(ConfigurationError, match=r"expression\.samples = 'sheets\.csv': .*did you mean 'sheet\.csv'"):
        Plan(config, manifest)


def test_networks_and_gene_sets_of_other_genes_are_refused_before_anything_starts(manifest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{animal},{time},0.{animal}{time},0.{time}{animal}" for animal in (1, 2) for time in range(4)]
    files = {
        "data.csv": "\n".join(["trajectory,time,Trp53,Myc", *rows]),
        "edges.csv": "TF,target\nTRP53,MYC\n",
        "matrix.csv": "TF,Trp53,Myc\nTrp53,0,1\nMyc,0,0\n",
        "sets.gmt": "one\tx\tTRP53\tMYC\n",
        "right.csv": "TF,target\nTrp53,Myc\n",
        "right.gmt": "one\tx\tTrp53\tMyc\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    dataset = {"expression": {"train": "data.csv"}, "enrichment": {"test": {"minimum_genes": 2}}}

    def refused(**keys):
        config = {"datasets": {"mine": dataset | keys}, "methods": {"unpruned": {}}}
        read_own_tables(Plan(config, manifest))

    with pytest.raises(ConfigurationError, match=r"datasets\.mine: truth: edges\.csv: none .* alone: MYC \(Myc\)"):
        refused(truth={"edges": "edges.csv"})
    with pytest.raises(ConfigurationError, match=r"mine: prior: matrix\.csv: 2 rows .*: say it, `rows: regulators`"):
        refused(prior={"matrix": "matrix.csv"})
    with pytest.raises(ConfigurationError, match=r"mine: gene_sets: sets\.gmt: no gene set has 2 .* alone: MYC"):
        refused(gene_sets="sets.gmt")
    with pytest.raises(ConfigurationError, match=r"mine\.truth\.rows: an edge list names its regulators; leave it out"):
        refused(truth={"edges": "right.csv", "rows": "targets"})
    refused(truth={"edges": "right.csv"}, prior={"matrix": "matrix.csv", "rows": "regulators"}, gene_sets="right.gmt")


def test_a_misspelt_file_is_answered_with_its_name_and_where_paths_begin(smoke, manifest, root):
    smoke["problems"]["egf_akt"]["petab"] = "resources/models/egf_akt/problm.yaml"
    said = refusal(smoke, manifest, root)
    assert f"(did you mean 'resources/models/egf_akt/problem.yaml'?); paths begin in {root.resolve()}, where" in said


def test_a_misspelt_download_is_answered_with_the_name_that_was_probably_meant(smoke, manifest, root):
    smoke["problems"]["egf_akt"]["petab"] = "Fujita_SciSignal2010/Fujita_SciSignal.yaml"
    assert "did you mean 'Fujita_SciSignal2010/Fujita_SciSignal2010.yaml'?" in refusal(smoke, manifest, root)


def test_a_petab_problem_without_one_of_its_tables_is_refused(smoke, manifest, root, tmp_path):
    source = root / "resources" / "models" / "egf_akt" / "problem.yaml"
    (tmp_path / "problem.yaml").write_text(source.read_text())
    smoke["problems"]["egf_akt"]["petab"] = str(tmp_path / "problem.yaml")
    assert re.search(
        r"problems\.egf_akt\.petab: .*problem\.yaml: it names the table .*, but .* does not exist",
        refusal(smoke, manifest, root),
    )


def test_a_yaml_that_is_no_petab_problem_is_refused(smoke, manifest, root, tmp_path):
    (tmp_path / "problem.yaml").write_text("format_version: 1\n")
    smoke["problems"]["egf_akt"]["petab"] = str(tmp_path / "problem.yaml")
    assert "problem.yaml: no key 'problems'" in refusal(smoke, manifest, root)


def test_files_elsewhere_are_read_where_that_is_permitted(smoke, manifest, root, tmp_path):
    source = root / "resources" / "models" / "egf_akt"
    for file in source.glob("*.tsv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (source / "problem.yaml").read_text().replace("model.xml", f"{source}/model.xml")
    (tmp_path / "problem.yaml").write_text(text)
    smoke["problems"]["egf_akt"]["petab"] = str(tmp_path / "problem.yaml")
    assert "which is outside its folder" in refusal(smoke, manifest, root)
    smoke["problems"]["egf_akt"]["tables_elsewhere"] = True
    assert f"{source}/model.xml" in Plan(smoke, manifest, places=(root,)).problems["egf_akt"]["files"]


def test_mini_batches_of_all_conditions_of_measured_data_are_fitted_once(smoke, manifest, root):
    conditions = 6  # of the embedded measurements
    smoke["problems"] = {"egf_akt": {"petab": smoke["problems"]["egf_akt"]["petab"]}}
    main = {"optimizers": ["adam_balanced"], "schedules": ["S3"], "safeguards": ["rescue"]}
    smoke["fits"]["mini_batch"] = {"main": main | {"batch_sizes": [2, conditions, 500, "full"]}}
    with pytest.warns(InputWarning, match=f"500 conditions per mini-batch are more than the {conditions}"):
        plan = Plan(smoke, manifest, places=(root,))
    assert plan.fit_labels("egf_akt")[:-1] == [f"adam_balanced-S3-batch{size}-rescue" for size in (2, "full")]


@pytest.mark.parametrize("folder", ["workflow", "resources/models", "results/../docs", "."])
def test_results_among_the_files_of_the_project_are_refused(smoke, manifest, root, folder):
    smoke["pathvars"] = {"results": str(root / folder)}
    assert "is a folder of the project itself" in refusal(smoke, manifest, root)


def test_mini_batches_larger_than_the_data_are_refused(smoke, manifest, root):
    smoke["fits"]["mini_batch"]["main"]["batch_sizes"] = ["full", 7]
    said = refusal(smoke, manifest, root)
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
def test_a_grid_of_fits_combines_only_what_is_defined(smoke, manifest, root, change, said):
    smoke["fits"]["mini_batch"]["main"] |= change
    assert said in refusal(smoke, manifest, root)


def test_given_starts_are_checked_before_anything_starts(smoke, manifest, root, tmp_path):
    rows = (root / "resources/models/egf_akt/parameters.tsv").read_text().splitlines()
    names = [row.split("\t")[0] for row in rows[1:]]
    starts = tmp_path / "starts.tsv"
    del smoke["problems"]["egf_akt"]["artificial"]
    smoke["fits"]["start_from"] = str(starts)
    assert f"problems.egf_akt.fits.start_from = '{starts}': neither" in refusal(smoke, manifest, root)
    starts.write_text("\t".join(names) + "\n" + "\t".join(["1"] * len(names)) + "\n")
    plan = Plan(smoke, manifest, places=(root,))
    assert plan.problems["egf_akt"]["fits"]["start_from"] == str(starts) and str(starts) in plan.own_files
    starts.write_text("\t".join(names) + "\n" + "\t".join(["1"] * (len(names) - 1) + ["-1"]) + "\n")
    assert f"starts.tsv: row 2, column '{names[-1]}': -1 is below the lower bound" in refusal(smoke, manifest, root)
    starts.write_text("k_turnovr\n1\n")
    said = refusal(smoke, manifest, root)
    assert "problems.egf_akt.fits.start_from" in said and "no column 'k_turnover'" in said and "k_turnovr" in said
    smoke["pathvars"] = {"results": str(tmp_path)}
    assert "this run writes into" in refusal(smoke, manifest, root)


def test_starts_of_a_problem_in_the_mirror_are_checked_too(smoke, manifest, root, tmp_path):
    name = "Boehm_JProteomeRes2014/Boehm_JProteomeRes2014.yaml"
    folder = tmp_path / Path(manifest[name].path).parent
    folder.mkdir(parents=True)
    shutil.copytree(root / "resources/models/egf_akt", folder, dirs_exist_ok=True)
    (folder / "problem.yaml").rename(tmp_path / manifest[name].path)
    (tmp_path / "starts.tsv").write_text("k_turnovr\n1\n")
    smoke["problems"] = {"one": {"petab": name}}
    smoke["fits"]["start_from"] = str(tmp_path / "starts.tsv")
    Plan(smoke, manifest, places=(root,))  # its parameters are not at hand yet
    smoke["mirror"] = str(tmp_path)
    assert "no column 'k_turnover'" in refusal(smoke, manifest, root)


def test_one_arm_problem_or_data_set_can_be_run_alone(smoke, manifest, root):
    smoke["problems"]["other"] = {**smoke["problems"]["egf_akt"], "run": False}
    for only, problems, datasets in (
        (["egf_akt"], ["egf_akt"], []),
        (["mechanistic"], ["egf_akt"], []),
        (["neural"], [], ["modular24"]),
        (["other", "modular24"], ["other"], ["modular24"]),
    ):
        plan = Plan(smoke | {"only": only}, manifest, places=(root,))
        assert (list(plan.problems), list(plan.datasets)) == (problems, datasets)
    said = refusal(smoke | {"only": ["egf_atk"]}, manifest, root)
    assert "only: 'egf_atk' is no arm, problem or data set" in said and "did you mean 'egf_akt'?" in said


def test_an_optimizer_of_ones_own_is_a_rule_or_a_class_of_torch(smoke, manifest, root):
    smoke["fits"]["optimizers"] = {"mine": {"rule": "adam", "torch": "Adam"}}
    assert "fits.optimizers.mine: exactly one of rule or torch must be given" in refusal(smoke, manifest, root)
    smoke["fits"]["optimizers"] = {"mine": {"rule": "adam"}}
    assert "fits.optimizers.mine.rule: unknown rule 'adam'" in refusal(smoke, manifest, root)


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


def test_pruning_that_would_begin_after_the_last_epoch_is_refused(smoke, manifest, root):
    smoke["pruning"] = {"first_epoch": 13}
    assert "nothing is pruned: pruning.first_epoch 13 > training.epochs 12" in refusal(smoke, manifest, root)


def test_a_data_set_is_either_simulated_or_measured(smoke, manifest, root):
    smoke["datasets"]["modular24"]["expression"] = {"train": "x.csv", "genes": "y.csv"}
    said = refusal(smoke, manifest, root)
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
def test_a_network_that_cannot_be_is_refused(smoke, manifest, root, change, said):
    smoke["datasets"]["modular24"]["simulate"] |= change
    assert said in refusal(smoke, manifest, root)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"observables": ["pFoo"]}, "artificial.observables: the problem has no 'pFoo'"),
        ({"protocols": [{"inputs": {"EFG_0": {"constant": 1}}}]}, "no such input (did you mean 'EGF_0'?)"),
        ({"protocols": [{"inputs": {"EGF_0": {"uniform": [5, 1]}}}]}, "the range 5 to 1 is empty"),
        ({"protocols": [{"inputs": {"EGF_0": {"gamma": [5, 1]}}}]}, "unknown key 'gamma'"),
    ],
)
def test_artificial_data_that_cannot_be_drawn_are_refused(smoke, manifest, root, change, said):
    smoke["problems"]["egf_akt"]["artificial"] |= change
    assert said in refusal(smoke, manifest, root)


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
def test_a_wrong_setting_of_a_method_is_refused(smoke, manifest, root, settings, said):
    smoke["methods"]["dash"] = settings
    assert said in refusal(smoke, manifest, root)
    dataset = next(iter(smoke["datasets"]))
    smoke["methods"]["dash"], smoke["datasets"][dataset]["methods"] = {}, {"dash": settings}
    assert f"datasets.{dataset}.methods.dash" in refusal(smoke, manifest, root)


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"lamdas": [[0, 1]]}, "tuning.dash: unknown key 'lamdas' (did you mean 'lambdas'?)"),
        ({"lambdas": [0, 1]}, "tuning.dash.lambdas = 0: expected a list of numbers"),
        ({"lambdas": {"each": [0, "half"]}}, "tuning.dash.lambdas = ['half', 'half']: expected a list of numbers"),
    ],
)
def test_a_grid_of_settings_that_a_method_does_not_have_is_refused(smoke, manifest, root, grid, said):
    smoke["tuning"] = {"dash": {"grid": grid}}
    assert said in refusal(smoke, manifest, root)


def test_the_settings_of_the_methods_are_those_of_their_files():
    defaults = plain(find_method("dash")())
    assert defaults == {"lambdas": [0.5, 0.95], "variant": "corrected"}
    for method in known_methods():
        record = find_method(method)
        assert read_options(record, plain(record())) == record(), method
        for field in dataclasses.fields(record):
            assert field.metadata["doc"].endswith("."), f"{method}: nothing is said of '{field.name}'"


def test_a_lowest_learning_rate_above_the_first_is_refused(smoke, manifest, root):
    smoke["training"]["minimum_learning_rate"] = 1.0
    assert "training.minimum_learning_rate 1.0 is above training.learning_rate" in refusal(smoke, manifest, root)


def test_an_unknown_method_is_answered_with_the_known_ones(smoke, manifest, root):
    smoke["methods"]["dahs"] = {}
    assert "methods.dahs: unknown method (did you mean 'dash'?); known methods: bioprune, c_node, dash" in refusal(
        smoke, manifest, root
    )


def test_a_mirror_that_does_not_exist_is_refused(smoke, manifest, root):
    assert "mirror = '/nowhere': no such folder" in refusal({**smoke, "mirror": "/nowhere"}, manifest, root)


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


def test_given_starts_of_artificial_data_are_checked_before_the_model_is_compiled(smoke, snakemake, tmp_path):
    (tmp_path / "starts.tsv").write_text("k_turnovr\n1\n")
    smoke["fits"]["start_from"] = "starts.tsv"
    process = snakemake(tmp_path, smoke, "--", "results/starts/egf_akt.tsv")
    said = process.stdout + process.stderr
    assert process.returncode != 0 and "starts.tsv: no column 'k_turnover'" in said
    assert not (tmp_path / "results" / "models").exists()
    names = (tmp_path / "results/templates/egf_akt/parameters.tsv").read_text().splitlines()[1:]
    names = [row.split("\t")[0] for row in names]
    names += ["scaling_g01"]  # the first group's scaling is in the template; the last group is held out
    (tmp_path / "starts.tsv").write_text("\t".join(names) + "\n" + "\t".join(["1"] * len(names)) + "\n")
    process = snakemake(tmp_path, smoke, "--", "results/starts/egf_akt.tsv")
    assert process.returncode == 0, process.stdout + process.stderr
    assert sorted((tmp_path / "results/starts/egf_akt.tsv").read_text().splitlines()[0].split("\t")) == sorted(names)


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

"""Files that a configuration names are read and checked before anything starts."""

import re
import shutil
from pathlib import Path

import pytest
from configuration import ConfigurationError, Plan, Sizes, read_own_tables


def test_a_missing_file_is_named_with_its_key(smoke, refusal):
    smoke["problems"]["egf_akt"]["petab"] = "models/nowhere.yaml"
    said = refusal(smoke)
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


@pytest.mark.parametrize(
    ("role", "options", "said"),
    [
        ("coregulation", {"edges": "string.csv"}, r"string\.csv: 900 is no score of an interaction, which is 0 to 1"),
        ("coregulation", {"edges": "links.txt"}, r"links\.txt: no column 'regulator'"),
        ("coregulation", {"matrix": "scores.csv"}, r"scores\.csv: 900 is no score"),
        ("truth", {"edges": "all.csv"}, r"all\.csv: every pair of genes is an edge, so no prediction can be wrong"),
        ("truth", {"matrix": "all_matrix.csv"}, r"all_matrix\.csv: every pair of genes is an edge"),
        ("truth", {"edges": "all.csv", "threshold": 5}, r"all\.csv: no edge between genes of the data set is above 5"),
        ("truth", {"edges": "none.csv"}, r"none\.csv: no edge between genes of the expression data \(no entry other"),
        ("prior", {"edges": "large.csv"}, r"large\.csv: 1e\+300 is no weight of an edge"),
    ],
)
def test_networks_that_no_step_would_take_are_refused_before_anything_starts(
    manifest, tmp_path, monkeypatch, role, options, said
):
    monkeypatch.chdir(tmp_path)
    rows = [f"{animal},{time},0.{animal}{time},0.{time}{animal},0.5" for animal in (1, 2) for time in range(4)]
    pairs = [f"{one},{other}" for one in "ABC" for other in "ABC" if one != other]
    files = {
        "data.csv": "\n".join(["trajectory,time,A,B,C", *rows]),
        "right.csv": "TF,target,weight\n" + "".join(f"{pair},{int(pair == 'A,B')}\n" for pair in pairs),
        "string.csv": "from,to,score\nA,B,150\nA,B,900\n",
        "links.txt": "protein1\tprotein2\tcombined_score\nA\tB\t900\n",
        "scores.csv": "gene,A,B,C\nA,0,900,0\nB,900,0,0\nC,0,0,0\n",
        "all.csv": "TF,target,weight\n" + "".join(f"{pair},0.{place + 1}\n" for place, pair in enumerate(pairs)),
        "all_matrix.csv": "gene,A,B,C\nA,1,.1,.2\nB,.1,1,.3\nC,.2,.3,1\n",
        "none.csv": "TF,target,weight\n" + "".join(f"{pair},0\n" for pair in pairs),
        "large.csv": "TF,target,weight\nA,B,1e300\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    def check(**networks):
        dataset = {"expression": {"train": "data.csv"}, "prior": {"edges": "right.csv"}, **networks}
        read_own_tables(Plan({"datasets": {"mine": dataset}, "methods": {"unpruned": {}}}, manifest))

    check(truth={"edges": "right.csv"}, coregulation={"edges": "right.csv"})
    with pytest.raises(ConfigurationError, match=rf"datasets\.mine: {role}: {said}"):
        check(**{role: options})


def test_a_misspelt_file_is_answered_with_its_name_and_where_paths_begin(smoke, root, refusal):
    smoke["problems"]["egf_akt"]["petab"] = "resources/models/egf_akt/problm.yaml"
    said = refusal(smoke)
    assert f"(did you mean 'resources/models/egf_akt/problem.yaml'?); paths begin in {root.resolve()}, where" in said


def test_a_misspelt_download_is_answered_with_the_name_that_was_probably_meant(smoke, refusal):
    smoke["problems"]["egf_akt"]["petab"] = "Fujita_SciSignal2010/Fujita_SciSignal.yaml"
    assert "did you mean 'Fujita_SciSignal2010/Fujita_SciSignal2010.yaml'?" in refusal(smoke)


def test_a_petab_problem_without_one_of_its_tables_is_refused(smoke, root, tmp_path, refusal):
    source = root / "resources" / "models" / "egf_akt" / "problem.yaml"
    (tmp_path / "problem.yaml").write_text(source.read_text())
    smoke["problems"]["egf_akt"]["petab"] = str(tmp_path / "problem.yaml")
    assert re.search(
        r"problems\.egf_akt\.petab: .*problem\.yaml: it names the table .*, but .* does not exist",
        refusal(smoke),
    )


def test_a_yaml_that_is_no_petab_problem_is_refused(smoke, tmp_path, refusal):
    (tmp_path / "problem.yaml").write_text("format_version: 1\n")
    smoke["problems"]["egf_akt"]["petab"] = str(tmp_path / "problem.yaml")
    assert "problem.yaml: no key 'problems'" in refusal(smoke)


def test_files_elsewhere_are_read_where_that_is_permitted(smoke, manifest, root, tmp_path, refusal):
    source = root / "resources" / "models" / "egf_akt"
    for file in source.glob("*.tsv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (source / "problem.yaml").read_text().replace("model.xml", f"{source}/model.xml")
    (tmp_path / "problem.yaml").write_text(text)
    smoke["problems"]["egf_akt"]["petab"] = str(tmp_path / "problem.yaml")
    assert "which is outside its folder" in refusal(smoke)
    smoke["problems"]["egf_akt"]["tables_elsewhere"] = True
    assert f"{source}/model.xml" in Plan(smoke, manifest, places=(root,)).problems["egf_akt"]["files"]


def test_given_starts_are_checked_before_anything_starts(smoke, manifest, root, tmp_path, refusal):
    rows = (root / "resources/models/egf_akt/parameters.tsv").read_text().splitlines()
    names = [row.split("\t")[0] for row in rows[1:]]
    starts = tmp_path / "starts.tsv"
    del smoke["problems"]["egf_akt"]["artificial"]
    smoke["fits"]["start_from"] = str(starts)
    assert f"problems.egf_akt.fits.start_from = '{starts}': neither" in refusal(smoke)
    starts.write_text("\t".join(names) + "\n" + "\t".join(["1"] * len(names)) + "\n")
    plan = Plan(smoke, manifest, places=(root,))
    assert plan.problems["egf_akt"]["fits"]["start_from"] == str(starts) and str(starts) in plan.own_files
    starts.write_text("\t".join(names) + "\n" + "\t".join(["1"] * (len(names) - 1) + ["-1"]) + "\n")
    assert f"starts.tsv: row 2, column '{names[-1]}': -1 is below the lower bound" in refusal(smoke)
    starts.write_text("k_turnovr\n1\n")
    said = refusal(smoke)
    assert "problems.egf_akt.fits.start_from" in said and "no column 'k_turnover'" in said and "k_turnovr" in said
    smoke["pathvars"] = {"results": str(tmp_path)}
    assert "this run writes into" in refusal(smoke)


def test_starts_of_a_problem_in_the_mirror_are_checked_too(smoke, manifest, root, tmp_path, refusal):
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
    assert "no column 'k_turnover'" in refusal(smoke)


def test_a_mirror_that_does_not_exist_is_refused(smoke, refusal):
    assert "mirror = '/nowhere': no such folder" in refusal({**smoke, "mirror": "/nowhere"})


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

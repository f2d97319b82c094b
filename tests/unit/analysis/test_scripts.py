"""The commands of the analysis, run by hand on small files."""

import numpy as np
import pandas as pd
import pytest
from made_results import made_reactions

from kinetrain.data.prior_networks import load_prior
from kinetrain.errors import InputWarning
from kinetrain.files import load_arrays, load_table, save_arrays, save_table
from kinetrain.networks import packed
from kinetrain.networks.controls import CONTROLS
from kinetrain.tables import TABLES, completed, empty, save

GENES = np.array([f"g{index}" for index in range(8)])


@pytest.fixture
def run(run, tmp_path):
    """Run a script, as in all tests of this folder, where small expression and a network lie."""
    values = np.random.default_rng(0).random((3, 4, 8))
    transitions = np.array([(trajectory, step) for trajectory in range(3) for step in range(3)])
    split = np.array(["train", "validation", "test"])[transitions[:, 0]]
    times = np.tile(np.arange(4.0), (3, 1))
    expression = {
        "values": values,
        "times": times,
        "transitions": transitions,
        "split": split,
        "time_unit": np.array("h"),
        "time_scale": np.array(1.0),
    }
    save_arrays(tmp_path / "expression.npz", genes=GENES, **expression)
    (tmp_path / "edges.tsv").write_text("regulator\ttarget\tsign\n" + "".join(f"g0\tg{i}\t-1\n" for i in range(1, 8)))
    return run


def test_tables_of_two_words_are_named_with_a_hyphen_for_a_figure_as_the_rules_do(run, tmp_path):
    for name, table in zip(("reactions", "reaction_path"), made_reactions(), strict=True):
        save(name, table, tmp_path / f"{name}.tsv")
    tables = ["--reactions", "reactions.tsv", "--reaction-path", "reaction_path.tsv"]
    done = run("draw_figure", "reaction_pruning", *tables, "--table", "table.tsv", "--output", "figure.svg")
    assert done.returncode == 0 and (tmp_path / "figure.svg").is_file(), done.stderr


def test_prior_gold_standard_and_controls_follow_each_other(run, tmp_path):
    prior = ["--genes", "expression.npz", "--edges", "edges.tsv", "--corruption", "0.3", "--seed", "3"]
    assert run("build_prior", *prior, "--output", "prior.npz").returncode == 0
    arrays = load_arrays(tmp_path / "prior.npz")
    stored = load_prior(tmp_path / "prior.npz", GENES)
    assert stored["prior"].nnz == 7
    assert np.array_equal(stored["coregulation"].diagonal(), (stored["prior"] != 0).sum(axis=0))
    assert (
        run("build_gold", "--genes", "expression.npz", "--edges", "edges.tsv", "--output", "truth.tsv").returncode == 0
    )
    controls = ["--expression", "expression.npz", "--prior", "prior.npz", "--truth", "truth.tsv", "--dataset", "d"]
    controls += ["--noise", "0.025", "--prior-corruption", "0.3", "--seeds", "3", "--output", "controls.tsv"]
    assert run("score_controls", *controls).returncode == 0
    rows = load_table(tmp_path / "controls.tsv").set_index("method")
    assert list(rows.index) == list(CONTROLS)
    assert 0.5 < rows.loc["prior alone", "balanced_accuracy"] < 1
    assert rows.loc["regulators x targets", "balanced_accuracy"] == 1
    assert rows.loc["persistence", "test_mse"] > 0
    save_arrays(tmp_path / "prior.npz", **{**arrays, "genes": GENES[::-1]})
    done = run("score_controls", *controls)
    assert done.returncode == 2 and "prior.npz: its genes, or their order" in done.stderr


def test_the_networks_of_a_training_are_scored_with_and_without_a_gold_standard(run, tmp_path):
    random = np.random.default_rng(1)
    layers = {"w1": random.normal(size=(2, 3, 8)), "w2": random.normal(size=(2, 8, 3))}
    chains, seeds = np.array([["w1", "w2"]]), np.array([3, 5])
    save_arrays(tmp_path / "model.npz", genes=GENES, seeds=seeds, chains=chains, **layers)
    arrays = {"epochs": np.array([2, 4]), **packed.as_arrays([packed.pack(dict.fromkeys(layers, np.ones(24)))] * 4)}
    arrays |= dict.fromkeys(["sparsity", "mask_sparsity", "validation_mse"], np.full((2, 2), 0.25))
    save_arrays(tmp_path / "path.npz", genes=GENES, seeds=seeds, **arrays)
    names = "dataset\tmethod\tnoise\tprior_corruption\tseed\ttest_mse\tepochs\tcpu_seconds\tstatus\n"
    rows = [f"d\tdash\t0.1\t0.05\t{seed}\t0.2\t7\t1.5\tfinished\n" for seed in seeds]
    (tmp_path / "runs.tsv").write_text(names + "".join(rows))
    run("build_prior", "--genes", "expression.npz", "--edges", "edges.tsv", "--seed", "3", "--output", "prior.npz")
    arguments = ["--model", "model.npz", "--runs", "runs.tsv", "--path", "path.npz", "--output", "scores.tsv"]
    arguments += ["--prior", "prior.npz", "prior.npz", "--path-scores", "path.tsv", "--effects", "effects.tsv"]
    arguments += ["--coregulation", "coregulation.tsv"]
    assert run("score_network", *arguments, "--truth", "edges.tsv").stderr == ""
    scores, path = load_table(tmp_path / "scores.tsv"), load_table(tmp_path / "path.tsv")
    assert scores["true_positive_rate"].tolist() == [1, 1] and scores["seed"].tolist() == [3, 5]
    assert path[["seed", "epoch", "edges"]].to_numpy().tolist() == [[3, 2, 64], [3, 4, 64], [5, 2, 64], [5, 4, 64]]
    assert set(load_table(tmp_path / "effects.tsv")["method"]) == {"truth", "dash"}
    assert set(load_table(tmp_path / "coregulation.tsv")["method"]) == {"prior", "dash"}
    assert run("score_network", *arguments).returncode == 0
    assert load_table(tmp_path / "scores.tsv")["balanced_accuracy"].isna().all()
    done = run("score_network", *arguments, "--prior", "prior.npz")
    assert done.returncode == 2 and "model.npz: 2 seeds for 1 --prior files; give one per seed" in done.stderr


def test_a_prior_naming_unknown_genes_stops_with_one_line(run, tmp_path):
    (tmp_path / "edges.tsv").write_text("regulator\ttarget\ng0\tg1\ng0\tYAL001C\n")
    done = run("build_prior", "--genes", "expression.npz", "--edges", "edges.tsv", "--output", "prior.npz")
    assert done.returncode == 2
    assert done.stderr.startswith("error: edges.tsv: 1 genes are not in the expression data: YAL001C")
    assert not (tmp_path / "prior.npz").exists()


def test_interactions_of_proteins_may_be_an_edge_list_or_a_matrix_of_either_orientation(run, tmp_path):
    (tmp_path / "ppi.tsv").write_text("source\ttarget\tscore\ng0\tg1\t0.9\ng2\tg1\t0.3\n")
    (tmp_path / "ppi.csv").write_text("x,g1,g2,g3\ng0,0.9,0,0\ng2,0.3,0,0\n")
    prior = ["build_prior", "--genes", "expression.npz", "--edges", "edges.tsv", "--output", "prior.npz"]
    for interactions in (["--coregulation-edges", "ppi.tsv"], ["--coregulation", "ppi.csv"]):
        assert run(*prior, *interactions).returncode == 0
        binary = load_prior(tmp_path / "prior.npz", GENES)["coregulation"].toarray()
        assert np.argwhere(binary).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 2]]


def test_the_rows_of_a_matrix_are_said_to_the_commands(run, tmp_path):
    (tmp_path / "matrix.csv").write_text("TF,g0,g1\ng0,0,1\ng1,0,0\n")
    for command, output in (("build_gold", "truth.tsv"), ("build_prior", "prior.npz")):
        words = [command, "--genes", "expression.npz", "--matrix", "matrix.csv", "--output", output]
        done = run(*words)
        assert done.returncode == 2 and "do not tell which of them are regulators" in done.stderr
        assert run(*words, "--rows", "regulators").returncode == 0
    assert load_table(tmp_path / "truth.tsv")[["regulator", "target"]].to_numpy().tolist() == [["g0", "g1"]]


def test_gene_sets_without_overlap_name_both_sides(run, tmp_path):
    (tmp_path / "influence.tsv").write_text("seed\tgene\tinfluence\ttargets\n0\tg0\t1.0\t1\n0\tg1\t2.0\t1\n")
    (tmp_path / "human.gmt").write_text("Cell cycle\tx\tTP53\tMYC\n")
    arguments = ["--influence", "influence.tsv", "--gene-sets", "human.gmt", "--dataset", "d", "--method", "dash"]
    done = run("test_pathways", *arguments, "--output", "pathways.tsv")
    assert done.returncode == 2
    assert "human.gmt" in done.stderr and "TP53" in done.stderr and "g0" in done.stderr


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('{"permutation": 10}', "unknown key 'permutation'"),
        ('{"permutations": "many"}', "settings.permutations = 'many': 'many' is not of type 'integer'"),
        ('{"permutations": 0}', "settings.permutations = 0: 0 is less than the minimum of 1"),
    ],
)
def test_wrong_settings_of_the_test_name_the_key(run, tmp_path, settings, message):
    (tmp_path / "influence.tsv").write_text("seed\tgene\tinfluence\ttargets\n0\tg0\t1.0\t1\n")
    (tmp_path / "sets.gmt").write_text("a\tx\tg0\n")
    arguments = ["--influence", "influence.tsv", "--gene-sets", "sets.gmt", "--dataset", "d", "--method", "dash"]
    done = run("test_pathways", *arguments, "--settings", settings, "--output", "pathways.tsv")
    assert done.returncode == 2 and message in done.stderr


def test_the_parts_of_a_table_are_collected_and_whole_numbers_stay_whole(run, tmp_path):
    names = "\t".join(TABLES["tuning"].names()) + "\n"
    (tmp_path / "a.tsv").write_text(f"{names}d\tdash\t0.1\t0\t{{}}\t1\t0.5\t0.9\t1.5\tfinished\tTrue\n")
    (tmp_path / "b.tsv").write_text(f"{names}d\tdash\t0.1\t0\t{{}}\t2\tinf\t0.9\t1.5\tfinished\tTrue\n")
    (tmp_path / "empty.tsv").write_text(names)
    assert run("collect", "tuning", "--output", "all.tsv", "--parts", "a.tsv", "b.tsv", "empty.tsv").returncode == 0
    assert (tmp_path / "all.tsv").read_text().splitlines()[1:] == [
        "d\tdash\t0.1\t0\t{}\t1\t0.5\t0.9\t1.5\tfinished\tTrue",
        "d\tdash\t0.1\t0\t{}\t2\tinf\t0.9\t1.5\tfinished\tTrue",
    ]


def test_fits_that_are_the_same_stand_in_the_table_once(run, tmp_path):
    columns = TABLES["traces"].names()
    for name, optimizer in (("batch4", "sgd"), ("batchfull", "sgd"), ("fides", "fides")):
        rows = [["p", optimizer, "S3", 3, "rescue", 0, start, *[1] * (len(columns) - 7)] for start in (0, 1)]
        text = "\n".join("\t".join(map(str, row)) for row in [columns, *rows])
        (tmp_path / f"{name}.tsv").write_text(text + "\n")
    with pytest.warns(InputWarning, match=r"traces: p has 3 conditions.*they stand in the table once"):
        run("collect", "traces", "--output", "all.tsv", "--parts", "batch4.tsv", "batchfull.tsv", "fides.tsv")
    table = pd.read_csv(tmp_path / "all.tsv", sep="\t")
    assert list(table["optimizer"]) == ["sgd", "sgd", "fides", "fides"]


def test_a_column_that_no_table_declares_is_refused(run, tmp_path):
    (tmp_path / "a.tsv").write_text("\t".join([*TABLES["tuning"].names(), "own"]) + "\n" + "1\t" * 8 + "1\n")
    done = run("collect", "tuning", "--output", "all.tsv", "--parts", "a.tsv")
    assert done.returncode == 2 and "has own, which kinetrain/tables does not declare" in done.stderr
    assert "a.tsv: no column 'problem'" in run("collect", "fits", "--output", "all.tsv", "--parts", "a.tsv").stderr


def test_a_table_becomes_a_page_with_its_failed_rows_marked(run, tmp_path):
    (tmp_path / "fits.tsv").write_text("start\tobjective\tstatus\n0\t-1.5\tfinished\n1\tinf\tfailed\n")
    assert run("show_tables", "fits.tsv", "--output", "fits.html").returncode == 0
    assert (tmp_path / "fits.html").read_text().count('class="bad"') == 1


def test_findings_of_empty_tables_are_written(run, tmp_path):
    save_table(empty("fits"), tmp_path / "fits.tsv")
    done = run("findings", "--fits", "fits.tsv", "--output", "findings.tsv", "--page", "findings.html")
    assert done.returncode == 0
    assert "no rows" in (tmp_path / "findings.html").read_text()


def test_a_figure_is_drawn_from_its_table_in_three_formats(run, tmp_path):
    tables = write_fits(tmp_path)
    outputs = [f"figure.{suffix}" for suffix in ("svg", "pdf", "png")]
    done = run("draw_figure", "final_objective", *tables, "--table", "table.tsv", "--output", *outputs)
    assert done.stderr == "" and not load_table(tmp_path / "table.tsv").empty
    assert all((tmp_path / name).stat().st_size > 1000 for name in outputs)


def write_fits(folder) -> list[str]:
    """Write the result tables of two starts of Fides, the second of which failed, and return their flags."""
    names = "problem\toptimizer\tschedule\tbatch_size\tsafeguard\treplicate\tstart\tobjective\tcost"
    more = "\tcpu_seconds\tconditions\tmeasurements\tparameters\tgradient_solves\tvalue_solves\tstatus\tepochs\n"
    run = "P\tfides\t-\t6\t-\t0\t"
    ends = f"{run}0\t-1.5\t60\t1\t6\t50\t3\t12\t0\tfinished\t10\n{run}1\tinf\t6\t1\t6\t50\t3\t2\t0\tfailed\t10\n"
    (folder / "fits.tsv").write_text(names + more + ends)
    (folder / "traces.tsv").write_text(f"{names}\n{run}0\t3.5\t0\n{run}0\t-1.5\t30\n")
    names = "problem\treplicate\tobjective_nominal\treference\tdata\n"
    (folder / "nominal.tsv").write_text(f"{names}P\t0\t-2.0\t-2.0\tmeasured\n")
    for name in ("fits", "traces", "nominal"):
        save_table(completed(name, load_table(folder / f"{name}.tsv")), folder / f"{name}.tsv")
    return ["--fits", "fits.tsv", "--traces", "traces.tsv", "--nominal", "nominal.tsv"]


def test_fits_are_scored_compared_and_published_claims_get_our_values(run, tmp_path, root):
    tables = write_fits(tmp_path)
    outputs = ["--scores", "scores.tsv", "--pairs", "pairs.tsv", "--with-ours", "claims.tsv"]
    claims = ["--claims", str(root / "resources/published/mechanistic_claims.tsv")]
    assert run("score_fits", *tables, *claims, *outputs).stderr == ""
    row = load_table(tmp_path / "scores.tsv").squeeze()
    assert (row["failures"], row["successes_10"], row["cost_to_10"]) == (1, 1, 6.0)
    assert load_table(tmp_path / "pairs.tsv").empty
    assert set(load_table(tmp_path / "claims.tsv")["ours"]) >= {"not run", "not found", "2"}
    done = run("findings", *tables, "--pairs", "pairs.tsv", "--output", "findings.tsv", "--page", "findings.html")
    assert done.stderr == ""
    assert "Failed runs" in set(load_table(tmp_path / "findings.tsv")["topic"])


def test_published_values_without_their_columns_are_refused(run, tmp_path):
    save_table(empty("networks"), tmp_path / "networks.tsv")
    (tmp_path / "published.tsv").write_text("dataset\tnoise\tmethod\tvalue\n")
    tables = ["--networks", "networks.tsv", "--published", "published.tsv"]
    done = run("draw_figure", "sparsity_against_accuracy", *tables, "--table", "table.tsv", "--output", "figure.svg")
    assert done.returncode == 2 and "published.tsv: no column 'quantity'" in done.stderr


def test_a_figure_without_the_table_it_needs_is_refused(run):
    done = run("draw_figure", "pathways", "--table", "table.tsv", "--output", "figure.svg")
    assert done.returncode == 2 and "the figure pathways needs --pathways" in done.stderr


def test_without_a_prior_nothing_is_known_before_and_nothing_claims_to_be(run, tmp_path):
    genes = ["--genes", "expression.npz", "--output", "prior.npz"]
    assert run("build_prior", *genes).returncode == 0
    assert not any(matrix.nnz for matrix in load_prior(tmp_path / "prior.npz", GENES).values())
    assert "go with a prior" in run("build_prior", *genes, "--corruption", "0.1").stderr
    controls = ["--expression", "expression.npz", "--prior", "prior.npz", "--dataset", "d", "--noise", "0"]
    controls += ["--prior-corruption", "0", "--seeds", "3", "--output", "controls.tsv"]
    assert run("score_controls", *controls).returncode == 0
    assert list(load_table(tmp_path / "controls.tsv")["method"]) == ["persistence"]


def test_genes_outside_the_data_are_left_out_of_that_network_alone_that_says_so(run, tmp_path):
    (tmp_path / "edges.tsv").write_text("regulator\ttarget\ng0\tg1\ng0\tother\n")
    (tmp_path / "interactions.tsv").write_text("name\tg0\tother\ng0\t1\t0\nother\t0\t1\n")
    command = ["--genes", "expression.npz", "--edges", "edges.tsv", "--coregulation", "interactions.tsv"]
    command += ["--output", "prior.npz"]
    assert "edges.tsv: 1 genes are not in" in run("build_prior", *command, "--coregulation-restrict").stderr
    assert "interactions.tsv: 1 genes are not in" in run("build_prior", *command, "--restrict").stderr
    assert run("build_prior", *command, "--restrict", "--coregulation-restrict").returncode == 0


def test_a_run_of_one_arm_is_held_against_the_paper_of_that_arm_alone(run, root, tmp_path):
    published = str(root / "resources/published/figures.tsv")
    done = run("show_paper_figures", published, "--made", "best_starts", "--title", "T", "--output", "page.html")
    assert done.returncode == 0
    written = (tmp_path / "page.html").read_text()
    assert "Stapor" in written and "Hossain" not in written

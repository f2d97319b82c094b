"""What the tables of pruned reactions say: findings and the figure."""

import numpy as np
import pytest
from made_results import made_reactions

from kinetrain.evaluation.findings import findings
from kinetrain.evaluation.reaction_findings import TOPIC
from kinetrain.figures import reaction_pruning


def said(runs):
    table = findings(reactions=runs)
    assert set(table["topic"]) <= {TOPIC}
    return table.set_index("subject")


def test_the_prior_helps_where_it_is_right_and_harms_where_it_is_moved():
    table = said(made_reactions(("P", "Q"))[0])
    by_level = {
        f"{moved} % of the prior moved": verdict for moved, verdict in ((0, "yes"), (50, "undecided"), (100, "no"))
    }
    assert {level: set(table.loc[level, "verdict"]) for level in by_level} == {k: {v} for k, v in by_level.items()}
    assert table.loc["0 % of the prior moved", "value"].tolist()[0] == pytest.approx(0.1)
    assert "above 0 on 2 of 2 networks" in table.loc["0 % of the prior moved", "statement"].tolist()[0]


def test_few_runs_decide_nothing_and_failed_ones_are_counted():
    runs = made_reactions(("P",))[0]
    assert set(said(runs)["verdict"]) == {"undecided"}
    runs.loc[0, ["status", "balanced_accuracy", "auprc"]] = "failed", np.nan, np.nan
    failed = said(runs).loc["all problems"]
    assert failed["verdict"] == "no" and failed["statement"].startswith(f"1 of {len(runs)} runs failed")


def test_means_are_those_of_the_runs_whose_difference_is_told():
    runs, _ = made_reactions(problems=("a", "b"))
    table = said(
        runs.drop(runs.index[(runs["method"] == "random") & (runs["problem"] == "a")]).assign(
            balanced_accuracy=lambda rows: rows["balanced_accuracy"].mask(rows["problem"] == "a", 0.1)
        )
    )
    row = table[table["statement"].str.contains("balanced accuracy") & table["statement"].str.contains("at random")]
    assert "balanced accuracy of the reactions is 0.705, at random 0.705; difference 0 " in row["statement"].item()


def test_the_figure_has_the_path_at_the_middle_corruption_and_lines_for_methods_without_prior():
    table = reaction_pruning.tabulate(*made_reactions(("P", "Q")))
    path = table[table["part"] == "path"]
    assert set(path["prior_corruption"].dropna()) == {0.5} and set(path["event"]) == {0, 1, 2}
    change = path[(path["quantity"] == "held_out_change") & (path["method"] == "both")]
    assert change["mean"].tolist() == [0, 1, 2] and (change["runs"] == 8).all()
    kept = table[(table["part"] == "chosen") & (table["quantity"] == "auprc")].set_index("method")
    assert kept.loc["magnitude", "mean"] == pytest.approx(0.705) and np.isnan(kept.loc["magnitude", "prior_corruption"])
    assert kept.loc["both", "mean"].tolist() == pytest.approx([0.805, 0.705, 0.605])
    figure = reaction_pruning.draw(table)
    assert len(figure.axes) == 6 and len(figure.legends[0].get_texts()) == 5

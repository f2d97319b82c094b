"""The figure of predicted trajectories shows few of many, and says what it leaves out."""

import pandas as pd
import pytest
from made_results import made_trajectories

from kinetrain.figures import trajectories


def test_trajectories_show_measured_predicted_and_persistence_and_count_models_without_an_end():
    table = trajectories.tabulate(made_trajectories(["d"], "dash", "unpruned"))
    figure = trajectories.draw(table)
    assert [axis.get_ylabel() for axis in figure.axes[::2]] == [
        "Expression\ntrajectory 4 (test)",
        "Expression\ntrajectory 7",
    ]
    assert figure.axes[2].get_xlabel() == "Time (h)"
    axis = figure.axes[0]
    assert axis.get_title(loc="right") == "Unpruned: 2 of 3 models\nDASH: 2 of 3 models"
    *predicted, persistence, held_out, trained = axis.lines
    assert [line.get_ydata().tolist() for line in predicted] == [pytest.approx([0, 1 / 3, 2 / 3])] * 2
    assert persistence.get_ydata()[0] == 0 and held_out.get_ydata().tolist() == [0, 1] and not len(trained.get_ydata())
    assert len(figure.axes[2].lines[-1].get_ydata()) == 1 and axis.get_ylim()[1] == 2  # the band reaches 6


def test_of_many_data_sets_levels_and_methods_few_trajectories_are_shown():
    names = ["unpruned", "dash", "bioprune", "sparseflow", "pinn", "pinn_mp", "random", "l0"]
    table = made_trajectories([f"d{number}" for number in range(5)], *names)
    noisy = [table, table.assign(noise=0.1), table.assign(prior_corruption=0.2), table.assign(prior_corruption=0.0)]
    shown = trajectories.tabulate(pd.concat(noisy))
    assert set(shown["method"]) == {"unpruned", "sparseflow", "pinn_mp", "bioprune", "dash"}
    assert (
        shown[["dataset", "noise", "prior_corruption", "trajectory"]].drop_duplicates()["trajectory"].tolist()
        == [4] * 5
    )
    few = trajectories.tabulate(made_trajectories(["d"], *names[:6]))
    assert few["method"].nunique() == 6 and few["trajectory"].nunique() == 2

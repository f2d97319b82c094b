"""A vector field among the fit problems is planned as all problems, without what only PEtab problems have."""

import pytest
import yaml
from configuration import Plan


@pytest.fixture(scope="module")
def crossed(root) -> dict:
    return yaml.safe_load((root / "config" / "crossed-neural.yaml").read_text())


def test_its_data_set_is_made_but_not_trained_on(crossed, manifest, root):
    plan = Plan(crossed, manifest, places=(root,))
    assert not plan.datasets and list(plan.sources) == ["modular80"]
    assert plan.problems["phoenix80"]["neural"] == {"dataset": "modular80", "noise": 0.025, "noise_seed": 0}
    assert len(plan.fit_labels("phoenix80")) == 5 * 3 * 3 + 2
    assert plan.neural_settings("phoenix80")["hidden"] == 10
    assert set(plan.full_batch_settings("phoenix80")) == {"restarts", "epochs", "seed"}


def test_nothing_is_planned_that_only_petab_problems_have(crossed, snakemake, tmp_path):
    process = snakemake(tmp_path, crossed, "--dry-run")
    assert process.returncode == 0, process.stderr
    planned = process.stdout + process.stderr
    assert planned.count("rule fit_neural_mini_batch:") == 46 and "rule simulate_expression:" in planned
    for rule in ("evaluate_nominal", "compile_model", "measure_solver", "estimate_parameters", "train_neural_ode"):
        assert f"rule {rule}:" not in planned
    assert "time_courses" not in planned and "report/nominal.html" not in planned

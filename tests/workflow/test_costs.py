"""What jobs cost is measured, printed before a run, and asked of a cluster; and every job computes on one core."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from configuration import Costs, Download, Plan, Size, Sizes, load_costs, measured_job, save_costs
from configuration.costs import SIZES, line


@pytest.fixture(scope="module")
def plan_of(root, manifest):
    """A function that returns the plan of a configuration, with no file at hand but those of the checkout."""

    def read(name):
        config = yaml.safe_load((root / "config" / f"{name}.yaml").read_text())
        return Plan(config, manifest, places=(Path(), root))

    return read


@pytest.mark.parametrize("points", [[(1, 2.0), (2, 4.0), (4, 8.0)], [(1, 3.0), (2, 4.0), (10, 12.0)]])
def test_the_line_through_measured_jobs_goes_on_beyond_them(points):
    (first, low), (second, high) = points[0], points[-1]
    expected = high + (high - low) / (second - first) * 90
    assert line(points, second + 90) == pytest.approx(expected)


def test_a_rule_whose_cost_does_not_grow_costs_what_was_measured_and_one_never_negative():
    assert line([(1, 5.0), (9, 5.0)], 100) == 5
    assert line([(10, 1.0), (20, 10.0), (30, 40.0)], 0) >= 0


def test_of_a_rule_measured_at_one_size_the_time_grows_with_the_work():
    costs = Costs([{"rule": "a", "work": 2, "cpu_seconds": s, "extent": 2, "memory_mb": 170} for s in (3, 4)])
    assert costs.expect("a", Size(20, 20)) == (40, 170) and costs.expect("a", Size(1, 1))[0] <= 4


def test_noise_among_small_jobs_is_no_growth_and_what_lies_far_beyond_them_is_said():
    costs = Costs([{"rule": "a", "work": w, "cpu_seconds": 4 + w, "extent": w, "memory_mb": 170} for w in (0.1, 0.2)])
    assert costs.expect("a", Size(1000, 1000)) == (4.2, 170) and costs.beyond("a", Size(1000, 1000))
    assert not costs.beyond("a", Size(1, 1)) and not costs.beyond("unknown", Size(1000, 1))


def test_every_rule_runs_here_or_says_what_it_asks_of_a_cluster_and_each_group_has_one_partition(root):
    rules = []
    for file in (root / "workflow" / "rules").glob("*.smk"):
        for block in re.split(r"(?m)^(?= *(?:use )?rule\b)", file.read_text())[1:]:
            assert "localrule: True" in block or "**needs(" in block, f"{file.name}: {block.splitlines()[0]}"
            rules += re.findall(r"\*\*needs\(\"(\w+)\"\)", block)
    profile = yaml.safe_load((root / "profiles" / "slurm" / "config.yaml").read_text())
    assert set(rules) == profile["groups"].keys()
    partitions = {}
    for rule, group in profile["groups"].items():
        partitions.setdefault(group, set()).add(profile["set-resources"].get(rule, {}).get("slurm_partition"))
    assert all(len(names) == 1 for names in partitions.values()), partitions


def test_more_genes_conditions_starts_and_attempts_ask_for_more(root, plan_of):
    costs = Costs([{"rule": "a", "work": w, "cpu_seconds": 600 * w, "extent": w, "memory_mb": 500 * w} for w in (1, 2)])
    small, large = Size(1, 1), Size(10, 10)
    assert costs.memory_mb("a", large, 1) > costs.memory_mb("a", small, 1)
    assert costs.minutes("a", large, 1) > costs.minutes("a", small, 1)
    assert costs.memory_mb("a", small, 3) == 3 * costs.memory_mb("a", small, 1)
    sizes = Sizes(plan_of("paper-neural"), Path("nowhere"))
    training = [sizes.of("train_neural_ode", {"dataset": name}).work for name in ("brca500", "brca11165")]
    assert training[1] > 10 * training[0]
    sizes = Sizes(plan_of("paper-mechanistic"), Path("nowhere"))
    fits = [sizes.of("fit_full_batch", {"problem": name}).extent for name in ("fujita", "fujita1000", "chen")]
    assert fits[0] < fits[1] < fits[2]


def test_yardsticks_that_are_left_out_of_many_genes_cost_nothing(plan_of):
    sizes = Sizes(plan_of("paper-neural"), Path("nowhere"))
    work = {name: sizes.of("score_yardsticks", {"dataset": name}).work for name in ("yeast3551", "brca11165")}
    assert work["brca11165"] < work["yeast3551"]
    levels = {name: sizes.of("score_yardsticks", {"dataset": name}).work for name in ("sim350", "sim350_factors")}
    assert levels["sim350_factors"] == pytest.approx(levels["sim350"] * 2 / 3, rel=0.02)  # without extra trees


def test_states_of_a_penalty_are_paid_in_every_update(plan_of):
    sizes = Sizes(plan_of("paper-neural"), Path("nowhere"))
    pinn, dash = (sizes.of("prune_neural_ode", {"dataset": "sim350", "method": name}).work for name in ("pinn", "dash"))
    published = {"dataset": "sim350_published_pinn", "method": "pinn"}
    assert dash < pinn < sizes.of("prune_neural_ode", published).work / 10


def work_of_fits(root, **fits) -> tuple[float, float]:
    """Return the work of the full-batch and of the mini-batch fit of the smoke configuration with other `fits`."""
    config = yaml.safe_load((root / "config" / "smoke.yaml").read_text())
    config["fits"] |= fits
    sizes = Sizes(Plan(config, {}, places=(Path(), root)), Path("nowhere"))
    names = {"optimizer": "adam_balanced", "schedule": "S3", "batch_size": "2", "safeguard": "rescue"}
    rules = ("fit_full_batch", "fit_mini_batch")
    full, mini = (sizes.of(rule, {"problem": "egf_akt", **names}).work for rule in rules)
    return full, mini


def test_only_with_restarts_a_large_budget_of_searches_is_used_up(root):
    once, restarted = (
        work_of_fits(root, epochs=100_000, full_batch={"restarts": restarts})[0] for restarts in (False, True)
    )
    assert restarted == pytest.approx(100 * once)


def test_many_searches_of_measured_data_are_expected_within_a_factor_of_two(root, plan_of, mirror):
    plan = plan_of("real")
    plan.config["mirror"] = str(mirror)
    size = Sizes(plan, Path("nowhere")).of("fit_full_batch", {"problem": "Fujita_SciSignal2010"})
    seconds, _ = Costs(load_costs(root / "resources" / "costs.tsv")).expect("fit_full_batch", size)
    assert 480 / 2 < seconds < 480 * 2  # ten starts of 60,000 gradients took 480 CPU seconds with AVX-512


def test_a_mini_batch_fit_takes_the_epochs_of_its_schedule(root):
    shorter, all_of_it = (
        work_of_fits(root, epochs=100, schedules={"S2": {"start": 0.3}, "S3": {"start": 0.1, "epochs": epochs}})[1]
        for epochs in (10, None)
    )
    assert all_of_it == pytest.approx(10 * shorter)


def test_held_out_conditions_are_not_fitted(root):
    config = yaml.safe_load((root / "config" / "smoke.yaml").read_text())
    assert Sizes(Plan(config, {}, places=(Path(), root)), Path("nowhere")).conditions("egf_akt") == 4


def test_pruning_and_training_are_one_command_whose_measurements_count_for_both():
    rows = [
        {"rule": rule, "work": work, "cpu_seconds": 10 * work, "extent": work, "memory_mb": 300}
        for rule, work in (("train_neural_ode", 1), ("prune_neural_ode", 3))
    ]
    costs = Costs(rows)
    assert [costs.expect(row["rule"], Size(2, 2)) for row in rows] == [(pytest.approx(20), 300)] * 2


def test_a_fold_trains_every_choice_once_on_all_other_folds(root):
    config = yaml.safe_load((root / "config" / "smoke.yaml").read_text())
    lambdas = {"list": [[0.5, 0.5], [0.5, 0.8], [0.5, 0.95]], "pairs": {"each": [0.05, 0.5]}}
    works = {}
    for name, values in lambdas.items():
        config["tuning"] = {"dash": {"folds": 4, "grid": {"lambdas": values}}}
        sizes = Sizes(Plan(config, {}, places=(Path(), root)), Path("nowhere"))
        one = {"dataset": "modular24", "method": "dash"}
        works[name] = sizes.of("tune_fold", one).work / sizes.of("prune_neural_ode", one).work
    assert works["list"] == pytest.approx(3 * 0.75 / len(config["seeds"]))
    assert works["pairs"] == pytest.approx(4 * 0.75 / len(config["seeds"]))


def test_of_jobs_of_one_size_the_longest_is_kept(tmp_path):
    job = {"rule": "a", "work": 2.0, "extent": 2.0, "memory_mb": 170.0}
    save_costs(tmp_path / "costs.tsv", [job | {"cpu_seconds": seconds} for seconds in (3.0, 110.0, 4.0)])
    assert [row["cpu_seconds"] for row in load_costs(tmp_path / "costs.tsv")] == [110]


def test_files_are_counted_where_they_are_and_estimated_where_they_are_not(plan_of, mirror):
    plan = plan_of("paper-neural")
    guessed = Sizes(plan, Path("nowhere")).genes("brca500")
    plan.config["mirror"] = str(mirror)
    counted = Sizes(plan, Path("nowhere")).genes("brca500")
    assert counted == pytest.approx(500, abs=1) and 250 < guessed < 1000


def test_a_finished_job_tells_what_it_took_and_a_killed_one_does_not(tmp_path):
    log = tmp_path / "job.log"
    assert measured_job(log, "fit", Size(1, 2)) is None
    log.write_text("x: epoch 3\n")
    assert measured_job(log, "fit", Size(1, 2)) is None
    log.write_text("took 1.0 CPU seconds and 5 MB\nx\ntook 12.5 CPU seconds and 340 MB\n")
    expected = {"rule": "fit", "work": 1, "cpu_seconds": 12.5, "extent": 2, "memory_mb": 340}
    assert measured_job(log, "fit", Size(1, 2)) == expected


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ([], "nothing to download"),
        ([4_000_000, 500_000], "2 files to download, 4.5 MB"),
        ([4_000_000, None, None], "3 files to download, 4.0 MB, and 2 of unknown size"),
        ([None], "1 files to download, of unknown size"),
    ],
)
def test_files_of_unknown_size_are_not_taken_for_empty_ones(root, monkeypatch, sizes, said):
    monkeypatch.syspath_prepend(root / "workflow/scripts")
    import plan

    files = {name: Download(str(name), f"{name}.csv", "", size, "", "") for name, size in enumerate(sizes)}
    nowhere = SimpleNamespace(place=lambda path: Path("nowhere") / path)
    assert plan.to_download(SimpleNamespace(downloads=files), nowhere) == said


def test_a_job_that_is_to_run_anew_tells_nothing_of_what_it_takes(root, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(root / "workflow/scripts")
    import plan

    (tmp_path / "log").write_text("took 5.0 CPU seconds and 90 MB\n")
    jobs = [plan.Job("fit_full_batch", {}, Size(9, 1), str(tmp_path / "log"), (), waits) for waits in (False, True)]
    assert [row["cpu_seconds"] for row in plan.measured(jobs)] == [5.0]


def test_the_plan_tells_what_is_done_what_is_to_do_and_what_is_to_download(root, snakemake, smoke, tmp_path):
    smoke["problems"] = {"boehm": {"petab": "Boehm_JProteomeRes2014/Boehm_JProteomeRes2014.yaml"}}
    process = snakemake(tmp_path, smoke, "--", "results/expression/modular24/expression.npz")
    assert process.returncode == 0, process.stdout + process.stderr
    assert "took" in (tmp_path / "results/logs/expression/modular24.log").read_text()
    command = [sys.executable, root / "workflow/scripts/plan.py", "--configfile", tmp_path / "config.yaml"]
    said = subprocess.run([*command, "--directory", tmp_path], capture_output=True, text=True)
    assert said.returncode == 0 and "Building" not in said.stderr, said.stderr
    cells = {line.split()[0]: line.split() for line in said.stdout.splitlines() if line}
    assert cells["simulate_expression"][1:3] == ["1", "0"] and cells["build_prior"][1:3] == ["2", "2"]
    jobs, to_do = map(int, cells["modular24"][1:3])
    assert jobs == to_do + 1 and sum(int(cells[name][1]) for name in ("modular24", "boehm")) < int(cells["all"][2])
    at_hand = any((root / "resources/downloads").rglob("Boehm_JProteomeRes2014.yaml"))  # of an earlier `make real`
    assert f"{'nothing' if at_hand else '7 files'} to download" in said.stdout
    assert "8 trainings in all" in said.stdout


@pytest.mark.parametrize("name", ["paper-neural", "paper-mechanistic"])
def test_a_paper_is_sent_to_a_cluster_in_at_most_200_submissions(root, mirror, name):
    command = [sys.executable, root / "workflow/scripts/plan.py", "--configfile", root / "config" / f"{name}.yaml"]
    said = subprocess.run([*command, "--mirror", mirror], capture_output=True, text=True, cwd=root)
    assert said.returncode == 0, said.stderr
    submissions = int(re.search(r"profiles/slurm: (\d+) submissions", said.stdout)[1])
    assert 10 < submissions <= 200


def test_costs_were_measured_at_three_sizes_and_more_of_every_rule_with_sizes(root):
    measured = load_costs(root / "resources" / "costs.tsv")
    sizes = {rule: {row["work"] for row in measured if row["rule"] == rule} for rule in SIZES}
    assert {rule: works for rule, works in sizes.items() if len(works) < 3} == {}

"""The result tables: key, columns, units and meaning of each, declared once.

Writers (`save`) refuse a table that lacks a declared column or has one that is not declared; `docs/tables.md` is made
from these declarations (`make docs`). A part of a table (the fits of one optimizer, say) has the columns of the whole.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kinetrain.errors import InputError
from kinetrain.files import load_table, save_table
from kinetrain.networks import metrics

FULL_BATCH = "-"  # schedule and safeguard of full-batch optimizers


@dataclass(frozen=True)
class Column:
    """A column: its name (a name that ends in `*` stands for all that begin so), its meaning, and its unit."""

    name: str
    meaning: str
    unit: str = ""

    @property
    def heading(self) -> str:
        """How the column is called where people read it, with its unit."""
        return heading(self.name, self.unit)

    def matches(self, name: str) -> bool:
        """Return whether this column is declared for the name."""
        return name.startswith(self.name[:-1]) if self.name.endswith("*") else name == self.name


WORDS = {"mse": "MSE", "auroc": "AUROC", "auprc": "AUPRC", "cpu": "CPU", "sd": "standard deviation"}
UNITS_IN_NAMES = {"seconds": "time", "mb": ""}  # said by the unit


def heading(name: str, unit: str = "") -> str:
    """Return how a column is called where people read it: `cpu_seconds` in s as `CPU time (s)`."""
    words = [UNITS_IN_NAMES.get(word, word) if unit else word for word in name.split("_")]
    text = " ".join(WORDS.get(word, word) for word in words if word)
    return f"{text} ({unit})" if unit else text


@dataclass(frozen=True)
class Table:
    """A result table.

    key: the columns that identify a row. title: in the report, None where it is not shown. shown: the columns that
    are shown there at first, all where none are named.
    """

    key: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str
    title: str | None = None
    arm: str = ""  # `problems` or `datasets`: the table is shown where the configuration has some
    shown: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """Return the names of the columns that every such table has."""
        return [column.name for column in self.columns if not column.name.endswith("*")]


def columns(text: str) -> tuple[Column, ...]:
    """Return columns from lines `name [unit]: meaning`; a meaning goes on in lines that begin with blanks."""
    found = []
    for line in re.sub(r"\n\s+", " ", text.strip()).splitlines():
        declared = re.fullmatch(r"([\w*]+)(?: \[(.+?)\])?: (.+)", line)
        if declared is None:
            raise ValueError(f"not a column, `name [unit]: meaning`: {line}")
        name, unit, meaning = declared.groups()
        found.append(Column(name, meaning, unit or ""))
    return tuple(found)


FIT_COLUMNS = columns("""
problem: name of the fit problem in the configuration
optimizer: name of the optimizer
schedule: learning-rate schedule; `-` for full-batch optimizers
batch_size [conditions]: size of a mini-batch; all conditions for full-batch optimizers
safeguard: what is done about steps that fail or do not improve; `-` for full-batch optimizers
replicate: number of the data replicate
""")
START = columns("start: number of the starting point")
SPENT = columns("""
gradient_solves: simulations of one condition with gradient
value_solves: simulations of one condition without gradient
cost [forward solves]: both together, a gradient at its measured weight (with the Fisher information at that of both)
cpu_seconds [s]: CPU time spent; of starts that the kernel evaluates together, the share
""")
LEVEL_COLUMNS = columns("""
dataset: name of the data set in the configuration
method: pruning method, yardstick (ordinary network inference), or control predictor
noise: standard deviation of the noise that was added to the expression
prior_corruption: share of the edges of the prior network that were moved, 0 to 1
""")
SEED = columns("seed: seed of the model, its noise and its prior")
# What names a fit (of all its starts), and a method on one data set: the first columns of many tables.
FIT = tuple(column.name for column in FIT_COLUMNS)
LEVEL = tuple(column.name for column in LEVEL_COLUMNS)
METRICS = {name: columns(text) for name, text in metrics.declared().items()}  # of networks against the gold standard
MAIN = ("balanced_accuracy", "auroc", "auprc")  # first among the columns of a model
BASE_STATUS = "finished, or failed (no scores; a failed fit has an infinite objective)"

TABLES = {
    "nominal": Table(
        ("problem", "replicate"),
        columns("""
problem: name of the fit problem in the configuration
replicate: number of the data replicate
objective_nominal: negative log-likelihood at the nominal parameters
reference: its published value, or that of the true parameters when artificial data were drawn; empty if unknown
engine: what solved the model: `amici`, or the kinetics kernel and the instructions that it was compiled for
  (`kernel-avx512` and so on); other instructions round differently, so that last digits differ
data: measured or artificial
conditions: conditions with measurements
measurements: data points
parameters: estimated parameters
relative_deviation: of the objective from the reference
"""),
        "Negative log-likelihood at the nominal parameters of each problem, and the reference value where there is "
        "one: a check that models and data are imported correctly.",
        "Objective at the nominal parameters",
        "problems",
    ),
    "fits": Table(
        (*FIT, "start"),
        FIT_COLUMNS
        + START
        + columns("objective: negative log-likelihood over all data at the end of the run; inf where it failed")
        + SPENT
        + columns(f"""
status: {BASE_STATUS}
epochs: passes over all conditions that were made
conditions: conditions of the problem
engine: what solved the model, as in the table of the objective at the nominal parameters
gradient_weight [forward solves]: cost of a gradient of one condition
wall_seconds [s]: time from begin to end; of starts side by side, the share
peak_memory_mb [MB]: largest memory of the process so far
failed_evaluations: evaluations with an infinite value
relaxed_solves: solves that were repeated with looser tolerances
rescues: steps that the rescue interceptor took back
best_objective: lowest objective in the trace
averaged_objective: objective of the mean of the iterates in the last quarter of a mini-batch run's budget
message: why the run ended
"""),
        "One row per fit. Failed fits, those whose last iterate cannot be simulated among them, are highlighted.",
        "Fits of the mechanistic models",
        "problems",
        (
            "problem",
            "optimizer",
            "schedule",
            "batch_size",
            "safeguard",
            "replicate",
            "start",
            "objective",
            "cost",
            "cpu_seconds",
            "status",
        ),
    ),
    "traces": Table(
        (*FIT, "start", "cost"),
        FIT_COLUMNS + START + SPENT + columns("objective: negative log-likelihood over all data at this cost"),
        "The objective of every start at about 20 fixed budgets, evaluated outside the cost.",
    ),
    "estimates": Table(
        ("problem", "replicate", "parameter"),
        columns("""
problem: name of the fit problem in the configuration
replicate: number of the data replicate
parameter: name of the estimated parameter
scale: on which it was estimated: lin, log or log10
estimate: value of the best of all fits, in the unit of the model
low: lower bound of its 95 % interval from the Fisher information, of parameters at no bound, the others held fixed;
  infinite intervals (of logarithms 0 to inf) where the data determine no value, empty where it is not known
high: upper bound
spread_low: lowest value among the good fits, those whose objective lies less than half the 95 % quantile of chi-squared
  above the best, with as many degrees of freedom as parameters
spread_high: highest value among them
at_bound: lower, upper, or no
lower_bound: of the search
upper_bound: of the search
optimizer: of the best fit
start: of the best fit
objective: negative log-likelihood of the best fit
good_fits: number of the good fits
"""),
        "The parameters of the best fit of each problem. Their interval is a quadratic approximation at this fit: it "
        "says nothing of other optima, for which see the spread over the good fits, which a single one cannot show. "
        "`estimates/PROBLEM/REPLICATE/petab/` holds the PEtab problem with these values, `pypesto.hdf5` beside it all "
        "fits for pyPESTO.",
        "Fitted parameters",
        "problems",
        (
            "problem",
            "replicate",
            "parameter",
            "scale",
            "estimate",
            "spread_low",
            "spread_high",
            "at_bound",
            "good_fits",
        ),
    ),
    "courses": Table(
        ("problem", "replicate", "panel", "label", "time"),
        columns("""
problem: name of the fit problem in the configuration
replicate: number of the data replicate
panel: of the figure: plotId of PEtab's visualization table, or the observable
title: of the panel
label: of the curve: its legend entry, or the condition
condition: name of the condition
observable: name of the observable
time: in the unit of the problem
measurement: measured value; empty at times between measurements
noise: standard deviation of the measurement that the best fit assumes
noise_scale: on which it is: lin, log or log10
fitted: simulation of the best of all fits; empty where it failed
nominal: simulation at the nominal parameters (of artificial data the truth); empty where there are none
curves: how many curves the panel could have; of these the first 4 stand here, the first 12 of a visualization table
panels: how many panels the problem could have; of these the first 12 stand here
x_label: of the axis, from the visualization table
y_label: the same
x_scale: of the axis, linear or log
y_scale: the same
x_offset: what is added to the time in the figure, from the visualization table
y_offset: what is added to the values
"""),
        "Measured and simulated time courses of the best fit of each problem: those that PEtab's visualization table "
        "asks for, else of each observable in the first conditions.",
    ),
    "scores": Table(
        ("problem", "optimizer", "schedule", "size", "safeguard"),
        columns("""
problem: name of the fit problem
optimizer: name of the optimizer
schedule: learning-rate schedule
size: batch size as text, full where a batch holds all conditions
safeguard: what is done about steps that fail or do not improve
batch_size [conditions]: size of a mini-batch
runs: starts on data replicates
failures: runs that failed
failure_rate: share of the runs that failed
failure_rate_low: lower bound of its 95 % Wilson interval
failure_rate_high: upper bound
median_objective: median of the final objective
best_objective: lowest final objective
excess_median: median of the objective above the best value known
excess_low: lower bound of its 95 % interval, by hierarchical bootstrap over data replicates and starts
excess_high: upper bound
rank: mean rank among all settings of the problem, failed runs tied at the bottom
rank_low: lower bound of its 95 % interval
rank_high: upper bound
blocks: starts on data replicates that were ranked
compared: settings that were ranked
cost_to_* [forward solves]: expected cost to come within a target of the best value known: the cost of all starts, each
  until it gets there or ends, over the number that get there; `quantile` is half the 95 % quantile of chi-squared with
  as many degrees of freedom as estimated parameters. Costs are known to a constant factor, that between two points of a
  trace. With the bounds of the 95 % interval
successes_*: runs that came within the target
excess_at_*: median of the lowest objective in the trace, above the best value known, when so many percent of the budget
  are spent (the metric of Grein et al. 2026, there of best values of a run)
cost [forward solves]: cost of all runs together
cpu_seconds [s]: CPU time of all runs together
"""),
        "One row per problem and setting (optimizer, schedule, batch size, safeguard).",
        "Settings of the fits, scored",
        "problems",
        (
            "problem",
            "optimizer",
            "schedule",
            "size",
            "safeguard",
            "runs",
            "failures",
            "median_objective",
            "best_objective",
            "excess_median",
            "rank",
            "cost_to_quantile",
        ),
    ),
    "pairs": Table(
        ("contrast", "problem"),
        columns("""
contrast: what is compared
problem: name of the fit problem, or all of them
first: first of the two
second: second of the two
blocks: starts on data replicates
combinations: of all other parts of a setting, which are averaged over
difference: mean of log10(F - J_best + 0.001 n), n the number of data points, of the first minus the second
low: lower bound of its 95 % interval, by hierarchical bootstrap over problems, data replicates and starts
high: upper bound
factor: 10 to the power of the difference
wins: share of the blocks at which the first ends lower
failure_rate_first: share of the first's runs that failed
failure_rate_second: share of the second's runs that failed
p_value: two-sided, of the bootstrap; missing with fewer than six blocks
p_holm: the same, corrected by Holm's procedure for the number of contrasts: of those over all problems, or of those of
  single problems
verdict: which of the two ends lower, where the interval leaves out 0 and there are at least six blocks
"""),
        "Registered contrasts: runs from the same start on the same data that differ in one thing only; a failed "
        "run counts as the worst end on the same data. Fewer than six blocks decide nothing, as not even a sign "
        "test of pairs that all agree is then below 0.05. Intervals are not corrected for the number of "
        "contrasts, `p_holm` is. The best mini-batch setting by mean rank over problems (of those that a problem was "
        "run with) is chosen on one half of the starts and compared on the other, both ways.",
        "Settings compared start by start",
        "problems",
        ("contrast", "problem", "first", "second", "blocks", "difference", "factor", "wins", "verdict"),
    ),
    "claims": Table(
        ("subject", "quantity"),
        columns("""
subject: what the claim is about
quantity: what was measured
value: published value; NOT FOUND where it could not be read
source: ABS abstract, INTRO introduction, CAP n caption of figure n, DOC documentation of parPE, 3RD a third party's
  summary of Stapor et al. 2022
ours: our value; `not run` where this configuration holds no counterpart, `not found` where neither side has a value
"""),
        "What could be read of the published results, each with our value. The values of Grein et al. are of "
        "other optimizers and budgets on the same measured data (9 hours on 24 cores per run). Nothing that is NOT "
        "FOUND was filled in.",
        "The numbers of the mini-batch paper and ours",
        "problems",
    ),
    "predictions": Table(
        (*FIT, "set", "condition", "observable"),
        FIT_COLUMNS
        + columns("""
set: train (conditions that were fitted) or test (held-out groups)
group: group of conditions, such as a cell line
condition: name of the condition
observable: name of the observable
time: time of the measurement, in the unit of the problem
measurement: measured value
mean: mean prediction of the ensemble
sd: standard deviation over its members
scale: scale of the noise, lin or log10
noise: standard deviation of the noise
median: median prediction of the ensemble
member*: prediction of a single fit
"""),
        "What the best fits predict, a row per measurement.",
    ),
    "large_scale": Table(
        (*FIT, "set", "predictor", "metric"),
        FIT_COLUMNS
        + columns("""
set: train (conditions that were fitted) or test (held-out groups)
predictor: ensemble of the best fits, or single fits
metric: correlation, rmse (standard deviations of each observable's data), auc or accuracy
value: its value
low: lower bound of its 95 % interval over groups
high: upper bound
members: fits of the ensemble
groups: groups of conditions
measurements: data points
"""),
        "How ensembles of the best fits, and single fits, describe the conditions that they were fitted to and "
        "held-out groups. The threshold that defines a response is that of the training data.",
        "Predictions of ensembles, scored",
        "predictions",
        ("problem", "optimizer", "replicate", "set", "predictor", "metric", "value", "groups"),
    ),
    "networks": Table(
        (*LEVEL, "seed"),
        LEVEL_COLUMNS
        + SEED
        + columns("""
uses_prior: yes, no, or truth (a control that knows part of the gold standard)
sparsity: share of zero weights, where a weight behind a gene with a multiplier of zero or below counts as zero; of a
  yardstick the share of pairs without an edge
""")
        + tuple(one for metric in METRICS.values() for one in metric if one.name in MAIN)
        + columns("""
test_mse: mean squared error on test data without noise
dead_targets: genes that never change in the model (their multiplier is zero) though they change in the data
dead_error_share: their share of the squared errors behind test_mse
epochs: epoch of the lowest validation error
cpu_seconds [s]: CPU time of the training of all seeds together, divided by their number
status: finished, failed (no scores), diverged after some epochs (what it had reached before counts), or left out
reason: why a model failed or diverged, or a yardstick is left out
test_mse_noisy: mean squared error on test data with noise
validation_mse: validation error of the model that is scored
kept_epoch: epoch whose model is scored
stopped_epoch: epoch at which the training ended
rewound_epoch: epoch whose weights a rewinding method went back to
wall_seconds [s]: time of the training of all seeds
peak_memory_mb [MB]: largest memory of the process
pair_solves: transitions solved with their gradient
updates: updates of the weights that were made
learning_rate: highest learning rate of the weights
mask_sparsity: share of pruned weights, whatever the multipliers
multipliers: how they were treated in training (`training.multipliers`)
dead_genes: genes with a multiplier of zero, constant inputs among them
out_degree: mean number of targets of a gene
""")
        + tuple(one for metric in METRICS.values() for one in metric if one.name not in MAIN),
        "One row per trained model, the yardsticks (ordinary network inference on the same data), and the control "
        "predictors.",
        "Recovered networks",
        "datasets",
        (
            "dataset",
            "method",
            "noise",
            "prior_corruption",
            "seed",
            "uses_prior",
            "sparsity",
            "balanced_accuracy",
            "auroc",
            "auprc",
            "test_mse",
            "status",
        ),
    ),
    "path": Table(
        (*LEVEL, "seed", "epoch"),
        LEVEL_COLUMNS
        + SEED
        + columns("""
epoch: epoch of the snapshot
sparsity: share of zero weights
validation_mse: validation error
mask_sparsity: share of pruned weights
edges: predicted edges
""")
        + METRICS["edges"],
        "Every model between its pruning events.",
    ),
    "history": Table(
        (*LEVEL, "seed", "epoch"),
        LEVEL_COLUMNS
        + SEED
        + columns("""
epoch: number of the epoch
train_loss: mean squared error on training data with noise, the mean over the mini-batches of the epoch
validation_mse: the same on validation data, at the end of the epoch
mask_sparsity: share of pruned weights
learning_rate: of the weights
solver_steps: steps of the integrator per transition
"""),
        "The training of every model, epoch by epoch.",
    ),
    "effects": Table(
        (*LEVEL, "seed", "regulator", "target"),
        LEVEL_COLUMNS
        + SEED
        + columns("""
regulator: name of the gene that acts
target: name of the gene that is acted on
effect: effect, scaled to a largest absolute value of 1; the sign for the gold standard (method `truth`)
"""),
        "Single effects of the first model that did not fail, with the gold standard.",
    ),
    "coregulation": Table(
        (*LEVEL, "seed", "regulator", "other"),
        LEVEL_COLUMNS
        + SEED
        + columns("""
regulator: name of a regulator
other: name of another
place: of the regulator in the map
other_place: of the other
value: shared hidden units (in the prior: shared targets), scaled to a largest value of 1
"""),
        "How strongly regulators share hidden units, and targets in the prior (method `prior`).",
    ),
    "consensus": Table(
        (*LEVEL, "regulator", "target"),
        LEVEL_COLUMNS
        + columns("""
regulator: name of the gene that acts
target: name of the gene that is acted on
sign: 1 activates, -1 represses
median_effect: median over the models, scaled to a largest absolute value of 1 in each; a missing edge counts as 0
frequency: share of the models that have the edge
sign_agreement: share of the models with the edge that have this sign
models: models that did not fail
"""),
        "Edges that at least half of the models of a method have, over seeds, the strongest first: for data without a "
        "gold standard. Models that agree may agree on what is wrong. `networks/.../METHOD.graphml` is for Cytoscape.",
        "Networks that seeds agree on",
        "unjudged",
        ("dataset", "method", "regulator", "target", "sign", "median_effect", "frequency", "sign_agreement", "models"),
    ),
    "simulations": Table(
        ("dataset", "factor"),
        columns("""
dataset: name of the data set in the configuration
factor: option of its random network or of its trajectories
value: of the option; the middle of a range, empty where it is drawn
"""),
        "How the random networks were drawn: what may differ between data sets that are compared.",
    ),
    "tuning": Table(
        (*LEVEL, "setting", "fold"),
        LEVEL_COLUMNS
        + columns("""
setting: settings of the method that were tried, as JSON
fold: number of the fold of the cross-validation
validation_mse: error on the trajectories of the fold
sparsity: share of pruned weights of the model that was kept
cpu_seconds [s]: CPU time of the training
status: finished, or failed
chosen: whether the setting was chosen
"""),
        "The settings tried by cross-validation, and the choice.",
    ),
    "pathways": Table(
        (*LEVEL, "pathway"),
        LEVEL_COLUMNS
        + columns("""
pathway: name of the gene set
genes: genes of the set that were measured
score: sum of their influences, averaged over the models of all seeds
fold: effect size of the score: the mean influence of these genes over that of all genes
z: score against permuted influences, in standard deviations
p_value: share of the permutations with at least this score, as in the paper
p_tail: the same, where fewer than 10 permutations reach the score by a saddlepoint approximation of all of them
p_bonferroni: p_tail corrected for all sets by Bonferroni
p_bh: p_tail corrected by Benjamini-Hochberg
top_share: share of the seeds in which the set is among the 20 (a tenth of the sets, where that is fewer) of highest z
gsea_nes: effect size of prerank: normalised enrichment score of the genes ranked by influence
gsea_p_value: one-sided p-value of prerank (gseapy, multilevel splitting); 1 where the least influential are enriched
gsea_p_bonferroni: corrected by Bonferroni
kept: genes of the set that are regulators in more than half of the models
ora_odds: effect size of over-representation: odds ratio of a gene of the set to be such a regulator
ora_p_value: one-sided p-value of over-representation (hypergeometric)
ora_p_bonferroni: corrected by Bonferroni
control_z: z with the labels of the genes permuted: the negative control, in which no set means anything
control_p_tail: p_tail of the control
control_gsea_p_value: that of prerank
control_ora_p_value: that of over-representation
status: finished, or failed where no model was left
"""),
        "One row per gene set, method and data set: the permutation test of the paper, two other tests of the same "
        "sets, and a negative control.",
        "Pathways",
        "datasets",
    ),
    "paper_tables": Table(
        ("table", "condition", "method", "metric"),
        columns("""
table: number of the table in the paper
dataset: name of the data set in the configuration
condition: what the paper calls the data
method: pruning method, yardstick or control predictor; empty in notes on a whole condition
uses_prior: yes, no, or truth (a control that knows part of the gold standard)
metric: what was measured
mean: mean over the models that did not fail
low: lower bound of its 95 % interval
high: upper bound
n: number of these models
published: the number of the paper
published_source: where it stands, and how it was read
verdict: reproduced, not reproduced, not comparable because ..., not run, failed, or - (not in the paper). Reproduced:
  our mean is within 3 percentage points (sparsity, balanced accuracy) or a fifth (all else) of the published number, or
  that is within our interval; of rows without a method: `not run` where this run has no such data, else empty
note: remarks
"""),
        "The tables of Hossain et al. 2024 with the results of this run, the published numbers and a verdict each.",
    ),
    "published": Table(
        ("dataset", "noise", "method", "quantity", "source"),
        columns("""
dataset: name of the data set in the paper
noise: standard deviation of the noise
method: pruning method
quantity: what was measured
value: published value
error: published error
source: where it stands
evidence: how it was read: printed, digitised, leaderboard
"""),
        "Published values of networks (`resources/published/networks.tsv`).",
    ),
    "findings": Table(
        ("topic", "subject", "statement"),
        columns("""
topic: what the statement is about
subject: problem, method or data set
statement: what the tables say
value: the number it rests on
reference: what it is compared with
verdict: yes (what one hopes for), no, undecided (the interval leaves it open), or - (neither)
"""),
        "What the tables say, in sentences.",
    ),
}


def check(name: str, table: pd.DataFrame, path: str | Path) -> None:
    """Raise InputError where `table` lacks a declared column of the result table `name`, or has one that is not."""
    declared = TABLES[name]
    missing = [column for column in declared.names() if column not in table.columns]
    unknown = [column for column in table.columns if not any(one.matches(str(column)) for one in declared.columns)]
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has {', '.join(map(str, unknown))}, which kinetrain/tables.py does not declare"] if unknown else []
        raise InputError(f"{path}: table '{name}' {' and '.join(parts)}")


def save(name: str, table: pd.DataFrame, path: str | Path) -> None:
    """Write (part of) the result table `name` as TSV, in the order of its declaration.

    Raises
    ------
    InputError
        If a declared column is missing or another one is there.
    """
    check(name, table, path)
    order = {column: place for place, column in enumerate(declared_order(name, table.columns))}
    save_table(table[sorted(table.columns, key=order.__getitem__)], path)


def declared_order(name: str, given: Iterable[str]) -> list[str]:
    """Return the `given` names of columns in the order in which the table declares them."""
    ordered = []
    for column in TABLES[name].columns:
        ordered += [one for one in given if column.matches(str(one)) and one not in ordered]
    return ordered


def load(name: str, path: str | Path) -> pd.DataFrame:
    """Return the result table `name` that `path` holds.

    Raises
    ------
    InputError
        If the file is not a table with the declared columns.
    """
    return load_table(path, TABLES[name].names())


def frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as the result table `name`, without what a row does not have.

    Raises
    ------
    InputError
        If a row has a column that the table does not declare.
    """
    table = completed(name, pd.DataFrame(rows))
    check(name, table, name)
    return table[declared_order(name, table.columns)]


def completed(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the declared columns that it lacks, empty: what its rows do not have (say, weights)."""
    return table.reindex(columns=[*table.columns, *(one for one in TABLES[name].names() if one not in table.columns)])


def empty(name: str) -> pd.DataFrame:
    """Return the result table `name` without any rows."""
    return pd.DataFrame(columns=TABLES[name].names())


def describe() -> str:
    """Return the documentation of all result tables as Markdown, the content of docs/tables.md."""
    parts = [
        "# Result tables\n\nMade by `make docs` from `workflow/kinetrain/tables.py`. Files: `results/tables/NAME.tsv`."
    ]
    for name, table in TABLES.items():
        rows = "\n".join(f"| `{one.name}` | {one.unit} | {one.meaning} |" for one in table.columns)
        key = ", ".join(f"`{column}`" for column in table.key)
        parts.append(
            f"## {name}\n\n{table.meaning}\n\nKey: {key}.\n\n| column | unit | meaning |\n| --- | --- | --- |\n{rows}"
        )
    return "\n\n".join(parts) + "\n"

"""The result tables of mechanistic fits: objectives, traces, estimates, scores of settings, predictions."""

from kinetrain.tables.declaration import Table, columns

FULL_BATCH = "-"  # schedule and safeguard of full-batch optimizers
# `decrease_left` at most: what is nearer than that to its minimum has estimates within half a standard error of it
AT_MINIMUM = 0.1

SET = columns("set: train (conditions that were fitted) or test (held-out groups)")
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
# What names a fit, of all its starts: the first columns of many tables.
FIT = tuple(column.name for column in FIT_COLUMNS)
SCORED = ("problem", "optimizer", "schedule", "size", "safeguard")

TABLES = {
    "fits": Table(
        (*FIT, "start"),
        FIT_COLUMNS
        + START
        + columns("""
objective: negative log-likelihood over all data at the end of the run, of neural models without its constant; inf where
  it failed
""")
        + SPENT
        + columns("""
status: finished, or failed (no scores; a failed fit has an infinite objective)
epochs: passes over all conditions that were made
conditions: conditions of the problem
measurements: data points of all conditions
parameters: estimated parameters
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
        "Fits",
        "problems",
        (*FIT, "start", "objective", "cost", "cpu_seconds", "status"),
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
decrease_left: by how much one step more lowers it, the best of several: above 0.1 it is at no minimum, and estimates
  and intervals are not to be used; empty where it is not known
good_fits: number of the good fits
"""),
        "The parameters of the best fit of each problem. Their interval is a quadratic approximation at this fit: it "
        "does not cover other optima, for which see the spread over the good fits, which a single one cannot show. "
        "`estimates/PROBLEM/REPLICATE/petab/` holds the PEtab problem with these values, `pypesto.hdf5` beside it all "
        "fits for pyPESTO.",
        "Fitted parameters",
        "petab",
        (
            "problem",
            "replicate",
            "parameter",
            "scale",
            "estimate",
            "spread_low",
            "spread_high",
            "at_bound",
            "decrease_left",
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
        SCORED,
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
  as many degrees of freedom as estimated parameters, 1.92 that with one, by which Grein et al. 2026 count a search as
  successful. A start costs nothing, and costs are known to a constant factor, that between two points of a trace. With
  the bounds of the 95 % interval
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
            *SCORED,
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
        "petab",
    ),
    "predictions": Table(
        (*FIT, "set", "condition", "observable"),
        FIT_COLUMNS
        + SET
        + columns("""
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
        + SET
        + columns("""
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
        "petab",
    ),
}

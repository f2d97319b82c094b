"""The result tables of findings: statements on all results, and the tables of the papers with published values."""

from kinetrain.tables.declaration import Table, columns

TABLES = {
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
  our mean is within 3 percentage points (sparsity, balanced accuracy), a fifth (all else) or the published error of the
  published number; not comparable also where it is not, but our interval holds the published number, and of fewer than
  three models; of rows without a method: `not run` where this run has no such data, else empty
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
evidence: how it was read: text, leaderboard, digitised (from a figure), log (of a run)
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
verdict: yes (what one hopes for), no, undecided (the interval leaves it open, or seeds or starts are too few), or -
  (neither)
"""),
        "What the tables say, in sentences.",
    ),
}

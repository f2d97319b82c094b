"""The result tables of trained networks: scores, paths, effects, consensus, regulators, tuning, pathways."""

from kinetrain.networks import metrics
from kinetrain.tables.declaration import Table, columns

LEVEL_COLUMNS = columns("""
dataset: name of the data set in the configuration
method: pruning method, yardstick (ordinary network inference), or control predictor
noise: standard deviation of the noise that was added to the expression
prior_corruption: share of the edges of the prior network that were moved, 0 to 1
""")
SEED = columns("seed: seed of the model, its noise and its prior")
EDGE = columns("""
regulator: name of the gene that acts
target: name of the gene that is acted on
""")
# What names a method on one data set: the first columns of many tables.
LEVEL = tuple(column.name for column in LEVEL_COLUMNS)
METRICS = {name: columns(text) for name, text in metrics.declared().items()}  # of networks against the gold standard
MAIN = ("balanced_accuracy", "auroc", "auprc")  # first among the columns of a model

TABLES = {
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
        (*LEVEL, "seed", "uses_prior", "sparsity", *MAIN, "test_mse", "status"),
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
    "trajectories": Table(
        (*LEVEL, "trajectory", "gene", "time"),
        LEVEL_COLUMNS
        + columns("""
trajectory: number of the trajectory, from 0 as in `expression.validation`; those of a file `test` come after them
gene: name of the gene
time: in time_unit
time_unit: unit of time in the data
split: of the transition that ends at this time (train, validation or test); empty for the first time, between measured
  times, and where a transition is left out
measured: expression without added noise, rescaled where `rescale_values` says so; empty between measured times
predicted: median over the models
low: lowest of the models
high: highest of the models
models: models with a finite value; of them median, lowest and highest are
seeds: models that were trained
"""),
        "Measured and predicted expression over time, of the 4 genes that vary most over time in the training data and "
        "the first 2 trajectories that are held out for the test (for validation, where there is no test). A "
        "prediction is a whole trajectory, which begins at the first measured point and sees no later one.",
    ),
    "effects": Table(
        (*LEVEL, "regulator", "target"),
        LEVEL_COLUMNS
        + EDGE
        + columns("""
effect: median over the models of all seeds of the effect, each scaled to a largest absolute value of 1; the sign for
  the gold standard (method `truth`)
models: how many models it is the median of; empty for the gold standard
"""),
        "Single effects, the median over the models that did not fail, with the gold standard.",
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
        + EDGE
        + columns("""
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
    "regulators": Table(
        (*LEVEL, "gene"),
        LEVEL_COLUMNS
        + columns("""
place: place of the gene by its influence, 1 for the highest
gene: name of the gene
influence: mean change of all other genes when the gene alone starts elsewhere, in units of expression, as the mean over
  the models
lowest: influence in the model where it is lowest
highest: in the model where it is highest
top_share: share of the models in which the gene is among the 10 (a tenth of the genes, where that is fewer) of highest
  influence
targets: median number of the genes that it has an effect on
models: models whose simulations did not diverge
"""),
        "The 100 genes that act most on others in the models of a method, over seeds: for data without a gold "
        "standard. How influence is measured is said by `enrichment.influence` of the configuration.",
        "Regulators by influence",
        "unjudged",
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
models: models whose simulations did not diverge; all else is of them
score: sum of their influences, averaged over the models
fold: effect size of the score: the mean influence of these genes over that of all genes
z: score against permuted influences, in standard deviations
p_value: share of the permutations with at least this score, as in the paper
p_tail: the same; where fewer than 10 permutations reach the score, that of all (counted for up to 60 regulators)
p_bonferroni: p_tail corrected for all sets by Bonferroni
p_bh: p_tail corrected by Benjamini-Hochberg
top_share: share of the models in which the set is among the 20 (a tenth of the sets, where that is fewer) of highest z
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
}

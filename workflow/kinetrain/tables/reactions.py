"""The result tables of pruned reactions of over-complete mechanistic models: what is kept, and every event before."""

from kinetrain.tables.declaration import Table, columns

RUN = ("problem", "replicate", "method", "prior_corruption", "start")
NAMED = columns("""
problem: name of the fit problem in the configuration
replicate: number of the data replicate
method: by what reactions are removed, magnitude, prior, both or random; or unpruned
prior_corruption: share of the confidences that were moved to other reactions; empty where no prior is used
start: number of the fit that was pruned
""")
EVENT = columns("""
event: number of pruning events before; 0 is the fit of the whole model
left: reactions that are not pruned
reactions: those of them whose rate is above zero, which are kept
objective: negative log-likelihood over all data, of the fit of what is left
held_out_objective: the same over held-out conditions, which neither fit nor choice saw
bic: Bayesian information criterion; parameters at zero do not count
kept: names of the reactions whose rate is above zero
precision: share of the kept reactions that are true
true_positive_rate: share of the true reactions that are kept
balanced_accuracy: mean of true positive and true negative rate over all reactions that may be pruned
cost [forward solves]: of the fits after all events so far, without the fit before
cpu_seconds [s]: CPU time of their evaluations
""")

TABLES = {
    "reactions": Table(
        RUN,
        NAMED
        + EVENT
        + columns("""
auprc: area under the precision-recall curve of all reactions, ranked by how late they went, then by their score; those
  that never went by their rate
precision_at_edges: precision of this ranking among as many reactions as are true
status: finished, or failed where the fit before had failed, or what was left could not be evaluated
wall_seconds [s]: time from begin to end
peak_memory_mb [MB]: largest memory of the process
"""),
        "Reactions of over-complete models, pruned: one row per fit and method, at the event with the lowest Bayesian "
        "information criterion. The true reactions are known, as the data are artificial; no method sees them.",
        "Pruned reactions",
        "reactions",
        (*RUN, "reactions", "precision", "true_positive_rate", "balanced_accuracy", "auprc", "status"),
    ),
    "reaction_path": Table(
        (*RUN, "event"), NAMED + EVENT, "Every pruning event of reactions, with the fit of what was left after it."
    ),
}

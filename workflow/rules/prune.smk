# Pruned neural models: trained like unpruned ones, with pruning events on the way.
use rule train_neural_ode as prune_neural_ode with:
    wildcard_constraints:
        method=r"(?!unpruned)\w+",
    resources:
        **needs("prune_neural_ode"),

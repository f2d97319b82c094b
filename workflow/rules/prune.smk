# A pruned model is trained like an unpruned one, with pruning events on the way.
use rule train_phoenix as prune_phoenix with:
    wildcard_constraints:
        method=r"(?!unpruned)\w+",

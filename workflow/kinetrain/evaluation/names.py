"""How methods and optimizers are called in figures, tables and statements."""

from kinetrain.yardsticks.known import LABELS

METHODS = {
    "truth": "Gold standard",
    "prior": "Prior",
    "unpruned": "Unpruned",
    "l0": "L0",
    "c_node": "C-NODE",
    "pathreg": "PathReg",
    "pinn": "PINN",
    "dst": "DST",
    "imp": "IMP",
    "synflow": "SynFlow",
    "sparseflow": "SparseFlow",
    "snip": "SNIP",
    "random": "Random pruning",
    "pinn_mp": "PINN + MP",
    "bioprune": "BioPrune",
    "dash": "DASH",
    **LABELS,
    "prior alone": "Prior alone",
    "regulators x targets": "Regulators × targets",
    "regulators x all genes": "Regulators × all genes",
    "all genes x targets": "All genes × targets",
    "persistence": "Persistence",
}
OPTIMIZERS = {
    "adam_balanced": "Adam (balanced)",
    "adam_standard": "Adam (standard)",
    "adam": "Adam",
    "rmsprop": "RMSProp",
    "sgd": "SGD",
    "momentum": "SGD + momentum",
    "momentum_exact": "SGD + momentum (parPE)",
    "fides": "Fides",
    "ipopt": "Ipopt",
    "l_bfgs_b": "L-BFGS-B",
    "fides_hierarchical": "Fides (hierarchical)",
    "ipopt_hierarchical": "Ipopt (hierarchical)",
    "l_bfgs_b_hierarchical": "L-BFGS-B (hierarchical)",
    "adam_then_fides": "Adam, then Fides",
}
NAMES = METHODS | OPTIMIZERS
FULL_BATCH = "-"  # the schedule of an optimizer that has none


def same_data(dataset: str, multipliers: str) -> str | None:
    """Return what data sets have in common that differ in their multipliers: NAME of NAME_living, NAME_slow, ..."""
    return dataset.removesuffix(f"_{multipliers}") if dataset.endswith(f"_{multipliers}") else None


def label(name: str) -> str:
    """Return how a method or optimizer is called; one that is not listed keeps its name, without underscores."""
    return NAMES.get(name, str(name).replace("_", " "))


def in_order(names) -> list[str]:
    """Return distinct names in the order of the lists above, unknown ones last by name."""
    known = list(NAMES)
    return sorted(set(names), key=lambda name: (known.index(name) if name in NAMES else len(known), str(name)))

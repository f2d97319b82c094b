# Inputs of the rules of the neural arm: files and flags of data sets, and all trained models.
MEASURED = [name for name, dataset in PLAN.sources.items() if "expression" in dataset]
PUBLISHED = [name for name, dataset in PLAN.sources.items() if "network" in dataset.get("simulate", {})]
RANDOM = [name for name in PLAN.sources if name not in MEASURED + PUBLISHED]
LEVELS = [
    f"{name}/noise{noise}_corruption{corruption}"
    for name, dataset in PLAN.datasets.items()
    for noise, corruption in dataset["levels"]
]
WITH_YARDSTICKS = [level for level in LEVELS if PLAN.yardsticks(level.split("/")[0])]
PLANNED = {
    f"{name}/noise{noise}_corruption{corruption}/{method}": (name, method)
    for name, dataset in PLAN.datasets.items()
    for noise, corruption in dataset["levels"]
    for method in PLAN.config["methods"]
    if method not in dataset["leave_out"]
}
RUNS = list(PLANNED)
TUNED = [run for run, planned in PLANNED.items() if PLAN.tuning(*planned)]
# Runs on data without a gold standard, whose networks are judged by their agreement over seeds alone.
UNJUDGED = [run for run, (name, _) in PLANNED.items() if not {"simulate", "truth"} & PLAN.datasets[name].keys()]
TESTED = [run for run, planned in PLANNED.items() if PLAN.tests_pathways(*planned)]


def seeds(wildcards):
    """The seeds of a data set as words."""
    return " ".join(map(str, PLAN.datasets[wildcards.dataset]["seeds"]))


def seed_priors(wildcards):
    """The priors of all seeds of a data set."""
    folder = f"<results>/priors/{wildcards.dataset}/corruption{wildcards.corruption}"
    return [f"{folder}/seed{seed}.npz" for seed in PLAN.datasets[wildcards.dataset]["seeds"]]


def tuned_settings(wildcards):
    """The file of settings that were chosen by cross-validation, where a method is tuned."""
    run = f"{wildcards.dataset}/noise{wildcards.noise}_corruption{wildcards.corruption}/{wildcards.method}"
    return f"<results>/tuning/{run}/chosen.json" if run in TUNED else []


def tuning_folds(wildcards):
    """The folds of the cross-validation of a method's settings."""
    run = f"{wildcards.dataset}/noise{wildcards.noise}_corruption{wildcards.corruption}/{wildcards.method}"
    folds = PLAN.tuning(wildcards.dataset, wildcards.method)["folds"]
    return [f"<results>/tuning/{run}/fold{fold}.tsv" for fold in range(folds)]


def expression_files(wildcards):
    """The measured expression of a data set."""
    files = PLAN.sources[wildcards.dataset]["expression"]
    return {role: files[role] for role in ("train", "test", "samples", "genes") if role in files}


def simulation_files(wildcards):
    """The published network of a data set, and its published trajectories."""
    section = PLAN.sources[wildcards.dataset]["simulate"]
    files = {**section, **section["network"]}
    return {role: files[role] for role in ("genes", "edges", "equations", "train", "test") if role in files}


def truth_files(wildcards):
    """The gold standard of a measured data set."""
    return network_files(PLAN.datasets[wildcards.dataset]["truth"])


def gold_standard(wildcards):
    """The gold standard of a data set, which a simulated one always has, as an input file."""
    dataset = PLAN.datasets[wildcards.dataset]
    has_one = "expression" not in dataset or "truth" in dataset
    return {"truth": f"<results>/expression/{wildcards.dataset}/truth.tsv"} if has_one else {}


def prior_files(wildcards):
    """The prior of a data set (a simulated one has its truth for a prior) and its co-regulation network, if any."""
    dataset = PLAN.datasets[wildcards.dataset]
    truth = {"edges": f"<results>/expression/{wildcards.dataset}/truth.tsv"} if "simulate" in dataset else None
    prior, coregulation = dataset.get("prior", truth), dataset.get("coregulation")
    return (network_files(prior) if prior else {}) | (
        network_files(coregulation, "coregulation") if coregulation else {}
    )


def network_files(network, name=None):
    """The files of a network and the flags that they are given by."""
    kind = "edges" if "edges" in network else "matrix"
    flag = kind if name is None else f"{name}_edges" if kind == "edges" else name
    genes = {f"{flag}_genes": network["genes"]} if "genes" in network else {}
    return {flag: network[kind]} | genes


def network_flags(dataset, *roles):
    """How the networks of a data set are to be read."""
    networks = {role: PLAN.datasets[dataset][role] for role in roles if role in PLAN.datasets[dataset]}
    words = []
    for role, network in networks.items():
        flag = "--coregulation-" if role == "coregulation" else "--"
        words += [f" {flag}threshold {network['threshold']}"] + [f" {flag}restrict"] * network["restrict"]
        words += [f" {flag}rows {network['rows']}"] if "rows" in network else []
    return "".join(words)


def gene_sets(wildcards):
    """The gene sets of a data set; a random network has its modules."""
    simulated = f"<results>/expression/{wildcards.dataset}/gene_sets.gmt"
    return PLAN.datasets[wildcards.dataset].get("gene_sets", simulated)

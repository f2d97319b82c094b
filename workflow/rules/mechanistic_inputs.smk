# Inputs of the rules of fit problems: files and flags of problems, and all fits and predictions.
from kinetrain.mechanistic.given_starts import files_of

PETAB = [name for name, problem in PLAN.problems.items() if "petab" in problem]
NEURAL = [name for name in PLAN.problems if name not in PETAB]
ARTIFICIAL = [name for name, problem in PLAN.problems.items() if "artificial" in problem]
MINI_BATCH_FIT = "<results>/fits/{problem}/{replicate}/{optimizer}-{schedule}-batch{batch_size}-{safeguard}"


def own_files(problem):
    """The files of a problem, YAML first; the folder that they are gathered in, if they may lie anywhere."""
    planned = PLAN.problems[problem]
    return f"<results>/gathered/{problem}" if planned["tables_elsewhere"] else planned["files"]


def artificial_or_own(problem, folder):
    """A folder if the data of a problem are artificial, else its own files."""
    return f"<results>/{folder}" if problem in ARTIFICIAL else own_files(problem)


def template_or_files(wildcards):
    """The files that the model is compiled from: a template of artificial data, or the problem's own."""
    return artificial_or_own(wildcards.problem, f"templates/{wildcards.problem}")


def fitted_problem(wildcards):
    """The problem that is fitted: a replicate of artificial data, or the measured data."""
    return artificial_or_own(wildcards.problem, f"problems/{wildcards.problem}/{wildcards.replicate}")


def given_starts(wildcards):
    """The files that the first starts of a problem are read from, if they are not drawn, and that they were checked."""
    given = PLAN.problems[wildcards.problem]["fits"].get("start_from")
    return [*files_of(given), f"<results>/starts/{wildcards.problem}.tsv"] if given else []


def first_replicate(wildcards):
    """The data on which the settings of a problem's solver are measured."""
    return artificial_or_own(wildcards.problem, f"problems/{wildcards.problem}/0")


def petab_yaml(files):
    """The YAML of a problem that is given by its files, YAML first, or by the folder that holds them."""
    path = str(files if isinstance(files, str) else files[0])
    return path if path.endswith((".yaml", ".yml")) else f"{path}/problem.yaml"


def nominal_reference(problem, files):
    """What the nominal objective is compared with: the truth of artificial data, or a published value."""
    if problem in ARTIFICIAL:
        return option("--truth", f"{files}/truth.json")
    return option("--reference", PLAN.problems[problem].get("reference_objective"))


def best_known():
    """The lowest objectives known from the literature."""
    known = {name: problem.get("best_known_objective") for name, problem in PLAN.problems.items()}
    return {name: value for name, value in known.items() if value is not None}


def agreed(definitions):
    """What definitions of the same names ({name: {key: value}} each) have in common."""
    common = {}
    for name, keys in ((name, keys) for one in definitions for name, keys in one.items()):
        common[name] = {key: value for key, value in common.get(name, keys).items() if keys.get(key) == value}
    return common


def fit_options():
    """The lowest objectives known, and the definitions of the names of settings, as flags.

    What problems define differently is left out.
    """
    own = [problem["fits"] for problem in PLAN.problems.values()]
    fit_settings = {key: agreed([fits[key] for fits in own]) for key in ("safeguards", "schedules", "optimizers")}
    return f"{option('--best-known', settings(best_known()))} {option('--fit-settings', settings(fit_settings))}"


def held_out_option(problem, files):
    """The held-out groups of artificial data, as a flag."""
    groups = PLAN.problems[problem].get("artificial", {}).get("groups", {})
    return option("--test", f"{files}/test.yaml" if groups.get("test") else None)


def reaction_fits(wildcards, ending):
    """The file of the fits whose reactions are pruned."""
    begin = PLAN.problems[wildcards.problem]["reactions"]["begin"]
    return f"<results>/fits/{wildcards.problem}/{wildcards.replicate}/{begin}.{ending}"


FITS = [
    f"<results>/fits/{name}/{replicate}/{label}"
    for name, problem in PLAN.problems.items()
    for replicate in problem["replicates"]
    for label in PLAN.fit_labels(name)
]

PREDICTIONS = [
    f"<results>/predictions/{name}/{replicate}/{label}.tsv"
    for name, problem in PLAN.problems.items()
    if "predict" in problem
    for replicate in problem["replicates"]
    for label in PLAN.fit_labels(name)
]

PRUNED_REACTIONS = [
    f"<results>/reactions/{name}/{replicate}/{method}"
    for name, problem in PLAN.problems.items()
    if "reactions" in problem
    for replicate in problem["replicates"]
    for method in problem["reactions"]["methods"]
]

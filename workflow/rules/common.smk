# Shared by all rules: the checked configuration and its plan, inputs and flags of rules, and what is made.
import csv
import json
import os
import shlex
import sys
import warnings
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# Paths are relative to the working directory: an absolute path in a parameter would make every checkout a changed workflow.
WORKFLOW = Path(os.path.relpath(workflow.current_basedir.get_path_or_uri(secret_free=False))).parent
TOP = WORKFLOW.parent
for folder in (WORKFLOW, WORKFLOW / "scripts"):
    sys.path.insert(0, str(folder.absolute()))

import configuration
import download
import environment
import list_packages

from kinetrain import tables
from kinetrain.cache import cache_home, hold_lock, undo_future_dates
from kinetrain.errors import InputError
from kinetrain.evaluation.network_summaries import same_data
from kinetrain.mechanistic.given_starts import files_of
from kinetrain.figures.catalogue import FITS as FIT_SOURCES, find_figures

# Jobs see the pinned packages alone, whatever Python variables the user's shell sets, and read text as UTF-8.
for variable in [name for name in os.environ if name.startswith("PYTHON")]:
    del os.environ[variable]
os.environ.update(PYTHONNOUSERSITE="1", PYTHONUTF8="1")
# They find the programs of this snakemake (python3, uv) whether or not its environment is activated, and a folder for
# caches where no home can be written to.
os.environ.update(
    PATH=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]),
    XDG_CACHE_HOME=str(cache_home()),
)

try:
    for path in [] if workflow.modifier.skip_configfile else workflow.configfiles:
        configuration.read_yaml(path)  # strictly: Snakemake takes the last of two equal keys
    MANIFEST = configuration.load_manifest(TOP / "resources" / "datasets.tsv")
    with warnings.catch_warnings(record=True) as remarks:
        OBJECTIVES = configuration.load_objectives(TOP / "resources" / "published" / "objectives.tsv")
    PLAN = configuration.Plan(config, MANIFEST, places=(Path(), TOP), objectives=OBJECTIVES)
    for remark in remarks:
        logger.warning(str(remark.message))
except InputError as error:
    raise WorkflowError(str(error)) from None

# A wrong or damaged download is found before anything is computed from it.
for wanted in PLAN.downloads.values():
    path = Path(workflow.pathvars.apply(f"{configuration.DOWNLOADS}/{wanted.path}"))
    wrong = path.is_file() and download.defect(path, wanted.checksum, wanted.bytes)
    if wrong:
        raise WorkflowError(f"{path} {wrong}: delete it, and it is fetched again, or put the right file there")


# One image with all environments, for `--sdm apptainer`; without that it is not looked at.
container: str(TOP / "envs" / "kinetrain.sif")


wildcard_constraints:
    problem=r"[A-Za-z]\w*",
    dataset=r"[A-Za-z]\w*",
    method=r"\w+",
    optimizer=r"\w+",
    schedule=r"\w+",
    batch_size=r"\d+|full",
    safeguard=r"\w+",
    fit=r"[\w-]+",
    replicate=r"\d+",
    noise=r"[\d.e-]+",
    corruption=r"[\d.e-]+",
    seed=r"\d+",
    fold=r"\d+",


ENVIRONMENTS = ("mechanistic", "neural", "analysis")


def command(environment_name, script):
    """Shell words that run a script in its software environment, which is made on first use.

    With `--sdm conda` Snakemake has activated `envs/NAME.yaml` already, with `--sdm apptainer` the image of
    `envs/kinetrain.def` holds all environments.
    """
    run = f"python {shlex.quote(f'{WORKFLOW}/scripts/{script}.py')}"
    given = {str(method) for method in workflow.deployment_settings.deployment_method}
    if "conda" in given:
        return run
    if "apptainer" in given:
        return f'PATH="{environment.IN_IMAGE}/{environment_name}/bin:$PATH" {run}'
    pins = TOP / "envs" / f"{environment_name}.txt"
    making = shlex.join(["python3", f"{WORKFLOW}/scripts/environment.py", str(pins), str(environment.home(pins))])
    return f'programs=$({making}) && PATH="$programs:$PATH" {run}'


def conda(environment_name):
    """The same environment for `--sdm conda`."""
    return str((TOP / "envs" / f"{environment_name}.yaml").absolute())


JOB_SIZES = configuration.Sizes(PLAN, Path(workflow.pathvars.apply(configuration.DOWNLOADS)))
COSTS = configuration.Costs(configuration.load_costs(TOP / "resources" / "costs.tsv"))


def needs(rule):
    """Memory and time that a job asks a cluster for, by the size of its input; each attempt asks for more."""

    def minutes(wildcards, attempt):
        return COSTS.minutes(rule, JOB_SIZES.of(rule, wildcards), attempt)

    def memory_mb(wildcards, attempt):
        return COSTS.memory_mb(rule, JOB_SIZES.of(rule, wildcards), attempt)

    return {"runtime": minutes, "mem_mb": memory_mb}


def settings(values):
    """Settings of a script as one JSON object."""
    return json.dumps(values, sort_keys=True)


def download_options(path):
    """Where a file of the manifest comes from and how to know it, as flags."""
    for download in MANIFEST.values():
        if download.path == path:
            words = [option("--url", download.url), option("--checksum", download.checksum)]
            return " ".join([*words, option("--bytes", download.bytes)])
    raise WorkflowError(f"resources/datasets.tsv has no line with the path {path}")


def mirror_option(path):
    """The file in the local mirror, as a flag."""
    mirror = PLAN.config["mirror"]
    return option("--mirror", mirror and f"{mirror}/{path}")


def option(flag, value):
    """A flag with its value, quoted for the shell, or nothing when there is no value."""
    return "" if value is None else f"{flag} {shlex.quote(str(value))}"


def flags(files, paths):
    """Flags for named input files: `matrix_genes` becomes `--matrix-genes PATH`."""
    return " ".join(option(f"--{name.replace('_', '-')}", getattr(paths, name)) for name in files)


def names(items):
    """Regular expression of exactly these names; of nothing when there are none."""
    return "|".join(items) or "(?!)"


# --- the mechanistic arm ---

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
    """The files that the first starts of a problem are read from, if they are not drawn."""
    given = PLAN.problems[wildcards.problem]["fits"].get("start_from")
    return files_of(given) if given else []


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


def fit_options():
    """The lowest objectives known, and the definitions of the names of settings, as flags."""
    meaning = {key: PLAN.config["fits"][key] for key in ("safeguards", "schedules", "optimizers")}
    return f"{option('--best-known', settings(best_known()))} {option('--fit-settings', settings(meaning))}"


def held_out_option(problem, files):
    """The held-out groups of artificial data, as a flag."""
    groups = PLAN.problems[problem].get("artificial", {}).get("groups", {})
    return option("--test", f"{files}/test.yaml" if groups.get("test") else None)


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

# --- the neural arm ---

MEASURED = [name for name, dataset in PLAN.datasets.items() if "expression" in dataset]
PUBLISHED = [name for name, dataset in PLAN.datasets.items() if "network" in dataset.get("simulate", {})]
RANDOM = [name for name in PLAN.datasets if name not in MEASURED + PUBLISHED]
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
    files = PLAN.datasets[wildcards.dataset]["expression"]
    return {role: files[role] for role in ("train", "test", "genes") if role in files}


def simulation_files(wildcards):
    """The published network of a data set, and its published trajectories."""
    section = PLAN.datasets[wildcards.dataset]["simulate"]
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
    genes = {f"{name or kind}_genes": network["genes"]} if "genes" in network else {}
    return {name or kind: network[kind]} | genes


def network_flags(dataset, *roles):
    """How the networks of a data set are to be read."""
    networks = {role: PLAN.datasets[dataset][role] for role in roles if role in PLAN.datasets[dataset]}
    words = []
    for role, network in networks.items():
        flag = "--coregulation-" if role == "coregulation" else "--"
        words += [f" {flag}threshold {network['threshold']}"] + [f" {flag}restrict"] * network["restrict"]
    return "".join(words)


def gene_sets(wildcards):
    """The gene sets of a data set; a random network has its modules."""
    simulated = f"<results>/expression/{wildcards.dataset}/gene_sets.gmt"
    return PLAN.datasets[wildcards.dataset].get("gene_sets", simulated)


# --- what comes out ---

PARTS = {
    "nominal": [
        f"<results>/nominal/{name}/{replicate}.tsv"
        for name, problem in PLAN.problems.items()
        for replicate in problem["replicates"]
    ],
    "fits": [f"{fit}.tsv" for fit in FITS],
    "traces": [f"{fit}.trace.tsv" for fit in FITS],
    "estimates": [
        f"<results>/estimates/{name}/{replicate}.tsv"
        for name, problem in PLAN.problems.items()
        for replicate in problem["replicates"]
    ],
    "courses": [
        f"<results>/estimates/{name}/{replicate}.courses.tsv"
        for name, problem in PLAN.problems.items()
        for replicate in problem["replicates"]
    ],
    "predictions": PREDICTIONS,
    "networks": [f"<results>/networks/{run}.tsv" for run in RUNS]
    + [f"<results>/networks/{level}.yardsticks.tsv" for level in WITH_YARDSTICKS]
    + [f"<results>/networks/{level}.controls.tsv" for level in LEVELS],
    "simulations": [f"<results>/expression/{name}/simulation.tsv" for name in RANDOM],
    "tuning": [f"<results>/tuning/{run}/folds.tsv" for run in TUNED],
    "path": [f"<results>/networks/{run}.path.tsv" for run in RUNS],
    "history": [f"<results>/training/{run}/history.tsv" for run in RUNS],
    "effects": [
        f"<results>/networks/{part}.effects.tsv" for part in RUNS + [f"{level}.yardsticks" for level in WITH_YARDSTICKS]
    ],
    "coregulation": [f"<results>/networks/{run}.coregulation.tsv" for run in RUNS],
    "consensus": [f"<results>/networks/{run}.network.tsv" for run in UNJUDGED],
    "pathways": [f"<results>/enrichment/{run}.tsv" for run in TESTED],
}
FOR_A_FIGURE = {"history", "effects", "coregulation", "simulations"}  # tables that are made for a figure alone
# The data of every data set that may be compared with others for its multipliers.
COMPARED = [same_data(name, dataset["training"]["multipliers"]) for name, dataset in PLAN.datasets.items()]
COMPARED = [name for name in COMPARED if name]
# What this configuration can show: a figure or a table that needs something else is left out.
HAS = {
    *(["problems"] if PLAN.problems else []),
    *(["datasets"] if PLAN.datasets else []),
    *(["predictions"] if PREDICTIONS else []),
    *(["unjudged"] if UNJUDGED else []),
    *(["tuning"] if TUNED else []),
    *(["factors"] if len(RANDOM) > 1 else []),
    *(["multipliers"] if len(COMPARED) > len(set(COMPARED)) else []),
    *(PLAN.varied if PLAN.problems else []),
}
TABLES = {name: table.title for name, table in tables.TABLES.items() if table.title and table.arm in HAS}
FIGURES = {name: file.FIGURE for name, file in find_figures().items() if HAS.issuperset(file.FIGURE.needs)}
FIGURES_OF_PAPERS = "Figures of the papers, and which are made again"
# The tables of the paper for which this configuration has some data set: their number and title.
PUBLISHED_NUMBERS = TOP / "resources" / "published"
with open(PUBLISHED_NUMBERS / "paper_tables.tsv") as layout:
    PAPER_TABLES = {
        row["table"]: f"Table {row['table']}. {row['title']}"
        for row in csv.DictReader(layout, delimiter="\t")
        if row["dataset"] in PLAN.datasets
    }


# The files that are read: downloads by their address, the user's own by their name.
READ = {one.url: f"{configuration.DOWNLOADS}/{one.path}" for one in PLAN.downloads.values()}
READ |= {f"#{os.path.relpath(path, TOP)}": path for path in PLAN.own_files}


def caption(name, text):
    """The file of a caption, for Snakemake's own report."""
    path = Path(".snakemake/captions", f"{name}.rst")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return str(path.absolute())


def source(name):
    """The file of a source of a figure: a result table, or the published values."""
    return str(PUBLISHED_NUMBERS / "networks.tsv") if name == "published" else f"<results>/tables/{name}.tsv"


def report_parts(results):
    """The content of the report: sections of parts with title, file and caption."""
    texts = WORKFLOW / "report"

    def part(title, file, caption, source=None):
        return {"title": title, "file": f"{results}/{file}", "caption": caption, "source": source}

    figures = {}
    for name, figure in FIGURES.items():
        figures.setdefault(figure.section, []).append(part(figure.title, f"figures/{name}.svg", {"figure": name}))
    paper = [
        part(title, f"report/paper_table_{number}.html", {"text": f"{texts}/paper_table.rst"})
        for number, title in PAPER_TABLES.items()
    ]
    comparison = part(FIGURES_OF_PAPERS, "report/paper_figures.html", {"text": f"{texts}/paper_figures.rst"})
    findings = part("Findings", "report/findings.html", {"text": f"{texts}/findings.rst"}, "tables/findings.tsv")
    return {
        "1 Findings": [findings],
        **figures,
        "4 Tables": [
            part(title, f"report/{name}.html", {"table": name}, f"tables/{name}.tsv") for name, title in TABLES.items()
        ],
        "5 The papers": [*paper, comparison],
        "6 Provenance": [part("Provenance", "report/provenance.html", {"text": f"{texts}/provenance.rst"})],
    }

# What a configuration makes: the parts of every table, figures, and the content of the report.
import csv

from kinetrain import tables
from kinetrain.evaluation.network_summaries import same_data
from kinetrain.figures.catalogue import FITS as FIT_SOURCES, find_figures

REPLICATES = [f"{name}/{replicate}" for name in PETAB for replicate in PLAN.problems[name]["replicates"]]
STUDIED = [name for name in RANDOM if name in PLAN.datasets]
PARTS = {
    "nominal": [f"<results>/nominal/{one}.tsv" for one in REPLICATES],
    "fits": [f"{fit}.tsv" for fit in FITS],
    "traces": [f"{fit}.trace.tsv" for fit in FITS],
    "estimates": [f"<results>/estimates/{one}.tsv" for one in REPLICATES],
    "courses": [f"<results>/estimates/{one}.courses.tsv" for one in REPLICATES],
    "predictions": PREDICTIONS,
    "reactions": [f"{run}.tsv" for run in PRUNED_REACTIONS],
    "reaction_path": [f"{run}.path.tsv" for run in PRUNED_REACTIONS],
    "networks": [f"<results>/networks/{run}.tsv" for run in RUNS]
    + [f"<results>/networks/{level}.yardsticks.tsv" for level in WITH_YARDSTICKS]
    + [f"<results>/networks/{level}.controls.tsv" for level in LEVELS],
    "simulations": [f"<results>/expression/{name}/simulation.tsv" for name in STUDIED],
    "tuning": [f"<results>/tuning/{run}/folds.tsv" for run in TUNED],
    "path": [f"<results>/networks/{run}.path.tsv" for run in RUNS],
    "history": [f"<results>/training/{run}/history.tsv" for run in RUNS],
    "trajectories": [f"<results>/training/{run}/trajectories.tsv" for run in RUNS],
    "effects": [
        f"<results>/networks/{part}.effects.tsv" for part in RUNS + [f"{level}.yardsticks" for level in WITH_YARDSTICKS]
    ],
    "coregulation": [f"<results>/networks/{run}.coregulation.tsv" for run in RUNS],
    "consensus": [f"<results>/networks/{run}.network.tsv" for run in UNJUDGED],
    "regulators": [f"<results>/enrichment/{run}.regulators.tsv" for run in UNJUDGED],
    "pathways": [f"<results>/enrichment/{run}.tsv" for run in TESTED],
}
FOR_A_FIGURE = {"history", "effects", "coregulation", "simulations"}  # tables that are made for a figure alone
# The data of every data set that may be compared with others for its multipliers.
COMPARED = [same_data(name, dataset["training"]["multipliers"]) for name, dataset in PLAN.datasets.items()]
COMPARED = [name for name in COMPARED if name]
# What this configuration can show: a figure or a table that needs something else is left out.
HAS = {
    *(["problems"] if PLAN.problems else []),
    *(["petab"] if PETAB else []),
    *(["datasets"] if PLAN.datasets else []),
    *(["predictions"] if PREDICTIONS else []),
    *(["reactions"] if PRUNED_REACTIONS else []),
    *(["unjudged"] if UNJUDGED else []),
    *(["tuning"] if TUNED else []),
    *(["factors"] if len(STUDIED) > 1 else []),
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

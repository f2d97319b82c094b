"""The cost of a job, and its request to a cluster: CPU seconds and memory by the size of its input, as measured."""

import csv
import gzip
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configuration.checks import count_conditions
from configuration.keys import Artificial, Reactions
from configuration.plan import DOWNLOADS, Plan
from kinetrain.neural.options import Tuning
from kinetrain.options import read_options
from kinetrain.pruning.methods import find_method
from kinetrain.yardsticks.methods import find_yardstick

COLUMNS = ("rule", "work", "cpu_seconds", "extent", "memory_mb")
TOOK = re.compile(r"^took ([\d.]+) CPU seconds and (\d+) MB$", re.MULTILINE)  # written by command.py
UNKNOWN = {"cpu_seconds": 60.0, "memory_mb": 1000.0}  # of a rule that was never measured
UNKNOWN_SMALL = {"cpu_seconds": 2.0, "memory_mb": 200.0}  # of one that collects, draws, shows
UNKNOWN_BYTES, UNKNOWN_ROWS = 50_000, 150  # of files that are neither at hand nor in the manifest
BYTES_PER_LINE = 60  # of tables that are not at hand
BYTES_PER_NAME = 8
BYTES_PER_VALUE = 18
LEAST_MINUTES, MORE_MINUTES = 10, 3  # a node may be slower than where costs were measured
MORE_MEMORY, SPARE_MB = 1.3, 200
NOISE = 1.25  # jobs that differ by less do not show how a cost grows
# Rules that hold about a dozen full matrices of all pairs of genes at a time, and MB of these per million pairs: for
# as long as no job was measured that is large enough to show it.
FULL_MATRICES = ("score_network", "score_yardsticks")
MB_PER_PAIRS = 100
# A full-batch search without restarts ends by itself after about as many gradients: of Fujita's measured data 49 to 67
# searches in 60,000.
GRADIENTS_OF_A_SEARCH = 1000
# Sensitivities of a large model take more than its size says, as it has more parameters too: one of 1,001 kB (Chen)
# some 25 times as much per kB as one of 13 kB (Fujita), one of 55 kB (Lucarelli) twice as much.
SMALL_MODEL, GROWS_FROM = 13.0, 30.0  # kB
# What an optimizer computes itself, in the work of solving a model of so many kilobytes under a thousand conditions: a
# full-batch optimizer at every gradient, a mini-batch one at every step, where all starts take theirs at once.
WORK_OF_SEARCHING, WORK_OF_STEPPING = 0.8, 0.015
# States at which the penalty of a method evaluates the field that take as long as the rest of an update: of SIM350 an
# update of PINN takes 1.0 ms with 64 states and 65 ms with 10,000, one of DASH 0.28 ms.
STATES_OF_AN_UPDATE = 40
# All train vector fields: what was measured of one counts for the others.
ALIKE = ("train_neural_ode", "prune_neural_ode", "tune_fold")
BEYOND = 10  # times the largest job that was measured: the line is not to be trusted there


@dataclass(frozen=True)
class Size:
    """The size of a job: its work, which time grows with, and its extent, which memory grows with."""

    work: float
    extent: float


class Sizes:
    """Sizes of jobs, from the configuration and from the files that it names.

    A file that is neither here nor in the mirror is counted by its bytes in the manifest.

    Parameters
    ----------
    plan
        The configuration.
    downloads
        The folder in place of DOWNLOADS.
    """

    def __init__(self, plan: Plan, downloads: Path):
        self.plan, self.downloads = plan, downloads
        self._counted: dict[str, int] = {}

    def of(self, rule: str, wildcards) -> Size | None:
        """Return the size of a job, None of a rule whose jobs are all alike."""
        kind = SIZES.get(rule)
        return kind(self, dict(wildcards.items())) if kind else None

    def place(self, path: str) -> Path:
        """Return where a file of the plan is: downloaded, in the mirror, or the user's own."""
        if not path.startswith(DOWNLOADS):
            return Path(path)
        name = path.removeprefix(f"{DOWNLOADS}/")
        mirror = self.plan.config["mirror"]
        found = self.downloads / name
        return Path(mirror, name) if mirror and not found.is_file() else found

    def bytes(self, path: str) -> int | None:
        """Return the bytes of a file, from the manifest where it is not at hand; None where that does not know them."""
        found = self.place(path)
        if found.is_file():
            return found.stat().st_size
        name = path.removeprefix(f"{DOWNLOADS}/")
        return next((one.bytes for one in self.plan.downloads.values() if one.path == name), None)

    def lines(self, path: str, bytes_per_line: int = BYTES_PER_LINE) -> int:
        """Return the number of lines of a file, estimated where it is not at hand."""
        if path not in self._counted:
            found = self.place(path)
            if found.is_file():
                content = gzip.decompress(found.read_bytes()) if found.suffix == ".gz" else found.read_bytes()
                self._counted[path] = len(content.splitlines())
            else:
                self._counted[path] = max(1, (self.bytes(path) or UNKNOWN_BYTES) // bytes_per_line)
        return self._counted[path]

    def genes(self, dataset: str) -> int:
        """Return the number of genes of a data set."""
        planned = self.plan.sources[dataset]
        files = planned.get("expression") or planned["simulate"].get("network") or {}
        if "genes" in files:
            return self.lines(files["genes"], BYTES_PER_NAME)
        if "train" in files:  # a table with a column per gene
            found = self.place(files["train"])
            if found.is_file() and found.suffix in (".csv", ".tsv", ".txt"):
                with found.open(encoding="utf-8", errors="replace") as file:
                    header = file.readline()
                columns = max(1, *(header.count(separator) for separator in ",;\t"))
                rows = self.lines(files["train"]) - 1 if "samples" in files else 0
                # genes may be in the rows: then the columns are about as many as the samples
                samples = self.lines(files["samples"]) - 1 if rows else 0
                return rows if abs(columns - samples) < abs(rows - samples) else columns
            return max(1, (self.bytes(files["train"]) or UNKNOWN_BYTES) // (UNKNOWN_ROWS * BYTES_PER_VALUE))
        return planned["simulate"]["genes"]

    def rows(self, dataset: str) -> int:
        """Return the number of time points of all trajectories of a data set."""
        planned = self.plan.sources[dataset]
        if "simulate" in planned:
            return planned["simulate"]["trajectories"] * len(planned["simulate"]["times"])
        train = planned["expression"]["train"]
        size = self.bytes(train)
        if size is None:
            return UNKNOWN_ROWS
        values = size * (4 if train.endswith(".gz") else 1) / BYTES_PER_VALUE
        return max(2, round(values / self.genes(dataset)))

    def seeds(self, dataset: str) -> int:
        """Return the number of seeds of a data set."""
        return len(self.plan.datasets[dataset]["seeds"])

    def model(self, problem: str) -> float:
        """Return the size of a mechanistic model: the kilobytes of its SBML."""
        files = [path for path in self.plan.problems[problem]["files"] if path.endswith((".xml", ".sbml"))]
        return sum(self.bytes(path) or UNKNOWN_BYTES for path in files) / 1e3

    def conditions(self, problem: str) -> int:
        """Return the number of conditions that are fitted; where the measurements are not at hand, of those named."""
        planned = self.plan.problems[problem]
        if "artificial" in planned:
            return read_options(Artificial, planned["artificial"]).fitted_conditions()
        yaml = self.place(planned["files"][0])
        if yaml.is_file() and (measured := count_conditions(yaml)):
            return measured
        tables = [path for path in planned["files"] if "condition" in Path(path).name.lower()]
        return max(1, sum(self.lines(path) - 1 for path in tables)) if tables else 1


def _matrix(sizes: Sizes, wildcards: dict) -> Size:
    pairs = sizes.genes(wildcards["dataset"]) ** 2 / 1e6
    return Size(pairs, pairs)


def _matrices(sizes: Sizes, wildcards: dict) -> Size:
    pairs = _matrix(sizes, wildcards).work
    return Size(sizes.seeds(wildcards["dataset"]) * pairs, pairs)


def _expression(sizes: Sizes, wildcards: dict) -> Size:
    values = sizes.genes(wildcards["dataset"]) * sizes.rows(wildcards["dataset"]) / 1e3
    return Size(values, values)


def _regressions(sizes: Sizes, wildcards: dict) -> Size:
    """Return the size of yardsticks: each that does not leave out so many genes takes as long as its MOST_WORK says."""
    dataset = wildcards["dataset"]
    pairs = _matrix(sizes, wildcards).work
    one = 1e6 * pairs * sizes.rows(dataset)
    most = [find_yardstick(name).MOST_WORK for name in sizes.plan.yardsticks(dataset)]
    return Size(1e3 * sizes.seeds(dataset) * sum(one / each for each in most if one <= each), pairs)


def _weights(sizes: Sizes, dataset: str) -> float:
    """Return the weights of a vector field in thousands."""
    hidden = sizes.plan.sources[dataset]["training"]["hidden"]
    return sizes.genes(dataset) * (sum(hidden) if isinstance(hidden, list | tuple) else hidden) / 1e3


def _training(sizes: Sizes, wildcards: dict) -> Size:
    dataset = wildcards["dataset"]
    weights, seeds = _weights(sizes, dataset), sizes.seeds(dataset)
    training = sizes.plan.datasets[dataset]["training"]
    steps = training["epochs"] * training["steps"] * sizes.rows(dataset)
    method = wildcards.get("method", "unpruned")
    settings = sizes.plan.datasets[dataset]["methods"].get(method, {})
    steps *= 1 + read_options(find_method(method), settings).states_of_penalty / STATES_OF_AN_UPDATE
    return Size(seeds * steps * weights / 1e3, seeds * weights + sizes.genes(dataset) ** 2 / 1e3)


def _tuning(sizes: Sizes, wildcards: dict) -> Size:
    """Return the size of a fold: each choice is trained with one seed, on all other folds."""
    tuned = read_options(Tuning, sizes.plan.tuning(wildcards["dataset"], wildcards["method"]))
    one, trained = _training(sizes, wildcards), 1 - 1 / tuned.folds
    return Size(trained * one.work / sizes.seeds(wildcards["dataset"]) * tuned.combinations, one.extent)


def _influence(sizes: Sizes, wildcards: dict) -> Size:
    dataset = wildcards["dataset"]
    vectors = sizes.plan.datasets[dataset]["enrichment"]["influence"]["vectors"]
    weights = _weights(sizes, dataset)
    return Size(vectors * sizes.seeds(dataset) * weights, weights)


def _trajectories(sizes: Sizes, wildcards: dict) -> Size:
    weights = _weights(sizes, wildcards["dataset"])
    return Size(sizes.seeds(wildcards["dataset"]) * weights, weights)


def _pathways(sizes: Sizes, wildcards: dict) -> Size:
    dataset = wildcards["dataset"]
    permutations = sizes.plan.datasets[dataset]["enrichment"]["test"]["permutations"]
    return Size(sizes.seeds(dataset) * permutations * sizes.genes(dataset) / 1e6, sizes.genes(dataset) / 1e3)


def _model(sizes: Sizes, wildcards: dict) -> Size:
    return Size(sizes.model(wildcards["problem"]), sizes.model(wildcards["problem"]))


def _simulation(sizes: Sizes, wildcards: dict) -> Size:
    """Return the size of one simulation of all conditions, its work in that of a small model of so many kB."""
    model = sizes.model(wildcards["problem"])
    solved = sizes.conditions(wildcards["problem"]) * model / 1e3
    return Size(solved * max(1.0, (GROWS_FROM + model) / (GROWS_FROM + SMALL_MODEL)), solved)


def _prediction(sizes: Sizes, wildcards: dict) -> Size:
    """Return the size of the predictions of an ensemble: every member simulates all conditions."""
    one = _simulation(sizes, wildcards)
    return Size(one.work * sizes.plan.problems[wildcards["problem"]]["predict"]["ensemble"], one.extent)


def _ensembles(sizes: Sizes, wildcards: dict) -> Size:
    """Return the size of the metrics of all ensembles: simulations of a condition, in thousands."""
    planned = sizes.plan.problems
    members = {name: one["predict"]["ensemble"] for name, one in planned.items() if "predict" in one}
    runs = {name: len(planned[name]["replicates"]) * len(sizes.plan.fit_labels(name)) for name in members}
    simulated = sum(runs[name] * count * sizes.conditions(name) for name, count in members.items()) / 1e3
    return Size(simulated, simulated)


def _full_batch_fit(sizes: Sizes, wildcards: dict) -> Size:
    fits = sizes.plan.problems[wildcards["problem"]]["fits"]
    gradients = fits["epochs"]
    if not fits["full_batch"]["restarts"]:
        gradients = min(gradients, GRADIENTS_OF_A_SEARCH)
    one = _simulation(sizes, wildcards)
    return Size(fits["starts"] * gradients * (one.work + WORK_OF_SEARCHING), one.extent)


def _mini_batch_fit(sizes: Sizes, wildcards: dict) -> Size:
    names = (wildcards[name] for name in ("problem", "optimizer", "schedule", "batch_size", "safeguard"))
    settings = sizes.plan.mini_batch_settings(*names)
    steps = 1 if settings["batch_size"] == "full" else sizes.conditions(wildcards["problem"]) / settings["batch_size"]
    epochs, one = settings["epochs"], _simulation(sizes, wildcards)
    if settings["optimizer"].get("then"):  # a hybrid goes on to the end of the budget, most of it in full batch
        own = WORK_OF_SEARCHING
    else:
        own = max(1, steps) * WORK_OF_STEPPING
        epochs = min(epochs, settings["schedule"]["epochs"] or epochs)
    starts = sizes.plan.problems[wildcards["problem"]]["fits"]["starts"]
    return Size(starts * epochs * (one.work + own), one.extent)


def _reactions(sizes: Sizes, wildcards: dict) -> Size:
    """Return the size of pruning reactions: a fit after each event, for every corruption of the prior."""
    planned = sizes.plan.problems[wildcards["problem"]]
    pruning, one = read_options(Reactions, planned["reactions"]), _simulation(sizes, wildcards)
    levels = len(pruning.corruptions(wildcards["method"]))
    return Size(one.work * planned["fits"]["starts"] * levels * pruning.events * pruning.epochs, one.extent)


def _neural_fit(sizes: Sizes, wildcards: dict) -> Size:
    planned = sizes.plan.problems[wildcards["problem"]]
    fits, dataset = planned["fits"], planned["neural"]["dataset"]
    weights = _weights(sizes, dataset)
    passes = fits["starts"] * fits["epochs"]
    return Size(passes * sizes.rows(dataset) * weights / 1e3, fits["starts"] * weights)


SIZES: dict[str, Callable[[Sizes, dict], Size]] = {
    "simulate_expression": _expression,
    "simulate_published_network": _expression,
    "prepare_expression": _expression,
    "build_gold_standard": _matrix,
    "build_prior": _matrix,
    "train_neural_ode": _training,
    "prune_neural_ode": _training,
    "tune_fold": _tuning,
    "score_network": _matrices,
    "predict_trajectories": _trajectories,
    "score_controls": _matrices,
    "score_yardsticks": _regressions,
    "measure_influence": _influence,
    "test_pathways": _pathways,
    "write_template": _model,
    "compile_model": _model,
    "draw_artificial_data": _simulation,
    "measure_solver": _simulation,
    "evaluate_nominal": _simulation,
    "fit_full_batch": _full_batch_fit,
    "fit_mini_batch": _mini_batch_fit,
    "prune_reactions": _reactions,
    "fit_neural_full_batch": _neural_fit,
    "fit_neural_mini_batch": _neural_fit,
    "predict_measurements": _prediction,
    "score_ensembles": _ensembles,
    "estimate_parameters": _simulation,
}


class Costs:
    """What jobs are expected to take: lines through the jobs that were measured, one for each rule."""

    def __init__(self, measured: list[dict]):
        self.measured: dict[str, list[dict]] = {}
        for row in measured:
            for rule in ALIKE if row["rule"] in ALIKE else (row["rule"],):
                self.measured.setdefault(rule, []).append(row)

    def expect(self, rule: str, size: Size | None) -> tuple[float, float]:
        """Return the CPU seconds and the memory in MB that a job of this size is expected to take."""
        unknown = {**(UNKNOWN if size else UNKNOWN_SMALL), "work": 0.0, "extent": 0.0}
        rows, size = self.measured.get(rule) or [unknown], size or Size(0, 0)
        seconds = line([(row["work"], row["cpu_seconds"]) for row in rows], size.work)
        largest = max(row["work"] for row in rows)
        if {row["work"] for row in rows} == {largest} and size.work > largest > 0:
            # Of one size no growth is known: time is taken to grow with the work, as a node ends what takes longer.
            seconds = max(row["cpu_seconds"] for row in rows) * size.work / largest
        memory = line([(row["extent"], row["memory_mb"]) for row in rows], size.extent)
        if rule in FULL_MATRICES:
            memory = max(memory, MB_PER_PAIRS * size.extent)
        return seconds, memory

    def beyond(self, rule: str, size: Size | None) -> bool:
        """Return whether a job is much larger than all that were measured of its rule."""
        rows = self.measured.get(rule, [])
        return size is not None and bool(rows) and size.work > BEYOND * max(row["work"] for row in rows)

    def minutes(self, rule: str, size: Size | None, attempt: int) -> int:
        """Return the minutes that a job may ask a cluster for."""
        return attempt * math.ceil(LEAST_MINUTES + MORE_MINUTES * self.expect(rule, size)[0] / 60)

    def memory_mb(self, rule: str, size: Size | None, attempt: int) -> int:
        """Return the memory that a job may ask a cluster for, in MB."""
        return attempt * 100 * math.ceil((MORE_MEMORY * self.expect(rule, size)[1] + SPARE_MB) / 100)


def line(points: list[tuple[float, float]], at: float) -> float:
    """Return the value `at` of the line through points, fitted for the smallest relative error; it never falls.

    The squares of the relative errors are minimised: small jobs count as much as large ones.
    """
    values = [value for _, value in points]
    if max(values) < NOISE * min(values):
        return max(values)
    weights = [1 / max(value, 1e-2) ** 2 for value in values]
    total = sum(weights)
    x = sum(w * p[0] for w, p in zip(weights, points, strict=True)) / total
    y = sum(w * p[1] for w, p in zip(weights, points, strict=True)) / total
    spread = sum(w * (p[0] - x) ** 2 for w, p in zip(weights, points, strict=True))
    slope = sum(w * (p[0] - x) * (p[1] - y) for w, p in zip(weights, points, strict=True)) / spread if spread else 0.0
    if slope <= 0:
        return y
    if y < slope * x:  # a line through zero, as nothing takes less than no time
        slope = sum(w * p[0] * p[1] for w, p in zip(weights, points, strict=True)) / sum(
            w * p[0] ** 2 for w, p in zip(weights, points, strict=True)
        )
        return slope * at
    return y + slope * (at - x)


def cpu_time(seconds: float) -> str:
    """Return CPU seconds in the unit that people would take."""
    return f"{seconds / 3600:.1f} CPU hours" if seconds >= 3600 else f"{max(1, round(seconds / 60))} CPU minutes"


def load_costs(path) -> list[dict]:
    """Return the jobs that were measured, with their sizes as numbers."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [{name: value if name == "rule" else float(value) for name, value in row.items()} for row in rows]


def measured_job(log, rule: str, size: Size | None) -> dict | None:
    """Return what a finished job took, from the last lines of its log, None if it does not say."""
    try:
        took = TOOK.findall(Path(log).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    if not took:
        return None
    size = size or Size(0, 0)
    seconds, memory = took[-1]
    return dict(zip(COLUMNS, (rule, size.work, float(seconds), size.extent, float(memory)), strict=True))


def save_costs(path, rows: list[dict]) -> None:
    """Write the jobs that were measured, of equal ones that which took longest, by rule and work.

    That was the first, where something is compiled once and kept.
    """
    rows = sorted(rows, key=lambda row: row["cpu_seconds"])
    longest = {(row["rule"], row["work"], row["extent"]): row for row in rows}
    lines = ["\t".join(COLUMNS)]
    for _, row in sorted(longest.items()):
        lines.append("\t".join(str(row[name]) if name == "rule" else f"{row[name]:.4g}" for name in COLUMNS))
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")

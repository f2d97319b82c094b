"""All keys of a configuration: their types, defaults, meaning and bounds.

Options that a step of the library takes are declared there. Reading, checks, `config/schema.json` and the tables of
`config/README.md` are made from these classes.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from kinetrain.data.options import Preparation
from kinetrain.enrichment.options import InfluenceOptions, TestOptions
from kinetrain.mechanistic.artificial_options import Artificial, Distribution
from kinetrain.mechanistic.reaction_options import ReactionPruning
from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.neural.options import TrainingOptions, Tuning
from kinetrain.options import ABSENT, LARGEST_SEED, REQUIRED, Each, Known, Name, Options, Text, option
from kinetrain.pruning.events import PruningSchedule
from kinetrain.pruning.methods import find_method, known_methods
from kinetrain.simulation.options import Simulation, stretched_exponents
from kinetrain.training.optimizers import known_runs
from kinetrain.training.options import LearningRates, Optimizer, Restarts, SideBySide, StepControl

File = Annotated[str, Text("file", r"[^\x00-\x1f\x7f]+", "a path without control characters")]
Folder = Annotated[
    str, Text("folder", r"[\w./][\w./+=@-]*", "a path of letters, digits and . / _ + = @ -, without blanks")
]
Methods = Annotated[dict[str, dict], Each("method", known_methods, find_method)]


@dataclass(frozen=True, kw_only=True)
class Pathvars(Options):
    """Snakemake's path variables."""

    results: Folder = option("results", "Folder of everything that a run makes.")
    resources: Folder = option(ABSENT, "Folder of downloads, in place of `resources`.")
    logs: Folder = option(ABSENT, "Folder of logs, in place of `logs` in the results.")


@dataclass(frozen=True, kw_only=True)
class Predict(Options):
    """Predictions of an ensemble."""

    ensemble: int = option(10, "Number of best fits that make up the ensemble.", least=1, most=10**6)


@dataclass(frozen=True, kw_only=True)
class Reactions(ReactionPruning):
    """Reactions of an over-complete model that are pruned."""

    prior: File = option(
        REQUIRED,
        "What is known of the reactions that may be pruned: a table with `parameterId` (the rate of the reaction; its "
        "scale must be lin, its lower bound 0), `reaction` (its name) and `confidence` (0 to 1).",
    )


@dataclass(frozen=True, kw_only=True)
class Neural(Options):
    """A vector field, fitted to a data set without pruning."""

    dataset: Name = option(
        REQUIRED,
        "A data set of `datasets`, whose `training` says which model is fitted (`model`, `hidden`, `multipliers`) and "
        "how it is solved (`integrator`, `steps`, which stay as they are).",
    )
    noise: float = option(
        ABSENT,
        "Standard deviation of the Gaussian noise added to the expression; that of the data set where it has one only.",
        least=0,
        most=10**6,
    )
    noise_seed: int = option(0, "Seed of that noise.", least=0, most=LARGEST_SEED)


@dataclass(frozen=True, kw_only=True)
class Problem(Options):
    """A fit problem: a PEtab problem, or a vector field on expression data."""

    exactly_one: ClassVar[tuple[str, ...]] = ("petab", "neural")

    petab: File = option(ABSENT, "The problem's PEtab YAML, as a name in `resources/datasets.tsv` or a path.")
    neural: Neural = option(
        ABSENT, "A vector field that is fitted to a data set, by the same optimizers, in place of a PEtab problem."
    )
    tables_elsewhere: bool = option(
        False, "Let the YAML name files outside its folder; else it must not, as it may come from somebody else."
    )
    reference_objective: float = option(
        ABSENT,
        "Published negative log-likelihood at the nominal parameters; "
        "where none is given, that of `resources/published/objectives.tsv`.",
    )
    best_known_objective: float = option(
        ABSENT,
        "Lowest negative log-likelihood known from the literature; "
        "where none is given, that of `resources/published/objectives.tsv`.",
    )
    solver: SolverOptions = option(SolverOptions(), "How the ODEs are solved.")
    artificial: Artificial = option(
        ABSENT,
        "Replace the measured data by artificial data for drawn conditions; without it the measured data are fitted.",
    )
    predict: Predict = option(
        ABSENT, "Predict all conditions, and held-out groups, by the mean of the best fits of each optimizer."
    )
    reactions: Reactions = option(
        ABSENT,
        "Prune reactions of an over-complete model, from the ends of its fits. It needs artificial data with held-out "
        "groups: true are the reactions whose nominal rate is above 0.",
    )
    fits: dict = option({}, "Keys of the top-level `fits` that differ for this problem.")
    run: bool = option(True, "`false` leaves the problem out, for instance in an overlay for a small machine.")


@dataclass(frozen=True, kw_only=True)
class Grid(Options):
    """A grid of mini-batch fits: all combinations."""

    optimizers: tuple[Name, ...] = option(REQUIRED, "Rules, or names of `optimizers`.", unique=True, filled=True)
    schedules: tuple[Name, ...] = option(REQUIRED, "Names of `schedules`.", unique=True, filled=True)
    batch_sizes: tuple[int | Literal["full"], ...] = option(
        REQUIRED,
        "Conditions per mini-batch; `full` takes all. A number that is larger than all does too where the data are "
        "measured, with a warning, and is refused where they are drawn.",
        least=1,
        unique=True,
        filled=True,
    )
    safeguards: tuple[Name, ...] = option(("rescue",), "Names of `safeguards`.", unique=True, filled=True)


@dataclass(frozen=True, kw_only=True)
class FullBatch(Restarts):
    """Full-batch fits."""

    optimizers: tuple[Annotated[str, Known("optimizer", known_runs)], ...] = option(
        ("fides",),
        "Optimizers; the hierarchical ones compute scalings, offsets and noise analytically.",
        unique=True,
    )


@dataclass(frozen=True, kw_only=True)
class Fits(SideBySide):
    """How a problem is fitted."""

    starts: int = option(4, "Start points per problem and replicate; the same for all optimizers.", least=1, most=10**5)
    start_from: File = option(
        ABSENT,
        "The first start points, in place of drawn ones: a table with a column for each estimated parameter (named by "
        "its PEtab id, in the unit of the model) and a row per start, or `SETTING.parameters.npz` of a former run, "
        "whose best fits are taken.",
    )
    seed: int = option(0, "Seed of start points and mini-batches.", least=0, most=LARGEST_SEED)
    epochs: int = option(
        30,
        "Budget of every fit in passes over all conditions (gradient solves per condition); the same for all "
        "optimizers.",
        least=2,
        most=10**7,
    )
    schedules: dict[Name, LearningRates] = option({"S3": LearningRates(start=0.1)}, "Learning-rate schedules by name.")
    optimizers: dict[Name, Optimizer] = option(
        {}, "Mini-batch optimizers by a name of your own; update rules need no line here."
    )
    safeguards: dict[Name, StepControl] = option(
        {"rescue": StepControl()}, "What is done about steps that fail or do not improve, by name."
    )
    mini_batch: dict[Name, Grid | None] = option(
        {"main": Grid(optimizers=("adam_balanced",), schedules=("S3",), batch_sizes=(4,))},
        "Grids of mini-batch fits by name: all combinations of each are run, equal ones once; null leaves a grid out.",
    )
    full_batch: FullBatch = option(FullBatch(), "Full-batch optimizers.")


@dataclass(frozen=True, kw_only=True)
class Network(Options):
    """A network in a file."""

    exactly_one: ClassVar[tuple[str, ...]] = ("edges", "matrix")

    edges: File = option(
        ABSENT,
        "Edge list with the columns regulator and target and, where known, weight (0 is no edge) and sign; other "
        "programs' names of them are understood (TF, Gene1, source, from, reg; gene, Gene2, to; edge, score, "
        "importance, confidence).",
    )
    matrix: File = option(
        ABSENT,
        "Matrix: numbers alone, row = regulator, column = target, or triplets row, column, value; or with names of "
        "rows and columns, which need not be the same genes.",
    )
    rows: Literal["regulators", "targets"] = option(
        ABSENT,
        "What the rows of the matrix are. Of numbers alone they are regulators unless this says otherwise; with names "
        "they are targets where there are more rows than columns, and else it must be said.",
    )
    genes: File = option(ABSENT, "Gene names of the matrix, when they are not those of the expression data.")
    threshold: float = option(0, "Entries at or below this value (of either sign) are no edges.", least=0)
    restrict: bool = option(False, "Leave out genes that are not in the expression data instead of stopping.")


@dataclass(frozen=True, kw_only=True)
class PublishedNetwork(Options):
    """The files of a published network."""

    genes: File = option(REQUIRED, "Names of its genes; those named `…_input` come first.")
    edges: File = option(REQUIRED, "Its edges: from, to, activation, EC50, n (Hill exponent).")
    equations: File = option(REQUIRED, "Its formulas of AND and OR: node, eqn; effects that are no edges are left out.")
    exponents: tuple[float, float] = stretched_exponents()


@dataclass(frozen=True, kw_only=True)
class Simulate(Simulation):
    """Expression simulated with a gene network, random or published."""

    network: PublishedNetwork = option(ABSENT, "A published network (SIM350, SIM690) in place of a random one.")
    train: File = option(ABSENT, "Published trajectories to train and validate on, in place of simulated ones.")
    test: File = option(ABSENT, "Published trajectories that are held out.")


@dataclass(frozen=True, kw_only=True)
class Expression(Preparation):
    """Measured expression."""

    train: File = option(
        REQUIRED, "Trajectories to train and validate on: a table (CSV, TSV), cells (AnnData, .h5ad), or blocks."
    )
    test: File = option(ABSENT, "Trajectories that are held out.")
    samples: File = option(
        ABSENT,
        "Sheet of samples: a table with their names in its first column, and their times and trajectories. `train` and "
        "`test` are then tables of genes and samples, either of them in the rows, as counts of RNA-seq and the cells "
        "of BEELINE are stored.",
    )
    genes: File = option(
        ABSENT,
        "Gene names, one per line, below a header if there is one. Blocks need them; of tables and cells they may "
        "choose some genes.",
    )


@dataclass(frozen=True, kw_only=True)
class Enrichment(Options):
    """Influence of genes and the pathway test."""

    methods: tuple[Name, ...] | None = option(
        None, "Methods whose models are tested for pathways; null tests all.", unique=True
    )
    influence: InfluenceOptions = option(InfluenceOptions(), "How the influence of a gene is measured.")
    test: TestOptions = option(TestOptions(), "The tests of pathways.")


@dataclass(frozen=True, kw_only=True)
class Dataset(Options):
    """An expression data set."""

    exactly_one: ClassVar[tuple[str, ...]] = ("simulate", "expression")

    simulate: Simulate = option(ABSENT, "Simulate the data with a gene network, random or published.")
    expression: Expression = option(ABSENT, "Read measured data.")
    truth: Network = option(
        ABSENT,
        "Gold standard network; without it networks are not compared with a truth (a simulated data set has its own).",
    )
    prior: Network = option(
        ABSENT, "Prior network, which only methods that use one need (a simulated data set uses the truth)."
    )
    coregulation: Network = option(
        ABSENT,
        "Co-regulation (protein interaction) network; without it common targets of the prior are counted.",
    )
    gene_sets: File = option(ABSENT, "Gene sets (GMT) for the pathway test; a random network brings its modules.")
    noise: tuple[float, ...] = option(
        (0,),
        "Standard deviations of Gaussian noise added to the expression (expression units).",
        least=0,
        most=10**6,
        unique=True,
        filled=True,
    )
    prior_corruption: tuple[float, ...] = option(
        (0,),
        "Fractions of the prior's edges that are moved to random places.",
        least=0,
        most=1,
        unique=True,
        filled=True,
    )
    levels: tuple[tuple[float, float], ...] = option(
        ABSENT,
        "Pairs of noise and corruption of the prior, in place of all pairs of `noise` and `prior_corruption`.",
        least=0,
        most=10**6,
        unique=True,
        filled=True,
    )
    training: dict = option({}, "Keys of the top-level `training` that differ for this data set.")
    pruning: dict = option({}, "Keys of the top-level `pruning` that differ for this data set.")
    enrichment: dict = option({}, "Keys of the top-level `enrichment` that differ for this data set.")
    tuning: dict[Name, Tuning] = option(
        {}, "Methods of the top-level `tuning` that are tuned differently for this data set."
    )
    seeds: tuple[int, ...] = option(
        ABSENT,
        "Seeds for this data set, in place of the top-level ones.",
        least=0,
        most=LARGEST_SEED,
        unique=True,
        filled=True,
    )
    run: bool = option(True, "`false` leaves the data set out, for instance in an overlay for a small machine.")
    leave_out: tuple[Name, ...] = option((), "Methods and yardsticks that are not run on this data set.", unique=True)
    methods: Methods = option({}, "Options of methods that differ for this data set.")


@dataclass(frozen=True, kw_only=True)
class Configuration(Options):
    """What is compared. What concerns the machine (cores, partitions, memory) goes into a profile."""

    pathvars: Pathvars = option(Pathvars(), "Snakemake's path variables.")
    mirror: str | None = option(
        None,
        "Local folder with downloaded files, laid out `<owner>/<repo>/<commit>/<path>`; it is looked into before the "
        "internet.",
    )
    only: tuple[Name, ...] | None = option(
        None,
        "Run these problems and data sets alone, or the arms `mechanistic` and `neural`; on the command line "
        "`--config 'only=[NAME]'`, or `make ONLY=NAME`. Results of the others stay, but tables and report lack them.",
        filled=True,
    )
    problems: dict[Name, Problem] = option(
        {}, "Fit problems by name: of PEtab (the mechanistic arm), and vector fields fitted by the same optimizers."
    )
    fits: Fits = option(Fits(), "How every problem is fitted; a problem's own `fits` overrides single keys.")
    datasets: dict[Name, Dataset] = option({}, "Expression data sets by name (the neural arm).")
    methods: Methods = option(
        {}, "Pruning methods, files of `workflow/kinetrain/pruning/methods/`, with their options."
    )
    seeds: tuple[int, ...] = option(
        (0, 1, 2),
        "Seeds of the neural runs (weights, noise, batches, corruption of the prior); error bars are over them.",
        least=0,
        most=LARGEST_SEED,
        unique=True,
        filled=True,
    )
    training: TrainingOptions = option(
        TrainingOptions(), "How every data set is trained; a data set's own `training` overrides single keys."
    )
    pruning: PruningSchedule = option(
        PruningSchedule(), "Pruning schedule; a data set's own `pruning` overrides single keys."
    )
    tuning: dict[Name, Tuning] = option(
        {},
        "Methods whose options are chosen by cross-validation, data set by data set; a data set's own `tuning` "
        "overrides single methods.",
    )
    enrichment: Enrichment = option(
        Enrichment(), "Influence of genes and the pathway test; a data set's own `enrichment` overrides single keys."
    )


# Classes with a table of their own in the documentation, by its title; the others are written where they are used.
SECTIONS = {
    "Top level": Configuration,
    "problem": Problem,
    "solver": SolverOptions,
    "artificial": Artificial,
    "distribution": Distribution,
    "reactions": Reactions,
    "fits": Fits,
    "optimizer": Optimizer,
    "grid": Grid,
    "full_batch": FullBatch,
    "dataset": Dataset,
    "expression": Expression,
    "network": Network,
    "simulate": Simulate,
    "training": TrainingOptions,
    "pruning": PruningSchedule,
    "tuning": Tuning,
    "enrichment": Enrichment,
}

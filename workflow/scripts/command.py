"""Shared by all commands of this folder: they find the library, report wrong input in one line, end where they hang."""

import faulthandler
import os
import platform
import resource
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinetrain.errors import InputError, InputWarning

CPU = Path("/proc/cpuinfo")
# Where a command that hangs is ended; a cluster ends it earlier, by the time that its rule asked for.
LIMIT_HOURS = {"fit": 100, "fit_neural_ode": 100, "train_neural_ode": 100, "tune": 100}
OTHER_LIMIT_HOURS = 12


def use_common_kernels() -> None:
    """Let OpenBLAS use the same kernels on all x86-64 processors with AVX2, unless the user chose them.

    On processors with AVX-512 it has other kernels, whose sums differ in the last digit, a difference that optimizers
    amplify. OpenBLAS reads the variable when numpy is imported.
    """
    if platform.machine() == "x86_64" and CPU.is_file() and " avx2 " in CPU.read_text():
        os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")


def add_fit_settings(parser) -> None:
    """Add the options with the lowest objectives known, and with the definitions of the names of settings."""
    parser.add_argument("--best-known", default="{}", help="JSON: lowest objective known per problem")
    parser.add_argument(
        "--fit-settings",
        default="{}",
        help="JSON: {safeguards: {name: {rescue, line_search, variant}}, schedules, optimizers}",
    )


def add_problem(parser) -> None:
    """Add the options of a command that solves a PEtab problem."""
    parser.add_argument("--problem", required=True, help="PEtab problem (YAML)")
    parser.add_argument("--model", required=True, help="folder of the compiled model (compile_model.py)")
    parser.add_argument("--solver", help="solver settings chosen by measure_solver.py, for those that are null")


def add_name(parser) -> None:
    """Add the options with the first columns of the tables of a problem."""
    parser.add_argument("--name", required=True, help="name of the problem in the tables")
    parser.add_argument("--replicate", type=int, default=0, help="number of the data replicate")


def read_solver(arguments):
    """Return the options of the solver: as `--settings` says, else as they were chosen by measurement."""
    from kinetrain.mechanistic.solver_options import SolverOptions, merged
    from kinetrain.options import read_options, read_settings

    return merged(read_options(SolverOptions, read_settings(arguments.settings)), arguments.solver)


def add_level(parser) -> None:
    """Add the options that say on which data a network is found."""
    parser.add_argument("--dataset", required=True, help="name of the data set in the tables")
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation of the noise added to expression")
    parser.add_argument("--prior-corruption", type=float, default=0.0, help="fraction of the prior's edges moved, 0..1")


def level_of(arguments) -> dict:
    """Return the first columns of the tables of networks, as far as a command has options for them."""
    from kinetrain.tables import LEVEL

    return {name: getattr(arguments, name) for name in LEVEL if name in arguments}


def add_influence(parser) -> None:
    """Add the arguments that name a table of influence, and the data and the method that it is of."""
    parser.add_argument("--influence", required=True, help="influence.tsv: seed, gene, influence, targets")
    add_level(parser)
    parser.add_argument("--method", required=True, help="name of the method")


def load_influence(arguments):
    """Return the table of influence that `add_influence` names."""
    from kinetrain.files import load_table

    return load_table(arguments.influence, ["seed", "gene", "influence", "targets"], text=["gene"])


def add_arguments_of_fits(parser, optimizers: str) -> None:
    """Add the options of a command that fits a problem; optimizers: in words, those that take the full batch."""
    add_name(parser)
    parser.add_argument(
        "--optimizer",
        required=True,
        help=f"full batch: {optimizers}; mini-batch: its name in the tables, defined by --settings",
    )
    parser.add_argument("--starts", type=int, required=True, help="number of starting points")
    parser.add_argument(
        "--settings",
        required=True,
        help="JSON: epochs (budget in full gradients), seed, and for PEtab problems keys of `solver` "
        "(config/README.md); for mini-batch also optimizer {rule or torch, arguments, then, share}, schedule {name, "
        "start, end, shape}, batch_size (conditions, or full), safeguard {name, rescue, line_search, variant}",
    )
    parser.add_argument("--checkpoint", required=True, help="folder for the state of the run; removed at the end")
    parser.add_argument("--output", required=True, help="table of fits to write (TSV), one row per start")
    parser.add_argument("--trace", required=True, help="table of the objective during the fits to write (TSV)")
    parser.add_argument("--parameters", required=True, help="parameters that the fits ended with, to write (NPZ)")


def save_fits(arguments, fits, trace, parameters) -> None:
    """Write what a command that fits a problem has found, and remove its checkpoint."""
    import shutil

    from kinetrain import tables
    from kinetrain.files import save_arrays

    tables.save("traces", trace, arguments.trace)
    save_arrays(arguments.parameters, **parameters)
    tables.save("fits", fits, arguments.output)
    shutil.rmtree(arguments.checkpoint, ignore_errors=True)


def parse_data_of_networks(parser):
    """Return the arguments of a command that scores networks: its own, the level of a data set, and its files."""
    parser.add_argument("--expression", required=True, help="expression.npz with its splits")
    parser.add_argument("--prior", required=True, nargs="+", help="prior.npz, one per seed and in their order")
    parser.add_argument("--truth", help="truth.tsv: regulator, target (default: no gold standard, no accuracy)")
    add_level(parser)
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds of noise and priors")
    arguments = parser.parse_args()
    if len(arguments.prior) != len(arguments.seeds):
        parser.error(f"{len(arguments.prior)} --prior files for {len(arguments.seeds)} --seeds; give one per seed")
    return arguments


def read_data_of_networks(arguments):
    """Return level (a dict of columns), expression, priors and truth (None if not given) that the arguments name."""
    from kinetrain.data.expression import load_expression
    from kinetrain.data.networks import read_signs
    from kinetrain.data.prior_networks import Presences

    expression = load_expression(arguments.expression)
    priors = Presences(arguments.prior, expression.genes)
    truth = read_signs(arguments.truth, expression.genes) != 0 if arguments.truth else None
    return level_of(arguments), expression, priors, truth


def run(main) -> None:
    """Call `main`; wrong input ends the process with status 2 and one `error:` line that names the file and the key.

    An InputWarning is a `warning:` line. Any other exception is a defect of ours and keeps its traceback.
    """
    use_common_kernels()
    limit_time()
    usual = warnings.formatwarning
    warnings.formatwarning = lambda message, kind, *place: (
        f"warning: {message}\n" if issubclass(kind, InputWarning) else usual(message, kind, *place)
    )
    try:
        main()
    except (InputError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print_costs()


def limit_time() -> None:
    """End this process, with a traceback of where it was, after the hours of its kind or $KINETRAIN_LIMIT_HOURS.

    Also where it hangs in compiled code, which no signal handler of Python's would interrupt.
    """
    usual = LIMIT_HOURS.get(Path(sys.argv[0]).stem, OTHER_LIMIT_HOURS)
    hours = float(os.environ.get("KINETRAIN_LIMIT_HOURS") or usual)
    faulthandler.dump_traceback_later(hours * 3600, exit=True, file=sys.__stderr__)


def print_costs() -> None:
    """Print what this process and its children took; from this line of their logs `make plan` knows what jobs cost."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(one.ru_utime + one.ru_stime for one in used)
    memory_mb = max(one.ru_maxrss for one in used) / 1024
    print(f"took {seconds:.1f} CPU seconds and {memory_mb:.0f} MB")

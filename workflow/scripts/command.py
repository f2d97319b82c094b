"""Shared by all commands of this folder: they find the library, and report wrong input in one line."""

import os
import platform
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinetrain.errors import InputError, InputWarning

CPU = Path("/proc/cpuinfo")


def use_common_kernels() -> None:
    """Let OpenBLAS use the same kernels on all x86-64 processors with AVX2, unless the user chose them.

    On processors with AVX-512 it has other kernels, whose sums differ in the last digit, a difference that optimizers
    amplify. OpenBLAS reads the variable when numpy is imported.
    """
    if platform.machine() == "x86_64" and CPU.is_file() and " avx2 " in CPU.read_text():
        os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")


def add_meaning_of_fits(parser) -> None:
    """Add the options with the lowest objectives known, and with the definitions of the names of settings."""
    parser.add_argument("--best-known", default="{}", help="JSON: lowest objective known per problem")
    parser.add_argument(
        "--fit-settings",
        default="{}",
        help="JSON: {safeguards: {name: {rescue, line_search, variant}}, schedules, optimizers}",
    )


def parse_data_of_networks(parser):
    """Return the arguments of a command that scores networks: its own, the level of a data set, and its files."""
    parser.add_argument("--expression", required=True, help="expression.npz with its splits")
    parser.add_argument("--prior", required=True, nargs="+", help="prior.npz, one per seed and in their order")
    parser.add_argument("--truth", help="truth.tsv: regulator, target (default: no gold standard, no accuracy)")
    parser.add_argument("--dataset", required=True, help="name of the data set")
    parser.add_argument(
        "--noise", type=float, required=True, help="standard deviation of the noise added to expression"
    )
    parser.add_argument(
        "--prior-corruption", type=float, required=True, help="fraction of the prior's edges moved, 0..1"
    )
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds of noise and priors")
    arguments = parser.parse_args()
    if len(arguments.prior) != len(arguments.seeds):
        parser.error(f"{len(arguments.prior)} --prior files for {len(arguments.seeds)} --seeds; give one per seed")
    return arguments


def read_data_of_networks(arguments):
    """Return level (a dict of columns), expression, priors and truth (None if not given) that the arguments name."""
    from kinetrain.data.expression import load_expression
    from kinetrain.data.networks import read_edges
    from kinetrain.data.prior_networks import load_presence

    level = {name: getattr(arguments, name) for name in ("dataset", "noise", "prior_corruption")}
    expression = load_expression(arguments.expression)
    priors = [load_presence(path, expression.genes) for path in arguments.prior]
    truth = read_edges(arguments.truth, expression.genes)[0] if arguments.truth else None
    return level, expression, priors, truth


def run(main) -> None:
    """Call `main`; wrong input ends the process with status 2 and one `error:` line that names the file and the key.

    An InputWarning is a `warning:` line. Any other exception is a defect of ours and keeps its traceback.
    """
    use_common_kernels()
    usual = warnings.formatwarning
    warnings.formatwarning = lambda message, kind, *place: (
        f"warning: {message}\n" if issubclass(kind, InputWarning) else usual(message, kind, *place)
    )
    try:
        main()
    except (InputError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)

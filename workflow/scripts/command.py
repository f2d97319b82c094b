"""What all commands of this folder share: they find the library beside them, and tell wrong input in one line."""

import os
import platform
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinetrain.errors import InputError, InputWarning

CPU = Path("/proc/cpuinfo")


def use_common_kernels() -> None:
    """Let OpenBLAS compute alike on all x86-64 processors with AVX2, unless the user chose its kernels.

    It takes other kernels for those with AVX-512, whose sums differ in the last digit; optimizers make more of it. It
    reads the variable when numpy is imported.
    """
    if platform.machine() == "x86_64" and CPU.is_file() and " avx2 " in CPU.read_text():
        os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")


def add_meaning_of_fits(parser) -> None:
    """Add the options that say what is known of the problems that were fitted, and what names of settings mean."""
    parser.add_argument("--best-known", default="{}", help="JSON: lowest objective known per problem")
    parser.add_argument(
        "--fit-settings",
        default="{}",
        help="JSON: {safeguards: {name: {rescue, line_search, form}}, schedules, optimizers}",
    )


def run(main) -> None:
    """Call `main`; wrong input ends the process with status 2 and one `error:` line that names the file and the key.

    What was understood in a way that the user should know of is a `warning:` line. Any other exception is a defect of
    ours and keeps its traceback.
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

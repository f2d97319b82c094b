"""What all commands of this folder share: they find the library beside them, and tell wrong input in one line."""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinetrain.errors import InputError, InputWarning


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
    usual = warnings.formatwarning
    warnings.formatwarning = lambda message, kind, *place: (
        f"warning: {message}\n" if issubclass(kind, InputWarning) else usual(message, kind, *place)
    )
    try:
        main()
    except (InputError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)

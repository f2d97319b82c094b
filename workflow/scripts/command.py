"""What all commands of this folder share: they find the library beside them, and tell wrong input in one line."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinetrain.errors import InputError


def run(main) -> None:
    """Call `main`; wrong input ends the process with status 2 and one `error:` line that names the file and the key.

    Any other exception is a defect of ours and keeps its traceback.
    """
    try:
        main()
    except (InputError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)

"""How wrong input is told to the user: one line that names the file and the key, and no traceback."""

import sys


class InputError(ValueError):
    """Something the user gave (a file, a key, a value) is wrong; the message says what and what would be right."""


def run(main):
    """Call `main` and end the process: status 0, or 2 with one `error:` line when the input was wrong.

    Any other exception is a defect of ours and keeps its traceback.
    """
    try:
        main()
    except (InputError, FileNotFoundError) as error:
        sys.exit(_tell(error))


def _tell(error) -> int:
    print(f"error: {error}", file=sys.stderr)
    return 2

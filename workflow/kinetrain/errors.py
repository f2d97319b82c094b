"""The exception for wrong input, the warning for input that is read in an unexpected way, and hints at known names."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A file, key or value of the user is wrong; the message says what, where, and what would be right."""


class InputWarning(UserWarning):
    """Input of the user is read in a way that they should check; the message says what and how."""


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """Return a question for the known name that is most like an unknown one, if any is."""
    close = difflib.get_close_matches(str(name), [str(one) for one in known], n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""

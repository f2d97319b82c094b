"""The exception for wrong input, and the warning for input that is read in an unexpected way."""


class InputError(ValueError):
    """A file, key or value of the user is wrong; the message says what, where, and what would be right."""


class InputWarning(UserWarning):
    """Input of the user is read in a way that they should check; the message says what and how."""

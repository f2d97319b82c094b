"""How the library tells that something the user gave is wrong."""


class InputError(ValueError):
    """Something the user gave (a file, a key, a value) is wrong; the message says what and what would be right."""


class InputWarning(UserWarning):
    """Something the user gave was understood, in a way that they should know of; the message says what and how."""

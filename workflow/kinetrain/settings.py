"""Settings of a script: one JSON object, given as text or as the path of a .json file."""

import json
from pathlib import Path

from kinetrain.errors import InputError


def read_settings(text: str) -> dict:
    """Return the settings in `text`, which is JSON or the path of a .json file.

    Raises
    ------
    InputError
        If the file is missing, or the text is not a JSON object.
    """
    origin = "--settings"
    if text.endswith(".json"):
        origin = text
        if not Path(text).is_file():
            raise InputError(f"{text}: no such settings file")
        text = Path(text).read_text()
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{origin}: not valid JSON ({error})") from None
    if not isinstance(settings, dict):
        raise InputError(f"{origin}: expected a JSON object {{...}}, got {type(settings).__name__}")
    return settings

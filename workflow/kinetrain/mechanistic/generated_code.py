"""Checks of the C++ code that AMICI writes for a model, before it is compiled.

AMICI writes ids as macros, such as `#define k1 p[0]`. An id that the code uses for something else does not compile, or
has another value, of which the compiler only warns.
"""

import contextlib
import re
from collections import defaultdict
from pathlib import Path

from amici.exporters.sundials.de_export import DEExporter

from kinetrain.errors import InputError

MACRO = re.compile(r"#define (\w+) (\w+)\[\d+\]")
INCLUDED = re.compile(r'#include "(\w+\.h)"')
BODY = re.compile(r"\)\{$", re.MULTILINE)  # what precedes it is written whatever the model is
LIBRARY = re.compile(r"(?<=::)\w+|\w+(?=::)")
# Ids of all states stand for those that are solved for (`x`) and what follows from conserved sums (`w`) elsewhere, and
# measurements (`my`: m and the id of an observable) have their own functions, which use no other id of the model.
APART = {"x_rdata", "my"}


@contextlib.contextmanager
def checked_code(path):
    """Let AMICI raise InputError before it compiles code in which an id of the problem at `path` means two things."""
    original = DEExporter.compile_model

    def compile_model(exporter):
        check_code(exporter.model_path, path)
        original(exporter)

    DEExporter.compile_model = compile_model
    try:
        yield
    finally:
        DEExporter.compile_model = original


def check_code(folder, path) -> None:
    """Raise InputError if a macro among the files in `folder` has two meanings, or is a word that the code needs."""
    sources = [file.read_text() for file in sorted(Path(folder).glob("*.cpp"))]
    included = {header for source in sources for header in INCLUDED.findall(source)}
    headers = [file for file in sorted(Path(folder).glob("*.h")) if file.name in included]  # others mean nothing
    macros = {file.name: MACRO.findall(file.read_text()) for file in headers}
    meanings = defaultdict(set)
    for name, array in (pair for pairs in macros.values() for pair in pairs):
        meanings[name].add(array)
    words = {name for name, arrays in meanings.items() if len(arrays - APART) > 1}
    # Files are joined for the compiler, so macros reach other files, but those of AMICI's `sx.h`.
    joined = {name for header in macros.keys() - {"sx.h"} for name, _ in macros[header]}
    for head, body in (BODY.split(source, maxsplit=1) for source in sources if BODY.search(source)):
        own = {name for header in INCLUDED.findall(head) for name, _ in macros.get(header, ())}
        words |= (own | joined) & set(re.findall(r"\w+", head))
        words |= own & set(LIBRARY.findall(body))
    if words:
        raise InputError(f"{path}: AMICI needs the id '{min(words)}' itself in the code that it writes; rename it")

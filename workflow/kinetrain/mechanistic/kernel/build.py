"""Kernels compiled on first use, for the instructions of this processor, and kept by content in the user's cache.

A kernel's folder holds its source and what Python needs to know of the model; next to it lies a library for each kind
of processor that asked for one, so that a cache shared by different machines works on all of them.
"""

import ctypes
import hashlib
import json
import shutil
from functools import cache, partial
from pathlib import Path

from kinetrain.cache import cache_folder, cached, is_intact
from kinetrain.compiler import X86, CompilerError, compile_library, kind_of_machine
from kinetrain.mechanistic.kernel.elimination import LARGEST_STRAIGHT

HERE = Path(__file__).parent
SOURCES = ("kernel.cpp", "lanes.hpp", "rodas.hpp")
FLAGS = ("-std=c++17", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wno-psabi")
WIDE = ("-mprefer-vector-width=512",)  # of loops that the compiler vectorizes, where there is AVX-512
LIBRARY = "kernel.so"
SIZES = ("states", "parameters", "constants", "observables", "lanes", "jacobian", "lu", "stages", "record_bytes")


def keep(text: str, facts: dict) -> str:
    """Put the generated C++ of a model, and facts about it, into the cache; return the name of the kernel.

    The name is a digest of all that the library is made of.
    """
    sources = [(HERE / name).read_text() for name in SOURCES]
    name = hashlib.sha256(json.dumps([text, facts, sources, FLAGS, X86, WIDE], sort_keys=True).encode()).hexdigest()[
        :32
    ]

    def write(folder):
        for source in SOURCES:
            shutil.copyfile(HERE / source, folder / source)
        (folder / "model.hpp").write_text(text)
        (folder / "facts.json").write_text(json.dumps(facts))

    cached(_folder(name), write)
    return name


def facts_of(name: str) -> dict | None:
    """Return what was kept about a kernel; None where it is not in the cache, or was damaged since."""
    return json.loads((_folder(name) / "facts.json").read_text()) if is_intact(_folder(name)) else None


def problem_file(content: str) -> Path:
    """Return where arrays of a problem are kept, whose files have this checksum.

    They are made anew where the code that reads problems and makes kernels and arrays is another.
    """
    files = [file for file in sorted(HERE.parent.rglob("*")) if file.suffix in (".py", ".cpp", ".hpp")]
    code = "".join(file.read_text() for file in files)
    name = hashlib.sha256(f"{content}{code}".encode()).hexdigest()[:32]
    return _folder("problems") / name


@cache
def load(name: str, variant: str):
    """Return the library of a kernel, compiled where it is missing or damaged.

    Raises
    ------
    CompilerError
        If there is no C++ compiler, it fails, or the library cannot be loaded.
    """
    file = cached(library_file(name, variant).parent, partial(_compile, name, variant)) / LIBRARY
    try:
        library = ctypes.PyDLL(str(file))  # one evaluation at a time, as with a model of AMICI
    except OSError as error:
        raise CompilerError(
            f"the kinetics kernel cannot be loaded ({error}): name a folder from which programs may run in the "
            "variable XDG_CACHE_HOME"
        ) from None
    library.kernel_new.restype = ctypes.c_void_p
    library.kernel_new.argtypes = [ctypes.c_void_p]
    library.kernel_free.argtypes = [ctypes.c_void_p]
    library.kernel_options.argtypes = [ctypes.c_void_p, ctypes.c_double, ctypes.c_double, ctypes.c_int64]
    library.kernel_evaluate.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    library.kernel_counts.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    library.kernel_sizes.argtypes = [ctypes.c_void_p]
    return library


def library_file(name: str, variant: str) -> Path:
    """Return where the library of a kernel is kept, for this kind of machine and C library."""
    return _folder(f"{name}-{kind_of_machine()}-{variant}") / LIBRARY


def sizes_of(library) -> dict[str, int]:
    """Return the sizes of a kernel by the names in SIZES."""
    values = (ctypes.c_int64 * len(SIZES))()
    library.kernel_sizes(values)
    return dict(zip(SIZES, values, strict=True))


def _folder(name) -> Path:
    return cache_folder() / "kernels" / name


def _compile(name, variant, folder):
    optimisation = "-O2" if facts_of(name)["states"] > LARGEST_STRAIGHT else "-O3"  # which takes seconds up to there
    wide = WIDE if variant == "avx512" else ()
    flags = [*FLAGS, optimisation, *X86[variant], *wide, '-DMODEL="model.hpp"']
    compile_library(_folder(name) / "kernel.cpp", folder / LIBRARY, flags)

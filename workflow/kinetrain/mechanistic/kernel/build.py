"""Kernels compiled on first use, for the instructions of this processor, and kept by content in the user's cache.

A kernel's folder holds its source and what Python needs to know of the model; next to it lies a library for each kind
of processor that asked for one, so that a cache shared by different machines works on all of them.
"""

import ctypes
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
from functools import cache, partial
from pathlib import Path

from kinetrain.cache import cache_folder, cached, is_intact
from kinetrain.errors import InputError

HERE = Path(__file__).parent
SOURCES = ("kernel.cpp", "lanes.hpp", "rodas.hpp")
FLAGS = ("-std=c++17", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wno-psabi", "-fPIC", "-shared")
X86 = {
    "plain": (),
    "avx2": ("-mavx2", "-mfma"),
    "avx512": ("-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mavx2", "-mfma", "-mprefer-vector-width=512"),
}
LIBRARY = "kernel.so"
LARGE = 150  # states up to which -O3 takes seconds
SIZES = ("states", "parameters", "constants", "observables", "lanes", "jacobian", "lu", "stages", "record_bytes")


class KernelBuildError(InputError):
    """The kernel cannot be compiled here; the message says why, and what to do."""


def keep(text: str, facts: dict) -> str:
    """Put the generated C++ of a model, and facts about it, into the cache; return the name of the kernel.

    The name is a digest of all that the library is made of.
    """
    sources = [(HERE / name).read_text() for name in SOURCES]
    name = hashlib.sha256(json.dumps([text, facts, sources, FLAGS, X86], sort_keys=True).encode()).hexdigest()[:32]

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

    They are made anew where the code that makes kernels and arrays is another.
    """
    code = "".join(file.read_text() for file in sorted(HERE.iterdir()) if file.suffix in (".py", ".cpp", ".hpp"))
    name = hashlib.sha256(f"{content}{code}".encode()).hexdigest()[:32]
    return _folder("problems") / name


def instructions() -> str:
    """Return the variant for this processor: `avx512`, `avx2` or `plain`."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return "plain"
    from numpy._core._multiarray_umath import __cpu_features__ as has

    if all(has.get(name) for name in ("AVX512F", "AVX512VL", "AVX512BW", "AVX512DQ", "AVX2", "FMA3")):
        return "avx512"
    return "avx2" if has.get("AVX2") and has.get("FMA3") else "plain"


@cache
def load(name: str, variant: str):
    """Return the library of a kernel, compiled where it is missing or damaged.

    Raises
    ------
    KernelBuildError
        If there is no C++ compiler, it fails, or the library cannot be loaded.
    """
    file = cached(library_file(name, variant).parent, partial(_compile, name, variant)) / LIBRARY
    try:
        library = ctypes.PyDLL(str(file))  # one evaluation at a time, as with a model of AMICI
    except OSError as error:
        raise KernelBuildError(
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
    kind = f"{platform.system()}-{platform.machine()}-{'-'.join(platform.libc_ver())}-{variant}"
    return _folder(f"{name}-{kind}") / LIBRARY


def sizes_of(library) -> dict[str, int]:
    """Return the sizes of a kernel by the names in SIZES."""
    values = (ctypes.c_int64 * len(SIZES))()
    library.kernel_sizes(values)
    return dict(zip(SIZES, values, strict=True))


def _folder(name) -> Path:
    return cache_folder() / "kernels" / name


def _compile(name, variant, folder):
    compiler = shlex.split(os.environ.get("CXX") or next(filter(shutil.which, ("c++", "g++", "clang++")), "c++"))
    if shutil.which(compiler[0]) is None:
        raise KernelBuildError(
            f"the kinetics kernel needs a C++ compiler, and '{compiler[0]}' is not there. Install one (Debian, Ubuntu: "
            "apt install g++; Fedora: dnf install gcc-c++; conda: conda install cxx-compiler; macOS: xcode-select "
            "--install) or name it in the variable CXX"
        )
    facts = facts_of(name)
    flags = [*FLAGS, "-O2" if facts["states"] > LARGE else "-O3", *X86[variant], '-DMODEL="model.hpp"']
    command = [*compiler, *flags, str(_folder(name) / "kernel.cpp"), "-o", str(folder / LIBRARY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[:2000]
        raise KernelBuildError(f"the kinetics kernel cannot be compiled ({shlex.join(command)}):\n{said}")

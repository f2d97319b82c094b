"""C++ on this machine: its compiler, and the instructions of the processor that kernels are compiled for."""

import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Iterable

from kinetrain.errors import InputError

X86 = {
    "plain": (),
    "avx2": ("-mavx2", "-mfma"),
    "avx512": ("-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mavx2", "-mfma"),
}
NEEDED = {
    "avx512": ("AVX512F", "AVX512VL", "AVX512BW", "AVX512DQ", "AVX2", "FMA3"),
    "avx2": ("AVX2", "FMA3"),
}


class CompilerError(InputError):
    """There is no C++ compiler, or it fails; the message says why, and what to do."""


def runnable() -> list[str]:
    """Return the instruction sets of X86 that this processor runs, the widest first."""
    from numpy._core._multiarray_umath import __cpu_features__ as has

    x86 = platform.machine() in ("x86_64", "AMD64")
    return [name for name, needed in NEEDED.items() if x86 and all(has.get(one) for one in needed)] + ["plain"]


def kind_of_machine() -> str:
    """Return the name of the kind of machine and C library, for folders that different machines share."""
    return "-".join([platform.system(), platform.machine(), *platform.libc_ver()])


def find_compiler() -> list[str]:
    """Return the words of the command of the C++ compiler: $CXX, or the first that is on the PATH.

    Raises
    ------
    CompilerError
        If there is none.
    """
    words = shlex.split(os.environ.get("CXX") or next(filter(shutil.which, ("c++", "g++", "clang++")), "c++"))
    if shutil.which(words[0]) is None:
        raise CompilerError(
            f"a C++ compiler is needed, and '{words[0]}' is not there. Install one (Debian, Ubuntu: apt install g++; "
            "Fedora: dnf install gcc-c++; conda: conda install cxx-compiler; macOS: xcode-select --install) or name it "
            "in the variable CXX"
        )
    return words


def compile_library(source, library, flags: Iterable[str]) -> None:
    """Compile a C++ file into a shared library.

    Raises
    ------
    CompilerError
        If there is no compiler, or it fails.
    """
    command = [*find_compiler(), *flags, "-fPIC", "-shared", str(source), "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[:2000]
        raise CompilerError(f"{source.name} cannot be compiled ({shlex.join(command)}):\n{said}")

"""Models compiled by AMICI: built once for each content in the user's cache, and copied to where they are used."""

import contextlib
import io
import json
import logging
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path

import amici

# It loads libraries that compiled models need, which are then found even if the environment was moved.
import amici.sim.sundials
import petab.v1 as petab
from amici.exporters.sundials.compile import build_model_extension
from pandas.api.types import is_numeric_dtype

from kinetrain.cache import cache_folder, cached, is_intact, write_checksums, write_json
from kinetrain.compiler import find_compiler
from kinetrain.errors import InputError
from kinetrain.mechanistic.generated_code import checked_code
from kinetrain.mechanistic.initial_assignments import assigned_parameters
from kinetrain.mechanistic.petab_files import checksum, sbml_file
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.petab_tables import has_preequilibration, is_version_1
from kinetrain.mechanistic.sbml_model import changed_by_events

RECORD, MODEL = "compiled.json", "kinetrain_model"
MACRO = re.compile(r"#define (\w+) \w+\[\d+\]")
# Most of what AMICI generates goes into one source file: headers are read once instead of 25 times, which halves the
# time. Left out are files whose macros (of sensitivities at events) or class declarations do not go with the others.
TOGETHER = """
set(CMAKE_UNITY_BUILD ON)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 0)
file(GLOB sources ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
foreach(source ${sources})
  file(STRINGS ${source} alone REGEX "include .(sx|wrapfunctions|kinetrain_model)[.]h")
  if(alone)
    set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endforeach()
"""
# Variables and packages that affect the code, apart from AMICI's version, which is in the record.
FLAGS = "CXXFLAGS", "LDFLAGS", "CPATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH"
FLAGS_OF = "AMICI_", "CMAKE_"
PACKAGES = "petab", "sympy", "python-libsbml", "swig"


def compile_model(path, folder) -> dict:
    """Put the compiled model of a PEtab problem into `folder` unless it is there already; return its record.

    It comes from the user's cache (`cache.cache_folder`) if a problem with the same SBML, observables and roles of
    parameters was compiled before by the same AMICI, Python, compiler and kind of machine; else it is compiled, by one
    process at a time. The record (`compiled.json`) holds the model's name, the version of AMICI, and sha256 of the
    SBML, the observables and the roles; what is returned says too if this call compiled it.

    Raises
    ------
    InputError
        If the problem is not valid PEtab, AMICI does not support it, or a tool that compilation needs is missing.
    """
    folder = Path(folder).absolute()
    problem = read_petab(path)
    record = {"model": MODEL, "amici": amici.__version__, "sha256": fingerprint(path, problem)}
    if _read_record(folder) == record:
        return {**record, "compiled": False}
    _require_tools()
    compiled = False

    def make(new):
        nonlocal compiled
        _build(path, problem, record, new)
        compiled = True

    _place(cached(cache_folder() / "models" / _key(record), make) / "module", record, folder)
    return {**record, "compiled": compiled}


def _key(record) -> str:
    """Return the name in the cache of what is compiled from these contents, with these tools, for this machine."""
    tools = [sys.version, platform.system(), platform.machine(), platform.libc_ver(), TOGETHER]
    version = subprocess.run([*find_compiler(), "--version"], capture_output=True, text=True, check=False).stdout
    tools += [metadata.version(name) for name in PACKAGES]
    flags = {name: value for name, value in os.environ.items() if name in FLAGS or name.startswith(FLAGS_OF)}
    flags.pop("AMICI_PARALLEL_COMPILE", None)
    return checksum(json.dumps([record, tools, version.split("\n")[0], sorted(flags.items())]))[:32]


def _build(path, problem, record, folder):
    """Compile a model into `folder`, in the system's temporary folder, as CMake and SWIG fail in some paths.

    InputError if AMICI cannot import the problem, or the compiler refuses its code.
    """
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "generated"
        try:
            with (
                _quick_compilation(Path(temporary)),
                checked_code(path),
                contextlib.redirect_stdout(io.StringIO()),
            ):
                _generate(path, problem, made)
        except subprocess.CalledProcessError:  # this code cannot be joined in one file
            _compile_apart(path, made)
        except InputError:
            raise
        except Exception as error:
            raise not_imported(path, error) from error
        _place(made, record, folder)


def not_imported(path, error: Exception) -> InputError:
    """Return what to raise when AMICI cannot import a problem: it raises exceptions of many kinds."""
    reasons = [" ".join(str(one).split()) for one in (error, error.__cause__) if one]
    return InputError(f"{path}: AMICI cannot import it: {' '.join(reasons) or type(error).__name__}")


def _compile_apart(path, made):
    """Compile the sources of a generated module one by one; InputError, with what the compiler said, if that fails."""
    shutil.rmtree(made / "build_model_ext", ignore_errors=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            build_model_extension(made)
    except subprocess.CalledProcessError as error:
        lines = (error.output or b"").decode(errors="replace").strip().splitlines() or [str(error)]
        said = next((line for line in lines if "error:" in line), lines[-1]).strip()
        named = MACRO.search("\n".join(lines))  # how AMICI writes an id, which can mean something in C++
        advice = f" (the id '{named[1]}' may be a word of C++; rename it)" if named else ""
        raise InputError(f"{path}: the code that AMICI writes for it does not compile: {said}{advice}") from error


def _generate(path, problem, folder):
    if not is_version_1(problem):
        problem.generate(MODEL, folder)
        return
    from kinetrain.mechanistic.amici_import import import_problem

    import_problem(problem, path, output_dir=folder, model_name=MODEL, verbose=logging.WARNING)


@contextlib.contextmanager
def _quick_compilation(folder):
    """Let CMake, which AMICI calls, join the sources, and use all cores."""
    toolchain, together = folder / "toolchain.cmake", folder / "together.cmake"
    together.write_text(TOGETHER)
    toolchain.write_text(f'set(CMAKE_PROJECT_{MODEL}_INCLUDE "{together}")\n')
    wanted = {"CMAKE_TOOLCHAIN_FILE": str(toolchain), "AMICI_PARALLEL_COMPILE": str(os.cpu_count() or 1)}
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _place(module, record, folder):
    """Copy what is needed of a compiled module into `folder`, with the record, and the checksums last."""
    shutil.rmtree(folder, ignore_errors=True)
    wanted = folder / "module" / MODEL
    wanted.mkdir(parents=True)
    for file in (module / MODEL).iterdir():
        if file.suffix in (".py", ".so", ".pyd"):
            shutil.copy2(file, wanted)
    write_json(folder / RECORD, record)
    write_checksums(folder)


def load_model(path, problem: petab.Problem, folder):
    """Return the AMICI model in `folder`; InputError unless it was compiled for this SBML and these observables."""
    folder = Path(folder).absolute()
    record = _read_record(folder)
    if record is None:
        raise InputError(
            f"{folder}: no compiled model, or one that was damaged since; delete it and run compile_model.py for {path}"
        )
    wanted = fingerprint(path, problem)
    for part in [name for name in wanted if name != "parameters"]:  # artificial data fix some of them
        if record["sha256"].get(part) != wanted[part]:
            raise InputError(f"{folder}: the model was compiled for another problem than {path}: its {part} differ")
    if record["amici"] != amici.__version__:
        raise InputError(
            f"{folder}: compiled by AMICI {record['amici']}, but this is AMICI {amici.__version__}; compile it again"
        )
    return amici.import_model_module(record["model"], folder / "module").get_model()


def fingerprint(path, problem: petab.Problem) -> dict[str, str]:
    """Return the sha256 of everything in a PEtab problem that shapes the compiled code, by part."""
    if not is_version_1(problem):
        return problem.fingerprint()
    observables = problem.observable_df.sort_index()
    columns = ["observableName", "observableFormula", "noiseFormula", "observableTransformation", "noiseDistribution"]
    table = observables.reindex(columns=columns).astype(object).fillna("").to_csv(sep="\t")
    estimated = problem.parameter_df.index[problem.parameter_df["estimate"] == 1]
    overridden = {name: not is_numeric_dtype(column) for name, column in problem.condition_df.items()}
    overridden.pop("conditionName", None)
    roles = [sorted(estimated), sorted(overridden.items()), has_preequilibration(problem)]
    if assigned := assigned_parameters(problem.model.sbml_model):  # those that the tables do not overrule
        roles.append(assigned)
    if started := changed_by_events(problem.model.sbml_model, [*overridden, *problem.parameter_df.index]):
        roles.append(started)
    return {
        "sbml": checksum(sbml_file(path).read_bytes()),
        "observables": checksum(table),
        "parameters": checksum(json.dumps(roles)),
    }


def _read_record(folder) -> dict | None:
    """Return the record of a compiled model; None where there is none, or it was damaged since."""
    return json.loads((folder / RECORD).read_text()) if is_intact(folder) else None


def _require_tools():
    find_compiler()
    for tool in ("swig", "cmake"):
        if shutil.which(tool) is None:
            raise InputError(
                f"'{tool}' is not on PATH, and AMICI needs it to compile models. It comes with the mechanistic "
                f"environment: put {Path(sys.executable).parent} first on PATH, or install it (pip install {tool})"
            )
    if not Path(sysconfig.get_paths()["include"], "Python.h").is_file():
        raise InputError("no Python headers (Python.h). Install them (Debian, Ubuntu: apt install python3-dev)")

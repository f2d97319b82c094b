"""Models compiled by AMICI: built once for each PEtab model, shared by all its fits and artificial data."""

import json
import logging
import os
import shutil
import sys
import sysconfig
from pathlib import Path

import amici
import petab.v1 as petab

from kinetrain.errors import InputError
from kinetrain.files import atomic
from kinetrain.problems.petab_tables import checksum, list_files, read_description, read_petab

RECORD = "compiled.json"


def compile_model(path, folder) -> dict:
    """Compile the model of a PEtab problem into `folder` unless that was done already; return its record.

    The record (`compiled.json`) holds the model's name, the version of AMICI, and sha256 of the SBML, the observables
    and which parameters are estimated or set by conditions; what is returned says too if this call compiled it.

    Raises
    ------
    InputError
        If the problem is not valid PEtab, or a tool that compilation needs is missing.
    """
    # Through a subfolder: AMICI empties the folder that it writes to.
    folder = Path(folder).absolute()
    problem = read_petab(path)
    record = {"model": "kinetrain_model", "amici": amici.__version__, "sha256": fingerprint(path, problem)}
    if _read_record(folder) == record:
        return {**record, "compiled": False}
    _require_tools()
    (folder / RECORD).unlink(missing_ok=True)
    from amici.importers.petab.v1 import import_petab_problem

    import_petab_problem(
        problem, output_dir=folder / "module", model_name=record["model"], compile_=True, verbose=logging.WARNING
    )
    shutil.rmtree(folder / "module" / "build", ignore_errors=True)
    with atomic(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")
    return {**record, "compiled": True}


def load_model(path, problem: petab.Problem, folder):
    """Return the AMICI model in `folder`; InputError unless it was compiled for this SBML and these observables."""
    folder = Path(folder).absolute()
    record = _read_record(folder)
    if record is None:
        raise InputError(
            f"{folder}: no compiled model ({RECORD} or the module is missing); run compile_model.py for {path} first"
        )
    wanted = fingerprint(path, problem)
    for part in ("sbml", "observables"):
        if record["sha256"][part] != wanted[part]:
            raise InputError(f"{folder}: the model was compiled for another problem than {path}: its {part} differ")
    if record["amici"] != amici.__version__:
        raise InputError(
            f"{folder}: compiled by AMICI {record['amici']}, but this is AMICI {amici.__version__}; compile it again"
        )
    return amici.import_model_module(record["model"], folder / "module").get_model()


def fingerprint(path, problem: petab.Problem) -> dict[str, str]:
    """Return the sha256 of everything in a PEtab problem that shapes the compiled code, by part."""
    sbml = [file for file in list_files(path, read_description(path)) if file.suffix in (".xml", ".sbml")]
    observables = problem.observable_df.sort_index()
    columns = ["observableFormula", "noiseFormula", "observableTransformation", "noiseDistribution"]
    table = observables.reindex(columns=columns).fillna("").to_csv(sep="\t")
    estimated = problem.parameter_df.index[problem.parameter_df["estimate"] == 1]
    roles = json.dumps([sorted(estimated), sorted(problem.condition_df.columns.drop("conditionName", errors="ignore"))])
    return {
        "sbml": checksum(b"".join(file.read_bytes() for file in sbml)),
        "observables": checksum(table),
        "parameters": checksum(roles),
    }


def _read_record(folder) -> dict | None:
    """Return the record of a compiled model; None where there is none, or it or the module is not complete."""
    try:
        record = json.loads((folder / RECORD).read_text())
        package = folder / "module" / record["model"]
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return record if any(package.glob("_*.so")) or any(package.glob("_*.pyd")) else None


def _require_tools():
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None and shutil.which("c++") is None:
        raise InputError(
            f"no C++ compiler: '{compiler}' is not on PATH. Install one "
            "(Debian, Ubuntu: apt install g++; conda: conda install cxx-compiler)"
        )
    for tool in ("swig", "cmake"):
        if shutil.which(tool) is None:
            raise InputError(
                f"'{tool}' is not on PATH, and AMICI needs it to compile models. It comes with the mechanistic "
                f"environment: put {Path(sys.executable).parent} first on PATH, or install it (pip install {tool})"
            )
    if not Path(sysconfig.get_paths()["include"], "Python.h").is_file():
        raise InputError("no Python headers (Python.h). Install them (Debian, Ubuntu: apt install python3-dev)")

"""Ids that sympy or Python knows as something else are ids, in both engines; formulas mean what PEtab says."""

import math
import subprocess

import numpy as np
import pytest
from petab_folder import write_petab

from kinetrain.errors import InputError
from kinetrain.mechanistic import compiled_model, generated_code
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.solver_options import SolverOptions

# Functions, classes and constants of sympy, functions and keywords of Python, and what AMICI calls the measurement.
NAMES = "E1 LC Min gamma N I E lambda Symbol sum None mMax"
PARAMETERS = {name: 0.5 + 0.1 * number for number, name in enumerate(NAMES.split())}
SBML = f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
 <model id='toy'>
  <listOfCompartments><compartment id='C' size="1" spatialDimensions="3" constant="true"/></listOfCompartments>
  <listOfSpecies><species id='S' compartment="C" initialConcentration="1.5" hasOnlySubstanceUnits="false"
    boundaryCondition="false" constant="false"/></listOfSpecies>
  <listOfParameters><parameter id="Q" value="0" constant="true"/>
   {"".join(f'<parameter id="{name}" value="9" constant="true"/>' for name in PARAMETERS)}</listOfParameters>
  <listOfRules><rateRule variable="S"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/><apply><times/>
   <ci>E1</ci><ci>Q</ci><ci>S</ci></apply></apply></math></rateRule></listOfRules>
 </model>
</sbml>
"""
FORMULAS = {  # and their values, of S, Q and time
    "Max": (" + ".join(f"{n} * {name}" for n, name in enumerate(PARAMETERS)) + " + S", None),
    "is_one": ("S == 1.5", lambda s, q, t: float(s == 1.5)),
    "is_not": ("!(S == 1.5)", lambda s, q, t: float(s != 1.5)),
    "both": ("S < 1.4 && Q > 0.3", lambda s, q, t: float(s < 1.4 and q > 0.3)),
    "one": ("S < 0.5 || Q > 0.3", lambda s, q, t: float(s < 0.5 or q > 0.3)),
    "choice": (
        "piecewise(S, time > 1, piecewise(3, Q == 0.2, 4))",
        lambda s, q, t: s if t > 1 else 3 if q == 0.2 else 4,
    ),
    "logs": ("log2(S) + log(Q, 3) + arctan(S)", lambda s, q, t: math.log2(s) + math.log(q, 3) + math.atan(s)),
}
TABLES = {
    "parameters": "parameterId,parameterScale,lowerBound,upperBound,nominalValue,estimate\n"
    + "\n".join(f"{name},lin,0.01,100,{value},1" for name, value in PARAMETERS.items()),
    "conditions": "conditionId,Q\nslow,0.2\nfast,0.4",
    "observables": b"observableId\tobservableFormula\tnoiseFormula\n"
    + "".join(f"{name}\t{formula}\t0.1 * gamma + 0.2\n" for name, (formula, _) in FORMULAS.items()).encode(),
    "measurements": "observableId,simulationConditionId,time,measurement\n"
    + "\n".join(f"{name},{c},{t},1" for name in FORMULAS for c in ("slow", "fast") for t in (0, 1, 2)),
}


def expected(values) -> float:
    """Return the negative log-likelihood in closed form."""
    p, total = dict(zip(PARAMETERS, values, strict=True)), 0.0
    sigma = 0.1 * p["gamma"] + 0.2
    for q in (0.2, 0.4):
        for t in (0, 1, 2):
            s = 1.5 * math.exp(-p["E1"] * q * t)
            simulated = [sum(n * value for n, value in enumerate(values)) + s]
            simulated += [function(s, q, t) for _, function in FORMULAS.values() if function]
            total += sum(0.5 * math.log(2 * math.pi * sigma**2) + 0.5 * ((y - 1) / sigma) ** 2 for y in simulated)
    return total


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return write_petab(tmp_path_factory.mktemp("names"), SBML, TABLES)


@pytest.mark.parametrize("engine", ["kernel", "amici"])
def test_ids_that_sympy_knows_and_formulas_of_petab_have_their_values(toy, compiled_model, engine):
    options = SolverOptions("forward", relative_tolerance=1e-10)
    problem = KernelProblem(toy, options) if engine == "kernel" else PetabProblem(toy, compiled_model(toy), options)
    value, gradient = problem.value_and_gradient(problem.nominal, [0, 1])
    assert value == pytest.approx(expected(problem.nominal), rel=1e-7)
    steps = 1e-6 * np.eye(len(gradient))
    slopes = [(expected(problem.nominal + step) - expected(problem.nominal - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["pi", "time", "avogadro", "exponentiale", "true"])
def test_ids_that_mean_something_in_formulas_are_to_be_renamed(tmp_path, name):
    with pytest.raises(InputError, match=rf"problem\.yaml: the model has the id '{name}', .*; rename it"):
        read_petab(write_petab(tmp_path, SBML.replace("mMax", name), TABLES))


@pytest.mark.parametrize("name", ["int", "double", "class", "new", "this", "M_PI"])
def test_words_of_cpp_are_to_be_renamed(tmp_path, name):
    """AMICI writes `new_` for `new`, which may be another id: then values are wrong without a warning."""
    sbml, tables = SBML.replace("mMax", name), {**TABLES, "parameters": TABLES["parameters"].replace("mMax", name)}
    tables["observables"] = TABLES["observables"].replace(b"mMax", name.encode())
    with pytest.raises(
        InputError, match=rf"problem\.yaml: the model: the id '{name}' is a word of C\+\+, .*; rename it"
    ):
        read_petab(write_petab(tmp_path, sbml, tables))


def test_an_observable_may_not_be_called_as_a_word_of_cpp(tmp_path):
    tables = {name: table.replace("is_one", "union") for name, table in TABLES.items() if name != "observables"}
    tables["observables"] = TABLES["observables"].replace(b"is_one", b"union")
    with pytest.raises(InputError, match="observable table: the id 'union' is a word of C"):
        read_petab(write_petab(tmp_path, SBML, tables))


def test_the_id_of_a_rate_of_change_is_to_be_renamed(tmp_path):
    """AMICI calls it d...dt too, and computes with the rate in place of the parameter."""
    sbml, tables = SBML.replace("mMax", "dSdt"), {**TABLES, "parameters": TABLES["parameters"].replace("mMax", "dSdt")}
    tables["observables"] = TABLES["observables"].replace(b"mMax", b"dSdt")
    with pytest.raises(InputError, match="AMICI needs the id 'dSdt' for the rate of change of 'S'; take another one"):
        read_petab(write_petab(tmp_path, sbml, tables))


def test_the_rate_of_change_of_an_id_that_amici_renames_has_another_name(tmp_path):
    text = SBML.replace("mMax", "dpdt").replace("id='S'", "id='p'").replace('variable="S"', 'variable="p"')
    tables = {**TABLES, "parameters": TABLES["parameters"].replace("mMax", "dpdt")}
    tables["observables"] = b"observableId\tobservableFormula\tnoiseFormula\nis_one\tp + dpdt\t1\n"
    tables["measurements"] = "observableId,simulationConditionId,time,measurement\nis_one,slow,1,1"
    path = write_petab(tmp_path, text.replace("<ci>S</ci>", "<ci>p</ci>"), tables)
    assert "dpdt" in read_petab(path).parameter_df.index


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("pow", "S"),  # every likelihood has one
        ("exp", "exp(S)"),
        ("amici", "S"),
        ("ip", "S"),  # the index of a parameter
        ("ddSdt_dS", "S"),  # an entry of a Jacobian
    ],
)
def test_ids_that_the_code_of_amici_needs_are_named_before_it_is_compiled(tmp_path, monkeypatch, name, formula):
    monkeypatch.setattr(generated_code.DEExporter, "compile_model", lambda _: pytest.fail("it was compiled"))
    row = f"observableId\tobservableFormula\tnoiseFormula\nis_one\t{formula} + {name}\t1\n"
    tables = {**TABLES, "parameters": TABLES["parameters"].replace("mMax", name), "observables": row.encode()}
    tables["measurements"] = "observableId,simulationConditionId,time,measurement\nis_one,slow,1,1"
    path = write_petab(tmp_path, SBML.replace("mMax", name), tables)
    with pytest.raises(
        InputError, match=rf"problem\.yaml: AMICI needs the id '{name}' itself in the code .*; rename it"
    ):
        compiled_model.compile_model(path, tmp_path / "model")


def test_a_function_that_no_formula_has_is_an_id(tmp_path, monkeypatch):
    tables = {**TABLES, "parameters": TABLES["parameters"].replace("mMax", "exp")}
    tables["observables"] = TABLES["observables"].replace(b"mMax", b"exp")
    compiled = []
    monkeypatch.setattr(generated_code.DEExporter, "compile_model", lambda self: compiled.append(self.model_path))
    with generated_code.checked_code("problem.yaml"), pytest.raises(ModuleNotFoundError):
        path = write_petab(tmp_path, SBML.replace("mMax", "exp"), tables)
        compiled_model._generate(path, read_petab(path), tmp_path / "code")
    assert compiled


def test_an_id_may_be_written_again_for_what_it_means_already(tmp_path):
    """As S follows from a conserved sum AMICI writes it twice; what no source includes, such as `np.h`, has no use."""
    for array in ("x_rdata", "w", "np"):
        (tmp_path / f"{array}.h").write_text(f"#define S {array}[0]\n")
    (tmp_path / "w.cpp").write_text('#include "w.h"\n#include "x_rdata.h"\nvoid w_model(){\n}\n')
    generated_code.check_code(tmp_path, "problem.yaml")
    (tmp_path / "y.cpp").write_text('#include "np.h"\nvoid y_model(){\n}\n')
    with pytest.raises(InputError, match="AMICI needs the id 'S' itself"):
        generated_code.check_code(tmp_path, "problem.yaml")


def test_a_truth_value_is_no_id(tmp_path):
    tables = {**TABLES, "parameters": TABLES["parameters"] + "\nTrue,lin,1,2,1,1"}
    with pytest.raises(InputError, match="parameter table: 'True' cannot be an id"):
        read_petab(write_petab(tmp_path, SBML, tables))


@pytest.mark.parametrize(
    ("formula", "fault"),
    [
        ("S + (Q == 1)", r"which computes with a condition; write piecewise\(1, Q == 1, 0\)"),
        ("(S > 1 || Q > 1) + 1", r"which computes with a condition; write piecewise\(1, \(S > 1\) \|\| \(Q > 1\), 0\)"),
        ("exp(S > 1)", "which computes with a condition"),
        ("(S > 1) == (Q > 1)", "which computes with a condition"),
        ("piecewise(S > 1, Q > 1, 2)", "which computes with a condition"),
        ("S && Q > 1", "in which 'S' is no condition; write a comparison"),
        ("!S", "in which 'S' is no condition"),
        ("piecewise(1, S, 2)", "in which 'S' is no condition"),
    ],
)
@pytest.mark.parametrize("column", ["observableFormula", "noiseFormula"])
def test_conditions_stand_where_conditions_do(tmp_path, column, formula, fault):
    row = f"Max\t{formula}\t1" if column == "observableFormula" else f"Max\tS\t{formula}"
    tables = {**TABLES, "observables": f"observableId\tobservableFormula\tnoiseFormula\n{row}\n".encode()}
    with pytest.raises(InputError, match=f"observable table: {column} of 'Max' is '.*', {fault}"):
        read_petab(write_petab(tmp_path, SBML, tables))


def test_an_id_that_breaks_the_code_of_amici_is_named(tmp_path, monkeypatch):
    said = b"p.h:1:13: error: 'p' is not a member of 'std'\n    1 | #define exp p[0]\n"  # as gcc 12 says it

    def fail(_):
        raise subprocess.CalledProcessError(1, "make", said)

    monkeypatch.setattr(compiled_model, "build_model_extension", fail)
    with pytest.raises(InputError, match=r"does not compile: .* \(the id 'exp' may be a word of C\+\+; rename it\)"):
        compiled_model._compile_apart("problem.yaml", tmp_path)

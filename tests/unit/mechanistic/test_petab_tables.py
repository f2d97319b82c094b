"""PEtab tables and models as other people write them have the right objective; formulas are read before sympy does."""

import ast
import contextlib
import math
import os

import libsbml
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from petab_folder import write_petab
from scipy import stats

from kinetrain.errors import InputError, InputWarning
from kinetrain.mechanistic.conditions import petab_ids
from kinetrain.mechanistic.formulas import DEEPEST, LONGEST, check, parse, value
from kinetrain.mechanistic.kernel.problem import KernelProblem
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.petab_tables import read_tables
from kinetrain.mechanistic.sbml_model import read_sbml
from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.mechanistic.starting_points import starting_quantiles, starting_rows
from kinetrain.training.starts import starting_point

# x is lost at the rate k p w h; S stays. AMICI needs the names x, k, p, w and h itself.
SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
 <model id='toy'>
  <listOfCompartments><compartment id='cell' size="2" spatialDimensions="3" constant="true"/></listOfCompartments>
  <listOfSpecies>
   <species id='x' compartment="cell" initialConcentration="1.5" hasOnlySubstanceUnits="false"
    boundaryCondition="false" constant="false"/>
   <species id='S' name="S" compartment="cell" initialAmount="10" hasOnlySubstanceUnits="false"
    boundaryCondition="false" constant="false"/></listOfSpecies>
  <listOfParameters><parameter id="k" value="0.3" constant="true"/><parameter id="p" value="1" constant="true"/>
   <parameter id="w" value="1" constant="true"/><parameter id="h" value="1" constant="true"/></listOfParameters>
  <listOfRules><rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><minus/><apply><times/>
   <ci>k</ci><ci>p</ci><ci>w</ci><ci>h</ci><ci>x</ci></apply></apply></math></rateRule></listOfRules>
 </model>
</sbml>
"""
TABLES = {
    "parameters": """parameterId,parameterScale,lowerBound,upperBound,nominalValue,estimate
p,log10,0.01,100,0.7,1
h,lin,0.1,10,2,0""",
    "conditions": """conditionId,w,x,cell
low,0.5,4,2
high,2,NaN,5""",
    "observables": """observableId,observableFormula,noiseFormula
seen,x,0.1
amount,S,0.2""",
    "measurements": """observableId,simulationConditionId,time,measurement
seen,low,0,3.9
seen,low,3,1.9
seen,high,1,0.7
amount,low,1,5.1
amount,high,1,2.2""",
}


def write(folder, sbml=SBML, **changed):
    """Write the toy problem, with some tables changed, into `folder` and return its YAML."""
    return write_petab(folder, sbml, TABLES | changed)


@pytest.fixture(scope="module")
def toy(tmp_path_factory, compiled_model):
    """The toy problem's YAML and the folder of its model."""
    problem = write(tmp_path_factory.mktemp("names"))
    return problem, compiled_model(problem)


def objective(p) -> float:
    """Return the negative log-likelihood in closed form."""
    x = [4, 4 * math.exp(-0.3 * p * 0.5 * 2 * 3), 1.5 * math.exp(-0.3 * p * 2 * 2 * 1)]
    residuals = [*((np.array(x) - [3.9, 1.9, 0.7]) / 0.1), *((np.array([10 / 2, 10 / 5]) - [5.1, 2.2]) / 0.2)]
    noise = 3 * math.log(math.sqrt(2 * math.pi) * 0.1) + 2 * math.log(math.sqrt(2 * math.pi) * 0.2)
    return noise + 0.5 * float(np.square(residuals).sum())


@pytest.mark.parametrize("sensitivities", ["forward", "adjoint"])
def test_names_that_amici_needs_itself_sizes_and_missing_initial_values_count(toy, sensitivities):
    problem = PetabProblem(*toy, SolverOptions(sensitivities=sensitivities, relative_tolerance=1e-10))
    assert problem.names == ["p"]
    for theta in (-0.155, 0.2):
        found, gradient = problem.value_and_gradient(np.array([theta]), [0, 1])
        slope = (objective(10 ** (theta + 1e-5)) - objective(10 ** (theta - 1e-5))) / 2e-5
        assert found == pytest.approx(objective(10**theta), rel=1e-6)
        assert gradient[0] == pytest.approx(slope, rel=1e-4)


def test_renamed_ids_are_those_of_petab():
    assert petab_ids(["amici_k", "amici_x", "amici_rate", "k1"]) == ["k", "x", "amici_rate", "k1"]


def test_numbers_as_spreadsheets_write_them_and_columns_in_any_order_are_the_same_problem(toy, tmp_path):
    changed = {
        "parameters": b"\xef\xbb\xbf" + TABLES["parameters"].replace(",", "\t").replace("\t1\n", "\t1.0\n").encode(),
        "conditions": "x,conditionId,cell,w\n4,low ,2.0,5e-1\n,high,5,2\n,,,\n",
        "observables": "observableName,noiseFormula,observableFormula,observableId\na b,0.10,x,seen\n,0.2,S,amount\n",
        "measurements": TABLES["measurements"].replace(",", "\t").replace("\n", "\r\n") + "\r\n\t\t\t\r\n",
    }
    read, original = read_petab(write(tmp_path, **changed)), read_petab(toy[0])
    assert list(read.condition_df.index) == ["low", "high"]
    for name in ("parameter_df", "condition_df", "measurement_df"):
        one, other = getattr(read, name), getattr(original, name)
        pd.testing.assert_frame_equal(one[other.columns], other, check_dtype=False, check_index_type=False)


def test_sodium_is_an_id_and_nan_is_no_condition(tmp_path):
    changed = {
        "parameters": TABLES["parameters"] + "\nNa,lin,0.1,10,3,1",
        "conditions": TABLES["conditions"].replace("low,0.5", "low,Na"),
        "measurements": "preequilibrationConditionId,"
        + TABLES["measurements"].replace("\nseen", "\nNaN,seen").replace("\namount", "\nhigh,amount"),
    }
    read = read_petab(
        write(tmp_path, SBML.replace('id="h"', 'id="Na" value="1" constant="true"/><parameter id="h"'), **changed)
    )
    assert read.condition_df.loc["low", "w"] == "Na"
    assert read.measurement_df["preequilibrationConditionId"].fillna("").tolist() == ["", "", "", "high", "high"]


def test_an_empty_start_is_that_of_the_model_where_there_is_pre_equilibration_too(tmp_path):
    changed = {
        "conditions": "conditionId,w,S\nlow,1,\nhigh,2,3",
        "measurements": "observableId,preequilibrationConditionId,simulationConditionId,time,measurement\n"
        "amount,,low,1,1\namount,low,low,1,1\namount,low,high,1,1",
    }
    problem = KernelProblem(write(tmp_path, **changed))
    found = [float(one.y[0, -1]) for one in problem.simulate(problem.nominal, range(3))]
    assert found == pytest.approx([10 / 2, 10 / 2, 3])  # an amount of 10 in a compartment of 2


def test_a_model_that_does_not_name_its_encoding_is_read(tmp_path):
    model = read_petab(write(tmp_path, SBML.replace(' encoding="UTF-8"', ""))).model.sbml_model
    assert model.getSpecies("S").getInitialAmount() == 10


def test_a_model_in_latin_1_is_read(tmp_path):
    sbml = SBML.replace("UTF-8", "ISO-8859-1").replace('name="S"', 'name="Müller"').encode("latin-1")
    document = read_sbml(write(tmp_path, sbml).parent / "model.xml")
    assert document.getModel().getSpecies("S").getName() == "Müller"


def test_copies_of_observables_take_no_id_of_the_model(tmp_path):
    tables = {
        "observables": "observableId,observableFormula,noiseFormula\nseen,observableParameter1_seen * x,0.1",
        "measurements": "observableId,simulationConditionId,time,measurement,observableParameters\n"
        "seen,low,0,1,1\nseen,low,1,1,2",
    }
    problem = read_petab(write(tmp_path, SBML.replace("'S'", "'seen_2'"), **tables))
    assert list(problem.observable_df.index) == ["seen", "seen_2_"]


def test_starts_sizes_and_stoichiometries_that_nothing_gives_are_told(tmp_path):
    sbml = SBML.replace(' initialAmount="10"', "").replace(' initialConcentration="1.5"', "").replace(' size="2"', "")
    with pytest.warns(InputWarning, match="the model has no value of 'S': a start of 0 is taken"):  # x is in a table
        read_petab(write(tmp_path, sbml, conditions="conditionId,x\nlow,4\nhigh,1"))
    with pytest.warns(InputWarning, match="the model has no value of 'cell': a size of 1 is taken"):
        read_petab(write(tmp_path, sbml, conditions="conditionId,x\nlow,4\nhigh,1"))
    reaction = """<listOfReactions><reaction id="r" reversible="false" fast="false"><listOfReactants>
     <speciesReference species="S" constant="true"/></listOfReactants><kineticLaw>
     <math xmlns="http://www.w3.org/1998/Math/MathML"><cn>0</cn></math></kineticLaw></reaction></listOfReactions>"""
    with pytest.warns(InputWarning, match="the model has no value of 'S': a stoichiometry of 1 is taken"):
        read_petab(write(tmp_path, SBML.replace("</model>", reaction + "</model>")))


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('size="2"', 'size="0"', "the size of 'cell' is 0; a positive, finite number is needed"),
        ('size="2"', 'size="-1"', "the size of 'cell' is -1"),
        ('size="2"', 'size="NaN"', "the size of 'cell' is nan"),
        ('initialAmount="10"', 'initialAmount="INF"', "the start of 'S' is inf; a finite number is needed"),
        ('initialConcentration="1.5"', 'initialConcentration="NaN"', "the start of 'x' is nan"),
        ('id="k" value="0.3"', 'id="k" value="INF"', "the value of 'k' is inf"),
        ('id="k" value="0.3"', 'id="k" value="NaN"', "the value of 'k' is nan"),
    ],
)
def test_numbers_of_a_model_that_count_are_finite_and_sizes_positive(tmp_path, before, after, fault):
    conditions = "conditionId,x\nlow,4\nhigh,NaN"
    with pytest.raises(InputError, match=rf"problem\.yaml: in the model {fault}"):
        read_petab(write(tmp_path, SBML.replace(before, after), conditions=conditions))


def test_numbers_of_a_model_that_tables_replace_do_not_count(tmp_path):
    sbml = SBML.replace('size="2"', 'size="0"').replace('"p" value="1"', '"p" value="NaN"')
    read_petab(write(tmp_path, sbml.replace('"w" value="1"', '"w" value="INF"')))


def test_the_size_of_a_compartment_in_the_condition_table_is_positive(tmp_path):
    with pytest.raises(InputError, match="condition table: 'cell' of 'low' is 0; the size of a compartment must be"):
        read_petab(write(tmp_path, conditions=TABLES["conditions"].replace("low,0.5,4,2", "low,0.5,4,0")))


def test_a_model_with_entities_is_refused(tmp_path):
    (tmp_path / "secret").write_text("7")
    doctype = f'<!DOCTYPE sbml [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>\n<sbml '
    for encoding in ("utf-8", "utf-16"):
        text = SBML.replace("UTF-8", encoding).replace("<sbml ", doctype, 1)
        with pytest.raises(InputError, match=r"model\.xml: it has a DOCTYPE"):
            read_petab(write(tmp_path, text.replace("<ci>k</ci>", "<ci>k</ci><cn>1&e;</cn>").encode(encoding)))


def test_without_nominal_values_a_problem_has_no_nominal_objective(toy, tmp_path):
    table = "parameterId,parameterScale,lowerBound,upperBound,nominalValue,estimate\np,log10,0.01,100,,1\nh,lin,1,2,2,0"
    with pytest.warns(InputWarning, match="no nominalValue of 'p'"):
        problem = PetabProblem(write(tmp_path, parameters=table), toy[1])
    assert not problem.has_nominal and problem.nominal == pytest.approx([0.0])
    assert np.isfinite(problem.value(problem.nominal, [0, 1]))


def test_a_nominal_value_out_of_bounds_is_reported(tmp_path):
    with pytest.warns(InputWarning, match="nominalValue of 'p' is out of bounds"):
        read_petab(write(tmp_path, parameters=TABLES["parameters"].replace("0.7", "700")))


def test_a_parameter_without_value_is_refused(toy, tmp_path, compiled_model):
    problem = write(tmp_path, SBML.replace('id="k" value="0.3"', 'id="k"'))
    with pytest.raises(InputError, match="'k' has no value, neither in the tables nor in the model"):
        PetabProblem(problem, compiled_model(problem))


@pytest.mark.parametrize("link", ["symlink", "parent"])
def test_tables_outside_the_folder_of_the_problem_are_refused(tmp_path, link):
    (tmp_path / "own").mkdir()
    problem = write(tmp_path / "own")
    (tmp_path / "own/conditions.tsv").rename(tmp_path / "conditions.tsv")
    if link == "symlink":
        os.symlink(tmp_path / "conditions.tsv", tmp_path / "own/conditions.tsv")
    else:
        problem.write_text(problem.read_text().replace("conditions.tsv", "../conditions.tsv"))
    with pytest.raises(InputError, match=r"conditions\.tsv', which is outside its folder; put the file into"):
        read_petab(problem)


def test_an_empty_cell_of_a_parameter_says_which_value_counts(tmp_path):
    problem = write(tmp_path)
    table = tmp_path / "conditions.tsv"
    table.write_text(table.read_text().replace("0.5", ""))
    with pytest.warns(InputWarning, match="condition table: 'w' of 'low' is empty: the model's own value 1 counts"):
        read_petab(problem)


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path):
    (tmp_path / "a.tsv").write_text("time\tmeasurement\n1\t2\n\n3\t4\n")
    assert list(read_tables([tmp_path / "a.tsv"], None).index) == [2, 4]


@pytest.mark.parametrize(
    ("kind", "numbers", "scale", "law"),
    [
        ("uniform", "1;3", "log10", stats.uniform(1, 2)),
        ("normal", "2;0.5", "lin", stats.norm(2, 0.5)),
        ("laplace", "2;0.5", "log", stats.laplace(2, 0.5)),
        ("logNormal", "0.5;0.3", "log10", stats.lognorm(0.3, scale=math.exp(0.5))),
        ("logLaplace", "0.5;0.3", "lin", stats.loglaplace(1 / 0.3, scale=math.exp(0.5))),
        ("parameterScaleNormal", "0.2;0.1", "log10", stats.lognorm(0.1 * math.log(10), scale=10**0.2)),
        ("parameterScaleLaplace", "0.2;0.1", "log", stats.loglaplace(1 / 0.1, scale=math.exp(0.2))),
    ],
)
def test_starts_are_drawn_from_initialization_priors_within_the_bounds(kind, numbers, scale, law):
    low, high = 1.2, 2.8
    row = {"parameterScale": scale, "lowerBound": low, "upperBound": high}
    row |= {"initializationPriorType": kind, "initializationPriorParameters": numbers}
    unscale = {"lin": lambda x: x, "log": math.exp, "log10": lambda x: 10**x}[scale]
    (quantile,) = starting_quantiles(starting_rows(pd.DataFrame([row], index=["a"])), "problem").values()
    for share in (0.0, 0.1, 0.5, 0.99):
        expected = law.ppf(law.cdf(low) + share * (law.cdf(high) - law.cdf(low)))
        assert unscale(quantile(share)) == pytest.approx(expected, rel=1e-6)


def test_initialization_priors_decide_where_fits_start(toy, tmp_path):
    columns = ",initializationPriorType,initializationPriorParameters\n"
    table = TABLES["parameters"].replace("\n", columns, 1).replace(",1\n", ",1,normal,5;0.001\n") + ",,"
    problem = PetabProblem(write(tmp_path, parameters=table), toy[1])
    starts = np.array([starting_point(problem, 0, number)[0] for number in range(50)])
    assert np.abs(10**starts - 5).max() < 0.005 and starts.std() > 0


NUMBERS = st.floats(-9, 9).map(lambda number: f"({number!r})")
FORMULAS = st.recursive(
    NUMBERS | st.sampled_from(["A", "b_1"]),
    lambda parts: (
        st.tuples(parts, st.sampled_from("+-*/"), parts).map(lambda part: f"({' '.join(part)})")
        | parts.map(lambda part: f"exp(-abs({part}))")
    ),
    max_leaves=12,
)


def has_infinite_part(text, known) -> bool:
    """Tell whether a part of a formula overflows: 9 / exp(-729), say."""
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.BinOp):
            with contextlib.suppress(ZeroDivisionError):
                if math.isinf(eval(ast.unparse(node), {"__builtins__": {}}, known)):
                    return True
    return False


@settings(deadline=None, max_examples=60)
@given(FORMULAS)
def test_formulas_of_numbers_have_their_value(text):
    known = {"A": 1.5, "b_1": -0.25, "exp": math.exp, "abs": abs}
    try:
        expected = eval(text, {"__builtins__": {}}, known)
    except ZeroDivisionError:
        expected = math.nan
    assume(not has_infinite_part(text, known))  # such a number is refused, see below
    assert value(parse(text, "it"), known) == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
    without = value(parse(text, "it"), {"A": None, "b_1": None})
    assert without is None or not {"A", "b_1"} & set(text)


def test_a_number_that_is_too_large_is_refused_and_has_no_value():
    with pytest.raises(InputError, match="too large"):
        parse("1.0 / 2.2250738585e-313", "it")
    assert math.isnan(value(parse("A / 2.2250738585e-313", "it"), {"A": 1.5}))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["9", "1e9", "A", "0.5", "1.0001"]), min_size=2, max_size=6))
def test_towers_of_powers_end_at_once(parts):
    try:
        found = value(parse("^".join(parts), "it"), {})
    except InputError as error:
        assert str(error).startswith("it has ") and "^" in str(error)
    else:
        assert found is None or math.isfinite(found)


@pytest.mark.parametrize("text", ["(" * DEEPEST + "-A" + ")" * DEEPEST, "sin(" * 2 * DEEPEST + "A" + ")" * 2 * DEEPEST])
def test_deep_formulas_are_refused_if_they_are_nested(text):
    if text.startswith("sin"):
        with pytest.raises(InputError, match="nested more than"):
            parse(text, "it")
    else:
        parse(text, "it")


def test_long_formulas_are_refused():
    with pytest.raises(InputError, match="more than"):
        parse("+".join("A" for _ in range(LONGEST + 1)), "it")


def test_functions_that_double_in_each_other_are_refused():
    functions = {f"f{n}": libsbml.parseL3Formula(f"f{n - 1}(x) + f{n - 1}(x)") for n in range(1, 60)}
    functions["f0"] = libsbml.parseL3Formula("x")
    with pytest.raises(InputError, match="more than"):
        check(libsbml.parseL3Formula("f59(A)"), "it", functions)

"""Problems of the shape of Froehlich et al. 2018: thousands of conditions and parameters, one steady state each."""

import numpy as np
import pandas as pd
import pytest
import yaml

from kinetrain.errors import InputError
from kinetrain.files import save_table
from kinetrain.mechanistic.petab_problem import PetabProblem
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.predictions import groups_of
from kinetrain.mechanistic.solver_options import SolverOptions
from kinetrain.options import read_options
from kinetrain.training import minibatch_fits
from kinetrain.training.options import MinibatchOptions

# A signal, made from the expression of a gene and degraded faster under a drug, drives proliferation.
RATES = {"k_make": 0.4, "k_lose": 0.5, "k_drug": 2.0, "k_grow": 1.5, "k_rest": 0.7}
WEIGHTS = {"weight_grow": 1.2, "weight_signal": 0.3}
REACTIONS = {
    "signal": ("<ci>k_make</ci><ci>gene</ci>", "<ci>signal</ci><apply><plus/><ci>k_lose</ci>{}</apply>"),
    "growth": ("<ci>k_grow</ci><ci>signal</ci>", "<ci>k_rest</ci><ci>growth</ci>"),
}
DRUG = "<apply><times/><ci>k_drug</ci><ci>drug</ci></apply>"
DOSES = [0.0, 0.1, 1.0]


def sbml() -> str:
    """The model as SBML text."""
    math = '<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/>{}</apply></math></kineticLaw>'
    look = 'compartment="cell" initialConcentration="0" hasOnlySubstanceUnits="false" boundaryCondition="false"'
    species = [f'<species id="{name}" {look} constant="false"/>' for name in REACTIONS]
    values = {**RATES, "gene": 1.0, "drug": 0.0}
    parameters = [f'<parameter id="{name}" value="{value}" constant="true"/>' for name, value in values.items()]
    reactions = []
    for name, (made, lost) in REACTIONS.items():
        reference = f'<speciesReference species="{name}" stoichiometry="1" constant="true"/>'
        others = [other for other in REACTIONS if f"<ci>{other}</ci>" in made]
        modifiers = "".join(f'<modifierSpeciesReference species="{other}"/>' for other in others)
        modifiers = f"<listOfModifiers>{modifiers}</listOfModifiers>" if modifiers else ""
        for sign, side, law, more in (("in", "Products", made, modifiers), ("out", "Reactants", lost.format(DRUG), "")):
            reactions.append(
                f'<reaction id="{name}_{sign}" reversible="false" fast="false"><listOf{side}>{reference}</listOf{side}>'
                f"{more}{math.format(law)}</reaction>"
            )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" '
        'version="1"><model id="lines"><listOfCompartments><compartment id="cell" size="1" constant="true"/>'
        f"</listOfCompartments><listOfSpecies>{''.join(species)}</listOfSpecies><listOfParameters>"
        f"{''.join(parameters)}</listOfParameters><listOfReactions>{''.join(reactions)}</listOfReactions></model></sbml>"
    )


def write_problem(folder, lines: int):
    """Write a problem of so many cell lines, three doses each, with noise of 0.1; return its YAML."""
    random = np.random.default_rng(lines)
    names = [f"line{number:04d}" for number in range(lines)]
    gene, scaling = np.exp(random.normal(0, 0.5, lines)), 10 ** random.normal(0, 0.3, lines)
    rows = [(name, dose, gene[i], scaling[i]) for i, name in enumerate(names) for dose in DOSES]
    table = pd.DataFrame(rows, columns=["line", "drug", "gene", "scaling"])
    table["conditionId"] = [f"{line}_dose{index % len(DOSES)}" for index, line in enumerate(table["line"])]
    table["measurement"] = simulated(table, RATES | WEIGHTS) + random.normal(0, 0.1, len(table))
    table["overrides"] = "scaling_proliferation_" + table["line"]
    values = RATES | WEIGHTS | {f"scaling_proliferation_{name}": scaling[i] for i, name in enumerate(names)}
    parameters = pd.DataFrame({"parameterId": list(values), "nominalValue": list(values.values())})
    parameters = parameters.assign(parameterScale="log10", lowerBound=0.01, upperBound=100, estimate=1)
    observable = "observableParameter1_proliferation * growth * weight_grow / (1 + signal * weight_signal)"
    observables = {"observableId": ["proliferation"], "observableFormula": [observable]}
    observables |= {"noiseFormula": ["noiseParameter1_proliferation"], "observableTransformation": ["lin"]}
    measurements = table.rename(columns={"conditionId": "simulationConditionId", "overrides": "observableParameters"})
    measurements = measurements.assign(observableId="proliferation", time=np.inf, noiseParameters=0.1)
    kept = ["observableId", "simulationConditionId", "observableParameters", "time", "measurement", "noiseParameters"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.xml").write_text(sbml())
    save_table(table[["conditionId", "gene", "drug"]], folder / "conditions.tsv")
    save_table(parameters, folder / "parameters.tsv")
    save_table(pd.DataFrame(observables), folder / "observables.tsv")
    save_table(measurements[kept], folder / "measurements.tsv")
    files = {f"{key}_files": [f"{key}s.tsv"] for key in ("condition", "observable", "measurement")}
    problems = [{"sbml_files": ["model.xml"], **files}]
    description = {"format_version": 1, "parameter_file": "parameters.tsv", "problems": problems}
    (folder / "problem.yaml").write_text(yaml.safe_dump(description))
    return folder / "problem.yaml"


def simulated(table, values):
    """The observable in steady state, solved by hand."""
    signal = values["k_make"] * table["gene"] / (values["k_lose"] + values["k_drug"] * table["drug"])
    growth = values["k_grow"] * signal / values["k_rest"]
    return table["scaling"] * growth * values["weight_grow"] / (1 + values["weight_signal"] * signal)


def by_hand(problem, theta, batch) -> float:
    """The objective of a batch of conditions, solved by hand."""
    values = dict(zip(problem.names, 10**theta, strict=True))
    table = problem.petab.measurement_df.iloc[batch].join(problem.petab.condition_df, on="simulationConditionId")
    table["scaling"] = table["observableParameters"].map(values)
    residuals = (simulated(table, values) - table["measurement"]) / 0.1
    return 0.5 * (residuals**2 + np.log(2 * np.pi * 0.01)).sum()


@pytest.fixture(scope="module")
def small(tmp_path_factory, compiled_model):
    """The YAML of a problem of four cell lines, and the folder of the model that all numbers of lines share."""
    path = write_problem(tmp_path_factory.mktemp("lines"), 4)
    return path, compiled_model(path)


@pytest.mark.parametrize("sensitivities", ["forward", "adjoint"])
def test_steady_states_and_their_gradients_are_right(small, sensitivities):
    problem = PetabProblem(*small, SolverOptions(sensitivities=sensitivities))
    assert (problem.n_conditions, len(problem.names)) == (12, 11)
    every, batch = np.arange(12), np.array([1, 5, 6])
    assert problem.value(problem.nominal, every) == pytest.approx(by_hand(problem, problem.nominal, every), rel=1e-4)
    theta = problem.nominal + 0.1
    gradient = problem.value_and_gradient(theta, batch)[1]
    for index, step in enumerate(1e-5 * np.eye(len(theta))):
        ends = [by_hand(problem, theta + sign * step, batch) for sign in (1, -1)]
        assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4, abs=1e-3), problem.names[index]
    assert gradient[-1] == 0  # the scaling of a line that the batch lacks


def test_each_cell_line_is_a_group(small):
    group, scaling = groups_of({"train": read_petab(small[0]).measurement_df})["train"]
    assert list(dict.fromkeys(group)) == [f"proliferation_line{number:04d}" for number in range(4)]
    assert scaling[0] == "scaling_proliferation_line0000"


def test_mini_batches_fit_such_a_problem(small, tmp_path):
    problem = PetabProblem(*small)
    settings = {"optimizer": {"rule": "adam_balanced"}, "batch_size": 3, "epochs": 60, "seed": 0}
    settings["schedule"] = {"name": "S", "start": 0.1, "end": 0.01, "shape": "logarithmic"}
    options = read_options(MinibatchOptions, settings)
    fits, trace, _ = minibatch_fits.fit_starts(problem, "lines", 0, "adam", 1, options, tmp_path / "checkpoint")
    assert fits["status"].iloc[0] == "finished"
    assert fits["objective"].iloc[0] < 0.2 * trace["objective"].iloc[0]


def test_thousands_of_conditions_and_parameters_are_prepared_column_by_column(small, tmp_path, calls_of):
    path = write_problem(tmp_path / "lines", 1000)
    preparation, problem = calls_of(PetabProblem, path, small[1])
    solution, (value, gradient) = calls_of(problem.value_and_gradient, problem.nominal, np.arange(100))
    assert (problem.n_conditions, len(problem.names)) == (3000, 1007)
    assert np.isfinite(value) and np.count_nonzero(gradient) == 7 + 34
    assert preparation < 4.5e6 and solution < 10_000  # 2.2e6 and 4,100


def test_the_published_problem_says_which_of_its_files_are_missing(mirror):
    collection = "Benchmarking-Initiative/Benchmark-Models-PEtab/4d2085084b289f6215a95475b1ee639fd7d42283"
    name = "Froehlich_CellSystems2018"
    path = mirror / collection / "Benchmark-Models" / name / f"{name}.yaml"
    with pytest.raises(
        InputError, match=f"experimentalCondition_{name}.tsv.*does not exist|{name}.xml.*does not exist"
    ):
        read_petab(path)
    measurements = pd.read_csv(path.parent / f"measurementData_{name}.tsv", sep="\t")
    group, _ = groups_of({"train": measurements})["train"]
    parameters = pd.read_csv(path.parent / f"parameters_{name}.tsv", sep="\t")
    assert len(measurements) == 9169 and len(set(group)) == 143 and (parameters["estimate"] == 1).sum() == 4231

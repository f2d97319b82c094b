"""SBML that AMICI would read as something else is refused, or reported, as the model is read."""

import warnings

import libsbml
import pytest

from kinetrain.errors import InputError, InputWarning
from kinetrain.mechanistic.sbml_model import read_sbml

LEVEL_1 = """<?xml version="1.0"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="toy">
 <listOfCompartments><compartment name="C" volume="2"/></listOfCompartments>
 <listOfSpecies><species name="S" compartment="C" initialAmount="3"/></listOfSpecies>
 <listOfReactions><reaction name="r" reversible="false"><listOfReactants>
  <speciesReference species="S" stoichiometry="3" denominator="{}"/></listOfReactants>
  <kineticLaw formula="S*C"/></reaction></listOfReactions>
</model></sbml>"""


@pytest.fixture
def write(tmp_path):
    """A function that writes a model of the species S in the compartment C with an event; its trigger and changes."""

    def written(trigger="time >= 1", amounts=False, rate="-S", **changes):
        document = libsbml.SBMLDocument(3, 1)
        model = document.createModel()
        cell = model.createCompartment()
        cell.setId("C"), cell.setSize(2), cell.setConstant(False), cell.setSpatialDimensions(3)
        species = model.createSpecies()
        species.setId("S"), species.setCompartment("C"), species.setInitialConcentration(1)
        species.setHasOnlySubstanceUnits(amounts), species.setBoundaryCondition(False), species.setConstant(False)
        mode = model.createParameter()
        mode.setId("mode"), mode.setValue(1), mode.setConstant(True)
        rule = model.createRateRule()
        rule.setVariable("S"), rule.setMath(libsbml.parseL3Formula(rate))
        event = model.createEvent()
        event.setId("change"), event.setUseValuesFromTriggerTime(True)
        made = event.createTrigger()
        made.setMath(libsbml.parseL3Formula(trigger)), made.setPersistent(True), made.setInitialValue(True)
        for name, formula in changes.items():
            assignment = event.createEventAssignment()
            assignment.setVariable(name), assignment.setMath(libsbml.parseL3Formula(formula))
        path = tmp_path / "model.xml"
        libsbml.writeSBMLToFile(document, str(path))
        return path

    return written


def test_a_denominator_of_level_1_is_refused(tmp_path):
    """AMICI takes three halves for three."""
    path = tmp_path / "model.xml"
    path.write_text(LEVEL_1.format(2))
    with pytest.raises(InputError, match=r"model\.xml: a stoichiometry in the reaction 'r' has a denominator"):
        read_sbml(path)
    path.write_text(LEVEL_1.format(1))
    read_sbml(path)


def test_an_event_that_sets_a_concentration_and_the_size_of_its_compartment_is_refused(write):
    """AMICI gives S = 1 where the event says S = 2 and doubles the compartment."""
    with pytest.raises(InputError, match="the event 'change' sets the concentration of 'S' and the size of its comp"):
        read_sbml(write(S="2", C="4"))
    read_sbml(write(C="4"))
    read_sbml(write(S="2"))
    read_sbml(write(S="2", C="4", amounts=True))


@pytest.mark.parametrize("trigger", ["time == 1", "1 == time", "mode > 0 && time - 1 == 0"])
def test_an_event_at_a_single_moment_is_refused(write, trigger):
    with pytest.raises(InputError, match=r"the event 'change' is triggered where time equals something .* write >="):
        read_sbml(write(trigger, S="2"))


def test_an_event_may_compare_parameters(write):
    read_sbml(write("mode == 1 && time >= 1", S="2"))


def test_a_piecewise_formula_that_is_not_whole_is_reported(write):
    with pytest.warns(InputWarning, match="'S' has a piecewise formula without 'otherwise', which is 0 where none"):
        read_sbml(write(rate="piecewise(1, time > 1)", C="4"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_sbml(write(rate="piecewise(1, time > 1, 2)", C="4"))

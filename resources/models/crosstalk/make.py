"""Write the over-complete model of this folder, three networks that it may be, and what is known of their reactions.

`python make.py [FOLDER]`, with any Python: the same files each time. README.md describes the model.
"""

import random
import sys
from itertools import permutations
from pathlib import Path

PROTEINS = ("P1", "P2", "P3", "P4", "P5", "P6")
STIMULATED = PROTEINS[:2]
CANDIDATES = tuple((a, kind, b) for kind in ("activates", "inhibits") for a, b in permutations(PROTEINS, 2))
NETWORKS = (1, 2, 3)  # their names and seeds
EXTRA, INHIBITIONS = 3, 3  # true reactions besides those that connect every protein to a stimulus
RATES, OFF_RATES, STIMULUS_RATES = (0.1, 1.0), (0.1, 0.3), (0.1, 0.3)  # per minute
UPPER, START_UPPER = 5, 0.5
CONFIDENT, DOUBTFUL = (6, 2), (2, 6)  # beta distributions of the confidence in true and in false reactions

SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
  <model id="crosstalk" name="Six proteins, each of which may activate or inhibit each other">
    <listOfCompartments>
      <compartment id="cell" spatialDimensions="3" size="1" constant="true"/>
    </listOfCompartments>
    <listOfSpecies>
{species}
    </listOfSpecies>
    <listOfParameters>
{parameters}
    </listOfParameters>
    <listOfReactions>
{reactions}
    </listOfReactions>
  </model>
</sbml>
"""
REACTION = """      <reaction id="{name}" reversible="false" fast="false">
        <{side}>
          <speciesReference species="{target}" stoichiometry="1" constant="true"/>
        </{side}>{modifiers}
        <kineticLaw>
          <math xmlns="http://www.w3.org/1998/Math/MathML">
            <apply><times/>{factors}</apply>
          </math>
        </kineticLaw>
      </reaction>"""
MODIFIERS = """
        <listOfModifiers>
          <modifierSpeciesReference species="{source}"/>
        </listOfModifiers>"""
ACTIVE, INACTIVE = "<ci> {} </ci>", "<apply><minus/><cn> 1 </cn><ci> {} </ci></apply>"


def reaction(name, target, rises, constants, source=None) -> str:
    """Return a reaction that makes the target more or less active, at a rate that is a product."""
    factors = [ACTIVE.format(one) for one in constants]
    if source:
        factors += [INACTIVE.format(f"drug_{source}"), ACTIVE.format(source)]
    factors.append((INACTIVE if rises else ACTIVE).format(target))
    side = "listOfProducts" if rises else "listOfReactants"
    modifiers = MODIFIERS.format(source=source) if source else ""
    return REACTION.format(name=name, side=side, target=target, modifiers=modifiers, factors="".join(factors))


def model() -> str:
    """Return the SBML of the model with all candidate reactions."""
    species = [
        f'      <species id="{one}" name="active share of {one}" compartment="cell" initialConcentration="0" '
        'hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>'
        for one in PROTEINS
    ]
    values = dict.fromkeys(inputs(), 0) | dict.fromkeys(estimated(), 0)
    parameters = [f'      <parameter id="{name}" value="{value}" constant="true"/>' for name, value in values.items()]
    reactions = [
        reaction(f"stimulus_activates_{one}", one, True, (f"k_stimulus_{one}", f"stimulus_{one}")) for one in STIMULATED
    ]
    reactions += [reaction(f"{one}_turns_off", one, False, (f"k_off_{one}",)) for one in PROTEINS]
    reactions += [
        reaction(f"{a}_{kind}_{b}", b, kind == "activates", (f"k_{a}_{kind}_{b}",), a) for a, kind, b in CANDIDATES
    ]
    return SBML.format(species="\n".join(species), parameters="\n".join(parameters), reactions="\n".join(reactions))


def inputs() -> list[str]:
    """Return what conditions set: doses, and the shares of each protein that a drug blocks."""
    return [f"stimulus_{one}" for one in STIMULATED] + [f"drug_{one}" for one in PROTEINS]


def estimated() -> list[str]:
    """Return the names of all parameters: those that every network has, then those of the candidates."""
    own = [f"k_stimulus_{one}" for one in STIMULATED] + [f"k_off_{one}" for one in PROTEINS]
    return own + [f"k_{a}_{kind}_{b}" for a, kind, b in CANDIDATES]


def draw_network(draw: random.Random) -> set:
    """Return the true reactions of a network: every protein is reached from a stimulus, no pair has both kinds."""
    order = list(PROTEINS[len(STIMULATED) :])
    draw.shuffle(order)
    reached, pairs, true = list(STIMULATED), set(), set()

    def add(kind, a, b):
        true.add((a, kind, b))
        pairs.add((a, b))

    for target in order:
        add("activates", draw.choice(reached), target)
        reached.append(target)
    for kind in ["activates"] * EXTRA + ["inhibits"] * INHIBITIONS:
        add(kind, *draw.choice([pair for pair in permutations(PROTEINS, 2) if pair not in pairs]))
    return true


def tables(network: int) -> dict[str, list]:
    """Return the tables of one network: its parameters with their true values, and the confidence in each candidate."""
    draw = random.Random(network)
    true = draw_network(draw)
    low, high = RATES
    values = {f"k_stimulus_{one}": draw.uniform(*STIMULUS_RATES) for one in STIMULATED}
    values |= {f"k_off_{one}": draw.uniform(*OFF_RATES) for one in PROTEINS}
    values |= {f"k_{a}_{kind}_{b}": low * (high / low) ** draw.random() for a, kind, b in sorted(true)}
    columns = ["parameterId", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"]
    parameters = [[*columns, "initializationPriorType", "initializationPriorParameters"]]
    start = ["parameterScaleUniform", f"0;{START_UPPER}"]
    parameters += [[name, "lin", 0, UPPER, f"{values.get(name, 0):.3g}", 1, *start] for name in estimated()]
    prior = [["parameterId", "reaction", "confidence"]]
    for a, kind, b in CANDIDATES:
        confidence = draw.betavariate(*(CONFIDENT if (a, kind, b) in true else DOUBTFUL))
        prior.append([f"k_{a}_{kind}_{b}", f"{a} {kind} {b}", f"{confidence:.2f}"])
    return {f"parameters_{network}": parameters, f"prior_{network}": prior}


def main(folder: Path) -> None:
    """Write all files but README.md into a folder."""
    columns = ["observableId", "observableName", "observableFormula", "noiseFormula"]
    observables = [columns, *([f"{one}_active", f"active share of {one}", one, 0.05] for one in PROTEINS)]
    written = {
        "conditions": [["conditionId", *inputs()], ["both_stimuli", *[1] * len(STIMULATED), *[0] * len(PROTEINS)]],
        "observables": observables,
        "measurements": [
            ["observableId", "simulationConditionId", "time", "measurement"],
            *([f"{one}_active", "both_stimuli", 0, 0] for one in PROTEINS),
        ],
    }
    for network in NETWORKS:
        written |= tables(network)
        yaml = (
            f"format_version: 1\nparameter_file: parameters_{network}.tsv\nproblems:\n  - sbml_files: [model.xml]\n"
            "    condition_files: [conditions.tsv]\n    observable_files: [observables.tsv]\n"
            "    measurement_files: [measurements.tsv]\n"
        )
        (folder / f"network_{network}.yaml").write_text(yaml)
    (folder / "model.xml").write_text(model())
    for name, rows in written.items():
        text = "\n".join("\t".join(map(str, row)) for row in rows)
        (folder / f"{name}.tsv").write_text(f"{text}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

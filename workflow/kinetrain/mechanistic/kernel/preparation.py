"""A PEtab problem made ready for its kernel: code generated, conditions as arrays. Needs AMICI and PEtab's library."""

import tempfile

from kinetrain.errors import InputError
from kinetrain.mechanistic.compiled_model import compile_model, load_model
from kinetrain.mechanistic.conditions import prepare as prepare_conditions
from kinetrain.mechanistic.kernel import build
from kinetrain.mechanistic.kernel.generate import Generator
from kinetrain.mechanistic.kernel.graph import KernelUnsupportedError, UnsupportedModelError
from kinetrain.mechanistic.kernel.mapping import BOXES, Arrays, Names, arrays_of
from kinetrain.mechanistic.kernel.model import import_symbolic, read_model
from kinetrain.mechanistic.parameter_priors import Priors
from kinetrain.mechanistic.petab_problem import silence_amici
from kinetrain.mechanistic.petab_reader import read_petab
from kinetrain.mechanistic.petab_tables import has_preequilibration, is_version_1
from kinetrain.mechanistic.starting_points import nominal_values, scaled, starting_box, starting_rows


def prepare(path, tables) -> tuple[dict, Arrays]:
    """Return facts about a problem, which JSON holds, and its arrays; tables: in place of its own, or None.

    Raises
    ------
    KernelUnsupportedError
        If the model has something that the kernel does not support.
    """
    problem = tables or read_petab(path)
    kernel = generate(path, problem)
    facts = build.facts_of(kernel)
    assert facts is not None  # kept when it was generated
    table = problem.parameter_df
    table = table[table["estimate"] == 1]
    names = list(table.index)
    lower, upper = (scaled(table, column) for column in ("lowerBound", "upperBound"))
    start_lower, start_upper = starting_box(table, lower, upper, path)
    boxes = (lower, upper, nominal_values(table, start_lower, start_upper), start_lower, start_upper)
    model = _model(path, problem, facts)
    conditions = prepare_conditions(problem, model, names, path)
    own = {
        "kernel": kernel,
        "names": names,
        "condition_names": [condition.data.id for condition in conditions],
        "prior_terms": _prior_terms(table, path),
        "starting_rows": starting_rows(table),
        "has_nominal": bool(table["nominalValue"].notna().all()),
        **{name: list(map(float, values)) for name, values in zip(BOXES, boxes, strict=True)},
    }
    return own, arrays_of(conditions, facts, list(model.get_fixed_parameter_ids()))


def _prior_terms(table, path) -> list:
    try:
        return Priors(table).terms
    except InputError as error:  # of a prior that may not be wanted at all
        raise KernelUnsupportedError(f"{path}: {error}") from None


def _model(path, problem, facts):
    """Return what tells the names in the model; AMICI's mapping of PEtab 2 asks a compiled model for more."""
    if is_version_1(problem):
        return Names(facts)
    with tempfile.TemporaryDirectory() as folder:
        compile_model(path, folder)
        model = load_model(path, problem, folder)
    same = {
        "parameter_names": list(model.get_free_parameter_ids()) == facts["parameter_names"],
        "state_names": list(model.get_state_ids()) == facts["state_names"],
        "observable_names": list(model.get_observable_ids()) == facts["observable_names"],
        # AMICI orders them anew in every import, as a set
        "constant_names": sorted(model.get_fixed_parameter_ids()) == sorted(facts["constant_names"]),
    }
    for names, agree in same.items():
        if not agree:
            raise KernelUnsupportedError(f"{path}: AMICI's model and the kernel's differ in their {names}")
    return model


def generate(path, problem) -> str:
    """Put the source of the kernel of a problem into the cache; return its name."""
    symbolic = import_symbolic(path, problem)
    silence_amici()
    try:
        # of version 2, states that never change stay in, as in AMICI's model
        second = not is_version_1(problem)
        model = read_model(symbolic, second or has_preequilibration(problem), sort_constants=second)
        generator = Generator(model)
        text = generator.text()
    except UnsupportedModelError as error:
        raise KernelUnsupportedError(f"{path}: the kinetics kernel does not support {error}") from None
    facts = {
        "states": len(model.states),
        "state_names": model.states,
        "parameter_names": model.parameters,
        "constant_names": model.constants,
        "observable_names": model.observables,
        "eliminated": model.eliminated,
        "driving": generator.driving,
        "operations": generator.operations,
    }
    return build.keep(text, facts)

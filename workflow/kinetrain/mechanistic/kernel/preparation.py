"""A PEtab problem made ready for its kernel: code generated, conditions as arrays. Needs AMICI and PEtab's library."""

from kinetrain.mechanistic.conditions import prepare as prepare_conditions
from kinetrain.mechanistic.kernel import build
from kinetrain.mechanistic.kernel.expressions import UnsupportedModelError
from kinetrain.mechanistic.kernel.generate import Generator
from kinetrain.mechanistic.kernel.mapping import Arrays, Names, arrays_of
from kinetrain.mechanistic.kernel.model import import_symbolic, read_model
from kinetrain.mechanistic.kernel.problem import KernelUnsupportedError
from kinetrain.mechanistic.parameter_priors import Priors
from kinetrain.mechanistic.petab_problem import scaled, starting_box
from kinetrain.mechanistic.petab_tables import PREEQUILIBRATION, read_petab


def prepare(path, tables=None) -> tuple[str, dict, Arrays]:
    """Return the name of the kernel of a problem, facts about the problem, and its arrays.

    Raises
    ------
    KernelUnsupportedError
        If the model has something that the kernel does not support.
    """
    problem = tables or read_petab(path)
    kernel = generate(path, problem)
    facts = build.facts_of(kernel)
    table = problem.parameter_df
    table = table[table["estimate"] == 1]
    names = list(table.index)
    lower, upper, nominal = (scaled(table, column) for column in ("lowerBound", "upperBound", "nominalValue"))
    start_lower, start_upper = starting_box(table, lower, upper, path)
    conditions = prepare_conditions(problem, Names(facts), names, path)
    own = {
        "names": names,
        "condition_names": [condition.data.id for condition in conditions],
        "prior_terms": Priors(table).terms,
        **{name: list(map(float, value)) for name, value in zip(_BOXES, (lower, upper, nominal), strict=True)},
        "start_lower": list(map(float, start_lower)),
        "start_upper": list(map(float, start_upper)),
    }
    return kernel, own, arrays_of(conditions, facts)


_BOXES = ("lower", "upper", "nominal")


def generate(path, problem) -> str:
    """Put the source of the kernel of a problem into the cache; return its name."""
    symbolic = import_symbolic(path, problem)
    before = problem.measurement_df.get(PREEQUILIBRATION)
    try:
        model = read_model(symbolic, before is not None and bool(before.notna().any()))
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

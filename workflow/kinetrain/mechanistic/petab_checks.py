"""Checks of the tables of a PEtab problem, before anything is computed from them."""

import copy
import difflib
import logging
import math
import re
import warnings

import libsbml
import pandas as pd
import petab.v1 as petab
from petab.v1.math import sympify_petab

from kinetrain.errors import InputError, InputWarning
from kinetrain.mechanistic.formulas import names, parse, value
from kinetrain.mechanistic.sbml_model import check_name, initial_value
from kinetrain.mechanistic.scales import TO_SCALE
from kinetrain.mechanistic.solver_options import EARLIEST, LATEST, is_reachable
from kinetrain.mechanistic.starting_points import scaled, starting_box, starting_quantiles, starting_rows

PREEQUILIBRATION, SIMULATION = "preequilibrationConditionId", "simulationConditionId"
PAIR = [PREEQUILIBRATION, SIMULATION]
IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
MEANT = "time", "pi", "exponentiale", "avogadro", "true", "false"  # in formulas of SBML or PEtab
# Columns that decide numbers. PEtab lets people add others, which nothing reads.
BOTH = {"observableId", "measurement", "time", "observableParameters", "noiseParameters", "parameterId", "lowerBound"}
BOTH |= {"upperBound", "nominalValue", "estimate", "observableFormula", "noiseFormula", "noiseDistribution"}
VERSION_1 = {PREEQUILIBRATION, SIMULATION, "parameterScale", "observableTransformation"}
VERSION_1 |= {f"{kind}Prior{part}" for kind in ("initialization", "objective") for part in ("Type", "Parameters")}
VERSION_2 = {"experimentId", "modelId", "priorDistribution", "priorParameters", "conditionId", "targetId"}
VERSION_2 |= {"targetValue", "observablePlaceholders", "noisePlaceholders"}
ALIKE = 0.87  # above which two names are taken for one, misspelt: `measurementType` and `measurement` are not


def is_number(cell) -> bool:
    """Whether a cell of a table (text or number) is a number, infinite ones included."""
    try:
        return "_" not in str(cell) and not math.isnan(float(cell))
    except (TypeError, ValueError):
        return False


def is_id(text: str) -> bool:
    """Whether a text can be an id; PEtab's library takes `nan`, `Inf` and `True` for something else."""
    return IDENTIFIER.fullmatch(text) is not None and text.lower() not in ("nan", "inf", "infinity", "true", "false")


def check_problem(problem: petab.Problem, path) -> None:
    """Raise InputError unless AMICI can take the tables of a problem of version 1 and gets right numbers from them.

    The measurement table's index holds the rows as a spreadsheet counts them.
    """
    tables = {"parameter": problem.parameter_df, "observable": problem.observable_df}
    for kind, table in {**tables, "measurement": problem.measurement_df}.items():
        check_columns(table, BOTH | VERSION_1, f"{path}: {kind} table")
    _check_parameters(problem.parameter_df, f"{path}: parameter table")
    estimated = problem.parameter_df[problem.parameter_df["estimate"] == 1]
    starting_box(estimated, scaled(estimated, "lowerBound"), scaled(estimated, "upperBound"), path)
    starting_quantiles(starting_rows(estimated), path)
    _check_measurements(problem, f"{path}: measurement table")
    check_names(problem.model.sbml_model, {**tables, "condition": problem.condition_df}, path)
    set_in_all = problem.condition_df.columns[problem.condition_df.notna().all()]
    check_values(problem.model.sbml_model, [*problem.parameter_df.index, *set_in_all], path)
    _check_conditions(problem, f"{path}: condition table")
    placeholders = {
        name: [f"noiseParameter{number}_{name}" for number in range(1, 1 + str(formula).count("noiseParameter"))]
        for name, formula in problem.observable_df.reindex(columns=["noiseFormula"])["noiseFormula"].items()
    }
    check_formulas(problem.observable_df, path)
    fixed = problem.parameter_df[problem.parameter_df["estimate"] == 0]["nominalValue"].to_dict()
    varied = set(problem.parameter_df.index) | set(problem.condition_df.columns)
    check_noise(
        problem.model.sbml_model, problem.observable_df, placeholders, problem.measurement_df, fixed, varied, path
    )
    _lint(problem, path)


def check_columns(table, known, where, of_version_1=()) -> None:
    """Raise InputError if a column is one of the `known` ones but misspelt, or one that version 2 has given up."""
    plain = {name.lower(): name for name in known}
    for name in table.columns.difference(list(known)):
        if name in of_version_1:
            raise InputError(f"{where}: the column '{name}' is of PEtab version 1 and means nothing in version 2")
        if close := difflib.get_close_matches(name.lower().replace("_", ""), plain, n=1, cutoff=ALIKE):
            raise InputError(f"{where}: the column '{name}' means nothing (did you mean '{plain[close[0]]}'?)")


def check_names(sbml, tables: dict, path) -> None:
    """Raise InputError if a name in an SBML model or in the index of a table (by kind) cannot be given to AMICI."""
    from amici.exporters.sundials.cxxcodeprinter import AmiciCxxCodePrinter  # takes seconds that predictions need not
    from amici.importers.utils import RESERVED_SYMBOLS

    taken = {*MEANT, *(f"amici_{name}" for name in RESERVED_SYMBOLS)}  # of them AMICI makes something else
    for name in taken:
        if sbml.getElementBySId(name):
            raise InputError(f"{path}: the model has the id '{name}', which means something else in AMICI; rename it")
    for kind, table in tables.items():
        for name in table.index:
            if not is_id(name):
                raise InputError(
                    f"{path}: {kind} table: '{name}' cannot be an id: letters, digits and '_' make one, no digit first"
                )
            if name in taken:
                raise InputError(f"{path}: {kind} table: the id '{name}' means something else in AMICI; rename it")
    # AMICI writes `new_` for `new`, which may be another id of the model, and the number for `M_PI`.
    words, quantities = {*AmiciCxxCodePrinter().reserved_words, "M_PI"}, _quantities(sbml)
    for where, ids in {"the model": quantities, **{f"{kind} table": one.index for kind, one in tables.items()}}.items():
        if where != "condition table" and (found := sorted(words.intersection(ids))):
            raise InputError(f"{path}: {where}: the id '{found[0]}' is a word of C++, which AMICI writes; rename it")
    if needed := tables["observable"].index.intersection(RESERVED_SYMBOLS).tolist():
        raise InputError(f"{path}: observable table: AMICI needs the id '{needed[0]}' itself; take another one")
    if needed := [one.getId() for one in sbml.getListOfCompartments() if one.getId() in RESERVED_SYMBOLS]:
        raise InputError(f"{path}: the model has a compartment '{needed[0]}', an id that AMICI needs itself")
    for name, kind, owner in _made_by_amici(sbml, tables["observable"].index):
        if sbml.getElementBySId(name) or any(name in table.index for table in tables.values()):
            raise InputError(f"{path}: AMICI needs the id '{name}' for the {kind} '{owner}'; take another one")
    for name, text in tables["observable"].get("observableName", pd.Series(dtype=str)).dropna().items():
        check_name(text, f"{path}: observable table: '{name}' has the observableName")


def _made_by_amici(sbml, observables):
    """Yield the ids that AMICI makes of other ids, which it does not tell from the user's own, and of what they are."""
    from amici.importers.utils import RESERVED_SYMBOLS

    for name in observables:
        yield f"sigma_{name}", "noise of", name
    for reaction in sbml.getListOfReactions():
        yield f"flux_{reaction.getId()}", "rate of", reaction.getId()
    for species in sbml.getListOfSpecies():
        yield f"tcl_{species.getId()}", "conserved total of", species.getId()
    for name in _quantities(sbml):
        rule, species = sbml.getRuleByVariable(name), sbml.getSpecies(name)
        if rule.isRate() if rule else species is not None and not species.getConstant():
            written = f"amici_{name}" if name in RESERVED_SYMBOLS else name
            yield f"d{written}dt", "rate of change of", name


def _quantities(sbml) -> list[str]:
    """Return the ids of the parameters and species of an SBML model."""
    return [one.getId() for one in (*sbml.getListOfParameters(), *sbml.getListOfSpecies())]


def check_formulas(observables, path) -> None:
    """Raise InputError if an observable or noise formula is missing, none, or too much for sympy."""
    for column in ("observableFormula", "noiseFormula"):
        if column not in observables:
            raise InputError(f"{path}: observable table: no column '{column}'")
        for name, text in observables[column].items():
            if pd.isna(text):
                raise InputError(f"{path}: observable table: {column} of '{name}' is empty")
            parse(text, f"{path}: observable table: {column} of '{name}'")


def check_noise(sbml, observables, placeholders, measurements, fixed, varied, path) -> None:
    """Raise InputError if the noise of a measurement is known and not a positive number, or a species.

    placeholders: names in the noise formula that the column noiseParameters fills in, by observable. fixed: values of
    parameters by name. varied: names whose value the tables say, so that those in the model do not count.
    """
    cells = measurements.reindex(columns=["observableId", "noiseParameters"]).drop_duplicates()
    for observable, text in observables["noiseFormula"].items():
        tree, where = parse(text, observable), f"{path}: observable table: noiseFormula of '{observable}'"
        if tree.isName() and sbml.getSpecies(tree.getName()):  # AMICI wants a parameter of a formula that is a name
            raise InputError(f"{where} is the species '{tree.getName()}' alone, which AMICI does not support")
        known = {name: fixed.get(name) for name in names(tree) & fixed.keys()}
        known |= {name: initial_value(sbml, name, constant=True) for name in names(tree) - varied}
        level = value(tree, known)
        if level is None and sympify_petab(str(text)) == 0:  # whatever its parts are: AMICI's code does not compile
            level = 0.0
        _check_level(level, where)
        for row, cell in cells.loc[cells["observableId"] == observable, "noiseParameters"].dropna().items():
            given = [float(part) if is_number(part) else fixed.get(part) for part in str(cell).split(";")]
            filled = known | dict(zip(placeholders.get(observable, ()), given, strict=False))
            _check_level(
                value(tree, filled), f"{path}: measurement table: noiseParameters in row {row} is {cell}: noise"
            )


def _check_level(level, where):
    if level is not None and not 0 < level < math.inf:
        raise InputError(f"{where} is {level:g}; it must be positive and finite")


def check_values(sbml, varied, path) -> None:
    """Raise InputError if a number that an SBML model gives is not finite, or the size of a compartment not positive.

    Warn of starts, sizes and stoichiometries that it does not give. What the tables set (`varied`) does not count.
    """
    given = {rule.getVariable() for rule in sbml.getListOfRules() if rule.isAssignment()} | set(varied)
    given |= {one.getSymbol() for one in sbml.getListOfInitialAssignments()}
    found: dict[str, list] = {"start of 0": [], "size of 1": [], "stoichiometry of 1": []}
    for name, default, number in _own_values(sbml):
        what = default.split()[0]
        if name in given:
            continue
        if number is None:
            found.get(default, []).append(name)
        elif not math.isfinite(number) or (what == "size" and number <= 0):
            wanted = "a positive, finite number" if what == "size" else "a finite number"
            raise InputError(f"{path}: in the model the {what} of '{name}' is {number:g}; {wanted} is needed")
    for default, missing in found.items():
        if missing:
            text = f"{path}: the model has no value of {_listed(missing)}: a {default} is taken"
            warnings.warn(text, InputWarning, stacklevel=2)


def _own_values(sbml):
    """Yield names in an SBML model, what is taken if their number is missing, and that number or None."""
    for one in sbml.getListOfAllElements():
        if one.getTypeCode() in (libsbml.SBML_PARAMETER, libsbml.SBML_LOCAL_PARAMETER):
            yield one.getId(), "value", one.getValue() if one.isSetValue() else None
    for one in sbml.getListOfSpecies():
        start = one.getInitialAmount() if one.isSetInitialAmount() else one.getInitialConcentration()
        is_set = one.isSetInitialAmount() or one.isSetInitialConcentration()
        yield one.getId(), "start of 0", start if is_set else None
    for one in sbml.getListOfCompartments():
        if one.getLevel() > 1:
            yield one.getId(), "size of 1", one.getSize() if one.isSetSize() else None
    for one in sbml.getListOfReactions() if sbml.getLevel() > 2 else ():
        for side in (*one.getListOfReactants(), *one.getListOfProducts()):
            number = side.getStoichiometry() if side.isSetStoichiometry() else None
            yield side.getId() or side.getSpecies(), "stoichiometry of 1", number


def check_nominal(nominal, lower, upper, where) -> None:
    """Warn of nominal values that are missing or out of bounds; some published problems have them."""
    if missing := list(nominal.index[nominal.isna()]):
        warnings.warn(
            f"{where}: no nominalValue of {_listed(missing)}: the problem can be fitted, but has no nominal objective",
            InputWarning,
            stacklevel=2,
        )
    if outside := list(nominal.index[(nominal < lower) | (nominal > upper)]):
        warnings.warn(
            f"{where}: nominalValue of {_listed(outside)} is out of bounds, where no fit will get",
            InputWarning,
            stacklevel=2,
        )


def _listed(found) -> str:
    return f"'{found[0]}'" + (f" and {len(found) - 1} more" if len(found) > 1 else "")


def _check_parameters(table, where):
    """Raise InputError unless estimates and scales are known, and bounds and nominal values numbers in their range."""
    estimate = numbers(table, "estimate", where)
    for name, found in estimate[~estimate.isin([0, 1])].items():
        raise InputError(f"{where}: estimate of row '{name}' is {found:g}; it must be 0 or 1")
    table["estimate"] = estimate.astype(int)
    estimated = table[table["estimate"] == 1]
    if estimated.empty:
        raise InputError(f"{where}: 'estimate' is 1 for no parameter")
    if "parameterScale" not in table:
        raise InputError(f"{where}: no column 'parameterScale'")
    for name, scale in table["parameterScale"][~table["parameterScale"].isin(TO_SCALE)].items():
        found = "empty" if pd.isna(scale) else f"'{scale}'"
        raise InputError(f"{where}: parameterScale of '{name}' is {found}; it must be {', '.join(TO_SCALE)}")
    if "nominalValue" not in table:
        table["nominalValue"] = estimated.loc[:, []].assign(nominalValue=math.nan)["nominalValue"]
    given = table["nominalValue"].notna() | (table["estimate"] == 0)
    table.loc[given, "nominalValue"] = numbers(table[given], "nominalValue", where)
    table["nominalValue"] = table["nominalValue"].astype(float)
    bounds = {column: _bound(table, column, where) for column in ("lowerBound", "upperBound")}
    ranges = {"nominalValue": table["nominalValue"], **bounds}
    logarithmic, free = table["parameterScale"] != "lin", table["estimate"] == 1
    for column, values in ranges.items():
        # Some published models have nominal values of zero; bounds of what is fixed mean nothing.
        wrong = values < 0 if column == "nominalValue" else free & (values <= 0)
        for name, found in values[logarithmic & wrong].items():
            raise InputError(f"{where}: {column} of '{name}' is {found:g}, but its scale is logarithmic")
    for name in table.index[bounds["lowerBound"] > bounds["upperBound"]]:
        raise InputError(f"{where}: lowerBound of '{name}' is above its upperBound")
    check_nominal(*(values[free] for values in ranges.values()), where)


def _bound(table, column, where) -> pd.Series:
    """Return a column of bounds; InputError unless those of estimated parameters are finite, and all given are numbers.

    Bounds of fixed parameters may be infinite, or missing (NaN).
    """
    numbers(table[table["estimate"] == 1], column, where)
    return numbers(table[table[column].notna()], column, where, infinite=True).reindex(table.index)


def _check_measurements(problem, where):
    """Raise InputError unless measurements, times and overrides can be used, and conditions are in their table."""
    table = problem.measurement_df
    if table.empty:
        raise InputError(f"{where}: no measurements")
    table["measurement"] = numbers(table, "measurement", where)
    table["time"] = times(table, where)
    check_overrides(table, where)
    for row, time in table["time"][table["time"] < 0].items():
        raise InputError(f"{where}: time of row '{row}' is {time:g}; simulations begin at 0")
    for column in PAIR:
        if column in table:
            named = table[column].dropna()
            for row, name in named[~named.isin(problem.condition_df.index)].items():
                raise InputError(f"{where}: {column} of row '{row}' is '{name}', which is not in the condition table")


def check_overrides(table, where) -> None:
    """Raise InputError unless the overrides of a measurement table are numbers or ids."""
    for column in table.columns.intersection(["observableParameters", "noiseParameters"]):
        for row, cell in table[column].dropna().drop_duplicates().items():
            if not all(map(_is_usable, str(cell).split(";"))):
                raise InputError(
                    f"{where}: {column} in row {row} is {cell}; finite numbers or ids, separated by ';', are needed"
                )


def _is_usable(cell) -> bool:
    """Whether a cell is a finite number or an id; Python, and with it PEtab's library, reads more as numbers."""
    text = str(cell).strip()
    return math.isfinite(float(text)) if is_number(text) else is_id(text)


def check_targets(sbml, targets, where) -> None:
    """Raise InputError if conditions set what an assignment rule of the model sets at all times, which wins."""
    for name in targets:
        if sbml.getAssignmentRuleByVariable(name):
            raise InputError(f"{where}: '{name}' is set by an assignment rule of the model; conditions cannot set it")


def check_size(sbml, name, cell, where) -> None:
    """Raise InputError if a condition gives a compartment a number that is no size."""
    if sbml.getCompartment(name) and is_number(cell) and float(cell) <= 0:
        raise InputError(f"{where} is {float(cell):g}; the size of a compartment must be positive")


def _check_conditions(problem, where):
    """Raise InputError unless cells are numbers or ids, and warn of empty ones where a parameter needs its value."""
    check_targets(problem.model.sbml_model, problem.condition_df.columns, where)
    for name, column in problem.condition_df.drop(columns="conditionName", errors="ignore").items():
        for condition, cell in column.dropna().items():
            if not _is_usable(cell):
                raise InputError(f"{where}: '{name}' of '{condition}' is {cell}; a finite number or an id is needed")
            check_size(problem.model.sbml_model, name, cell, f"{where}: '{name}' of '{condition}'")
        own = initial_value(problem.model.sbml_model, name, constant=True)
        if own is not None and (empty := list(column.index[column.isna()])):
            text = f"{where}: '{name}' of {_listed(empty)} is empty: the model's own value {own:g} counts"
            warnings.warn(text, InputWarning, stacklevel=2)


def numbers(table, column, where, infinite=False):
    """Return a column as numbers, by row; InputError where it is missing or a cell is none, or is not finite."""
    if column not in table:
        raise InputError(f"{where}: no column '{column}'")
    for row, cell in table[column].items():
        if not is_number(cell) or (math.isinf(float(cell)) and not infinite):
            found = "empty" if pd.isna(cell) else f"'{cell}'"
            wanted = "a number" if infinite else "a finite number"
            raise InputError(f"{where}: {column} of row '{row}' is {found}; {wanted} is needed")
    return table[column].astype(float)


def times(table, where):
    """Return the column `time` as numbers, by row; InputError of one that is missing or that no solver can reach."""
    found = numbers(table, "time", where, infinite=True)
    if len(bad := found[~found.abs().map(is_reachable).astype(bool)]):
        raise InputError(
            f"{where}: time of row '{bad.index[0]}' is {bad.iloc[0]:g}, which no solver can reach: times other than 0 "
            f"are {EARLIEST:g} to {LATEST:g} in size, and a steady state is at inf"
        )
    return found


def _typical_rows(measurements):
    """Return measurements with every combination of observable and overrides once: the smallest number of each.

    The linter takes a tenth of a millisecond for each row, and finds nothing in the others that we have not checked.
    """
    keys = measurements.reindex(columns=["observableId", "observableParameters", "noiseParameters"]).astype(object)
    keys["noiseParameters"] = keys["noiseParameters"].mask(keys["noiseParameters"].map(is_number), "number")
    smallest = measurements["measurement"].sort_values().index
    return measurements.loc[keys.loc[smallest].astype(str).drop_duplicates().index].sort_index()


def _lint(problem, path):
    """Raise InputError with what PEtab's own linter finds."""
    messages = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: messages.append(str(record.getMessage()))
    logger = logging.getLogger("petab.v1.lint")
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    small = copy.copy(problem)
    small.measurement_df = _typical_rows(problem.measurement_df)
    try:
        failed = petab.lint_problem(small)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: the PEtab linter cannot read its tables ({reason})") from error
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
    if failed:
        found = "; ".join(" ".join(message.split()) for message in messages if message != "Not OK")
        raise InputError(f"{path}: not a valid PEtab problem: {found}")

"""PEtab problems of version 2 for AMICI: experiments become events and initial values of the compiled model.

An experiment is what a condition is in version 1: one initial value problem, the unit of mini-batches. Parameters of
version 2 have no scale; here those with a positive lower bound are estimated on the log10 scale (a choice of ours).
That version 2 cuts priors off at the bounds changes them by a constant, which is left out.
"""

import json
import logging
import re

import numpy as np
import pandas as pd
from amici.importers.petab import (
    PetabImporter,
    flatten_timepoint_specific_output_overrides,
    has_timepoint_specific_overrides,
)
from amici.sim import sundials as amici
from amici.sim.sundials.petab import ExperimentManager
from petab import v2 as petab
from petab.v2.lint import ValidationIssueSeverity
from petab.v2.models.sbml_model import SbmlModel

from kinetrain.errors import InputError
from kinetrain.mechanistic.conditions import SCALES, Condition, petab_ids
from kinetrain.mechanistic.formulas import parse, value
from kinetrain.mechanistic.initial_assignments import remove_overridden
from kinetrain.mechanistic.petab_checks import (
    BOTH,
    VERSION_1,
    VERSION_2,
    check_columns,
    check_formulas,
    check_names,
    check_noise,
    check_nominal,
    check_overrides,
    check_size,
    check_targets,
    check_values,
    numbers,
    times,
)
from kinetrain.mechanistic.petab_files import checksum, list_files
from kinetrain.mechanistic.petab_tables import read_tables, text_column
from kinetrain.mechanistic.sbml_model import changed_by_events, read_sbml
from kinetrain.mechanistic.scales import TO_SCALE, scale_of_version_2

PRIORS = {"log-normal": "logNormal", "log-laplace": "logLaplace", "log-uniform": "logUniform"}
INDEX = {"parameter": "parameterId", "observable": "observableId"}
KINDS = {
    "parameter": petab.ParameterTable,
    "condition": petab.ConditionTable,
    "experiment": petab.ExperimentTable,
    "observable": petab.ObservableTable,
    "measurement": petab.MeasurementTable,
    "mapping": petab.MappingTable,
}

# The import reports each of its steps.
for _name in ("amici.importers.petab._petab_importer", "amici.sim.sundials.petab._v2", "petab.v2.lint"):
    logging.getLogger(_name).setLevel(logging.ERROR)


class ProblemOfVersion2:
    """A checked PEtab 2 problem. `parameter_df` is its parameter table as version 1 would have it.

    Raises
    ------
    InputError
        If a table cannot be read, the problem is not valid, or it has what AMICI or our objective do not support.
    """

    def __init__(self, path, description):
        self.path, self.description = path, description
        tables = {
            key: read_tables([path.parent / name for name in description[f"{key}_files"]], INDEX.get(key))
            for key in KINDS
            if description.get(f"{key}_files")
        }
        (model,) = description["model_files"].values()
        document = read_sbml(path.parent / model["location"])
        self._check(tables, document.getModel())
        try:
            self.problem = petab.Problem(
                models=[SbmlModel(sbml_document=document, model_id=next(iter(description["model_files"])))],
                config=petab.ProblemConfig(**description, base_path=path.parent, filepath=path),
                **{f"{key}_tables": [KINDS[key].from_df(table)] for key, table in tables.items()},
            )
            issues = [i.message for i in self.problem.validate() if i.level >= ValidationIssueSeverity.ERROR]
        except Exception as error:
            reason = re.sub(r"For further information visit \S+", "", str(error))
            raise InputError(f"{path}: its tables cannot be read ({' '.join(reason.split())})") from error
        if issues:
            raise InputError(f"{path}: not a valid PEtab problem: {' '.join('; '.join(issues).split())}")
        if has_timepoint_specific_overrides(self.problem):
            flatten_timepoint_specific_output_overrides(self.problem)
        remove_overridden(self.problem.model.sbml_model, [one.id for one in self.problem.parameters], (), str(path))
        self.parameter_df = self._parameters()

    def _check(self, tables, sbml):
        """Raise InputError unless AMICI can take names and formulas of the tables, and known noise is positive."""
        observables, parameters = tables["observable"], tables["parameter"]
        for kind, table in tables.items():
            check_columns(table, BOTH | VERSION_2, f"{self.path}: {kind} table", of_version_1=VERSION_1)
        check_names(sbml, {"parameter": parameters, "observable": observables}, self.path)
        check_formulas(observables, self.path)
        for name in changed_by_events(sbml, parameters.index):
            raise InputError(
                f"{self.path}: parameter table: '{name}' is changed by an event of the model, so AMICI would start it "
                "from the model's own value; let the event change another one, with an initial assignment from this one"
            )
        changes = tables.get("condition", pd.DataFrame()).reindex(columns=["conditionId", "targetId", "targetValue"])
        check_values(sbml, [*parameters.index, *changes["targetId"]], self.path)
        self._check_changes(changes, sbml)
        estimate = parameters.reindex(columns=["estimate"])["estimate"].astype(str)
        for name, found in estimate[~estimate.str.lower().isin(["true", "false"])].items():
            raise InputError(
                f"{self.path}: parameter table: estimate of row '{name}' is {found}; it must be true or false"
            )
        given = parameters.reindex(columns=["nominalValue"]).dropna()
        numbers(given, "nominalValue", f"{self.path}: parameter table")
        begun = tables.get("experiment", pd.DataFrame()).reindex(columns=["experimentId", "conditionId"]).dropna()
        for row, experiment, name in begun[~begun["conditionId"].isin(changes["conditionId"])].itertuples(name=None):
            raise InputError(
                f"{self.path}: experiment table: row {row}: the condition '{name}' of '{experiment}' is not in the "
                "condition table"
            )
        self._check_measurements(tables["measurement"], tables.get("experiment", pd.DataFrame()))
        fixed = parameters[parameters["estimate"].astype(str).str.lower() == "false"]["nominalValue"].to_dict()
        names = text_column(observables, "noisePlaceholders", "")
        placeholders = {name: [one.strip() for one in text.split(";")] for name, text in names.items()}
        varied = {*parameters.index, *changes["targetId"], *(name for some in placeholders.values() for name in some)}
        check_noise(sbml, observables, placeholders, tables["measurement"], fixed, varied, self.path)

    def _check_changes(self, changes, sbml):
        """Raise InputError unless every row of the condition table sets a target once, to a finite value or formula."""
        for row, empty in changes.isna()[changes.isna().any(axis=1)].iterrows():
            raise InputError(f"{self.path}: condition table: row {row} has no {empty.idxmax()}")
        check_targets(sbml, changes["targetId"].dropna(), f"{self.path}: condition table")
        for row, condition, target, formula in changes.dropna().itertuples(name=None):
            where = f"{self.path}: condition table: row {row}: targetValue of '{target}' in '{condition}'"
            number = value(parse(formula, where), {})
            if number is not None and not np.isfinite(number):
                raise InputError(f"{where} is {number:g}; a finite number or a formula is needed")
            check_size(sbml, target, number, where)
        for row, condition, target, _ in changes[changes.duplicated(["conditionId", "targetId"])].itertuples(name=None):
            raise InputError(f"{self.path}: condition table: row {row} sets '{target}' in '{condition}' once more")

    def _check_measurements(self, measurements, experiments):
        """Raise InputError unless measurements are numbers, at a time when their experiment has begun."""
        where = f"{self.path}: measurement table"
        if measurements.empty:
            raise InputError(f"{where}: no measurements")
        numbers(measurements, "measurement", where)
        measured = times(measurements, where)
        check_overrides(measurements, where)
        experiments = experiments.reindex(columns=["experimentId", "time"])
        periods = times(experiments, f"{self.path}: experiment table")
        begins = periods[np.isfinite(periods)].groupby(experiments["experimentId"]).min()
        named = measurements.reindex(columns=["experimentId"])["experimentId"]
        for row, name in named.dropna()[~named.dropna().isin(experiments["experimentId"])].items():
            raise InputError(f"{where}: experimentId of row '{row}' is '{name}', which is not in the experiment table")
        begin = named.map(begins).fillna(0.0)
        for row, time in measured[measured < begin].items():
            raise InputError(f"{where}: time of row '{row}' is {time:g}; its experiment begins at {begin[row]:g}")

    def fingerprint(self) -> dict[str, str]:
        """Return the sha256 of what shapes the compiled code, by part; the measured numbers do not."""
        measured = set(self.description["measurement_files"])
        files = [file for file in list_files(self.path, self.description) if file.name not in measured]
        sbml = [self.path.parent / model["location"] for model in self.description["model_files"].values()]
        names = json.dumps([sorted(self.problem.get_output_parameters()), sorted(self.problem.x_free_ids)])
        return {
            "sbml": checksum(b"".join(file.read_bytes() for file in sbml)),
            "observables": checksum(self.problem.observable_df.to_csv()),
            "experiments": checksum(b"".join(file.read_bytes() for file in files) + names.encode()),
        }

    def generate(self, name, folder):
        """Let AMICI write and compile the module `name` into `folder`."""
        self._importer(module_name=name, output_dir=folder).import_module(force_import=True)

    def import_sbml(self):
        """Let AMICI read the model, with experiments made events, observables and roles of parameters, and no more."""
        self._importer(module_name="unused")._do_import_sbml()

    def prepare(self, model, names) -> list[Condition]:
        """Return the experiments that have measurements, prepared (`conditions.prepare`), in the order of these."""
        problem = self._importer(module_name="unused").petab_problem
        manager = ExperimentManager(model, problem)
        own = petab_ids(model.get_free_parameter_ids())
        manager._pid_to_idx = {name: index for index, name in enumerate(own)}
        manager._fixed_pid_to_idx = {name: i for i, name in enumerate(petab_ids(model.get_fixed_parameter_ids()))}
        measured = dict.fromkeys(measurement.experiment_id for measurement in problem.measurements)
        try:
            return [self._experiment(problem[name], manager, own, list(names)) for name in measured]
        except (NotImplementedError, AssertionError, KeyError, ValueError) as error:
            raise InputError(f"{self.path}: AMICI does not support it: {error}") from error

    def _experiment(self, experiment, manager, own, names) -> Condition:
        """Return an experiment as AMICI's data; `own` are the ids of the model's parameters."""
        data = manager.create_edata(experiment)
        # Where the noise formula is more than its placeholder, the number in its place is not yet the noise.
        observables = [manager.petab_problem[name] for name in manager.model.get_observable_ids()]
        formulas = np.array([one.noise_placeholders != [one.noise_formula] for one in observables])
        noise = np.array(data.get_noise_scales()).reshape(-1, len(observables))
        noise[:, formulas] = np.nan
        data.set_noise_scales(noise.ravel())
        filled = manager._get_placeholder_mapping(experiment)
        origin = [filled.get(name, name) for name in own]
        estimated = np.array([index for index, name in enumerate(origin) if name in names], dtype=int)
        data.plist = [int(index) for index in estimated]
        scales = self.parameter_df["parameterScale"]
        on_scale = [SCALES[scales[name] if name in names else "lin"] for name in origin]
        data.pscale = amici.parameter_scaling_from_int_vector(on_scale)
        values = np.array(data.free_parameters)
        # Placeholders that an experiment does not fill may be NaN; they would spoil derivatives of nothing.
        idle = {str(name) for one in observables for name in (*one.observable_placeholders, *one.noise_placeholders)}
        for index in np.flatnonzero(np.isnan(values)):
            if own[index] not in idle:
                raise InputError(f"{self.path}: '{own[index]}' has no value, neither in the tables nor in the model")
        if (constants := np.isnan(data.fixed_parameters)).any():
            name = petab_ids(manager.model.get_fixed_parameter_ids())[int(np.argmax(constants))]
            raise InputError(f"{self.path}: '{name}' has no value, neither in the tables nor in the model")
        from_theta = np.array([names.index(origin[index]) for index in estimated], dtype=int)
        return Condition(data, np.nan_to_num(values, nan=0.0), estimated, from_theta)

    def _importer(self, **where):
        try:
            return PetabImporter(self.problem, validate=False, verbose=logging.ERROR, **where)
        except (NotImplementedError, ValueError) as error:
            raise InputError(f"{self.path}: AMICI does not support it: {error}") from error

    def _parameters(self) -> pd.DataFrame:
        rows = {}
        for one in self.problem.parameters:
            row = {"nominalValue": one.nominal_value, "estimate": int(one.estimate), "parameterScale": "lin"}
            if one.estimate:
                row["parameterScale"] = scale_of_version_2(one.lb)
                if one.prior_distribution is not None:
                    row["objectivePriorType"] = PRIORS.get(one.prior_distribution, one.prior_distribution)
                    row["objectivePriorParameters"] = ";".join(map(str, one.prior_parameters))
                row |= self._starts(one, TO_SCALE[row["parameterScale"]])
                if one.nominal_value is None:
                    one.nominal_value = float(np.clip(1.0, one.lb, one.ub))  # AMICI needs one; ours replaces it
            rows[one.id] = {**row, "lowerBound": one.lb, "upperBound": one.ub}
        if not any(row["estimate"] for row in rows.values()):
            raise InputError(f"{self.path}: parameter table: 'estimate' is true for no parameter")
        table = pd.DataFrame.from_dict(rows, orient="index").astype({"nominalValue": float})
        estimated = table[table["estimate"] == 1]
        lower, upper = (estimated[column].astype(float) for column in ("lowerBound", "upperBound"))
        check_nominal(estimated["nominalValue"], lower, upper, f"{self.path}: parameter table")
        return table

    def _starts(self, one, scale) -> dict:
        """Return where fits start without finite bounds: in the middle 98 % of the prior (a choice of ours)."""
        if np.isfinite([one.lb, one.ub]).all():
            return {}
        if one.prior_distribution is None:
            raise InputError(f"{self.path}: parameter table: '{one.id}' needs finite bounds, or a prior")
        ends = (scale(end) for end in one.prior_dist.ppf(np.array([0.01, 0.99])))
        kind, numbers = "parameterScaleUniform", ";".join(repr(float(end)) for end in ends)
        return {"initializationPriorType": kind, "initializationPriorParameters": numbers}

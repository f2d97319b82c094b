"""PEtab problems of version 2, as AMICI takes them: experiments become events and initial values of the compiled model.

An experiment is what a condition is in version 1: one initial value problem, the unit of mini-batches. Parameters of
version 2 have no scale; here those with a positive lower bound are estimated on the log10 scale (a choice of ours).
That version 2 cuts priors off at the bounds changes them by a constant, which is left out.
"""

import json
import logging

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

from kinetrain.errors import InputError
from kinetrain.mechanistic.conditions import SCALES, Condition
from kinetrain.mechanistic.initial_assignments import give_way
from kinetrain.mechanistic.petab_files import checksum, list_files

PRIORS = {"normal": "normal", "laplace": "laplace", "log-normal": "logNormal", "log-laplace": "logLaplace"}
UNIFORM = None, "uniform", "log-uniform"  # constants, which objectives leave out

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
        try:
            self.problem = petab.Problem.from_yaml(str(path))
            issues = [i.message for i in self.problem.validate() if i.level >= ValidationIssueSeverity.ERROR]
        except Exception as error:
            raise InputError(f"{path}: its tables cannot be read ({error})") from error
        if issues:
            raise InputError(f"{path}: not a valid PEtab problem: {'; '.join(issues)}")
        if has_timepoint_specific_overrides(self.problem):
            flatten_timepoint_specific_output_overrides(self.problem)
        give_way(self.problem.model.sbml_model, [one.id for one in self.problem.parameters], (), str(path))
        self.parameter_df = self._parameters()

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
        scales = self.parameter_df["parameterScale"]
        position = {name: index for index, name in enumerate(names)}
        conditions = []
        for name in dict.fromkeys(measurement.experiment_id for measurement in problem.measurements):
            experiment = problem[name]
            data = manager.create_edata(experiment)
            filled = manager._get_placeholder_mapping(experiment)
            origin = [filled.get(own, own) for own in model.get_free_parameter_ids()]
            estimated = np.array([index for index, own in enumerate(origin) if own in position], dtype=int)
            data.plist = [int(index) for index in estimated]
            on_scale = [SCALES[scales[own] if own in position else "lin"] for own in origin]
            data.pscale = amici.parameter_scaling_from_int_vector(on_scale)
            # Placeholders that an experiment does not fill are NaN or zero; they would spoil derivatives of nothing.
            values = np.nan_to_num(np.array(data.free_parameters), nan=0.0)
            from_theta = np.array([position[origin[index]] for index in estimated], dtype=int)
            conditions.append(Condition(data, values, estimated, from_theta))
        return conditions

    def _importer(self, **where):
        try:
            return PetabImporter(self.problem, validate=False, verbose=logging.ERROR, **where)
        except (NotImplementedError, ValueError) as error:
            raise InputError(f"{self.path}: AMICI does not support it: {error}") from error

    def _parameters(self) -> pd.DataFrame:
        rows = {}
        for one in self.problem.parameters:
            where = f"{self.path}: parameter table: '{one.id}'"
            if one.nominal_value is None:
                raise InputError(f"{where} has no nominalValue, which is needed here")
            row = {"nominalValue": one.nominal_value, "estimate": int(one.estimate), "parameterScale": "lin"}
            if one.estimate:
                if one.lb is None or one.ub is None or not np.isfinite([one.lb, one.ub]).all():
                    raise InputError(f"{where} needs a finite lowerBound and upperBound")
                row["parameterScale"] = "log10" if one.lb > 0 else "lin"
                if one.prior_distribution not in (*PRIORS, *UNIFORM):
                    known = ", ".join(PRIORS)
                    raise InputError(f"{where}: the prior '{one.prior_distribution}' is not supported ({known} are)")
                row["objectivePriorType"] = PRIORS.get(one.prior_distribution)
                row["objectivePriorParameters"] = ";".join(map(str, one.prior_parameters))
            rows[one.id] = {**row, "lowerBound": one.lb, "upperBound": one.ub}
        return pd.DataFrame.from_dict(rows, orient="index")

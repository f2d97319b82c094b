# Shared by all rules: the checked configuration and its plan, software environments, and flags of commands.
import json
import os
import shlex
import sys
import warnings
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# Paths are relative to the working directory: an absolute path in a parameter would make every checkout a changed workflow.
WORKFLOW = Path(os.path.relpath(workflow.current_basedir.get_path_or_uri(secret_free=False))).parent
TOP = WORKFLOW.parent
for folder in (WORKFLOW, WORKFLOW / "scripts"):
    sys.path.insert(0, str(folder.absolute()))

import configuration
import download
import environment
import list_packages

from kinetrain.cache import cache_home, hold_lock, undo_future_dates
from kinetrain.errors import InputError

# Jobs see the pinned packages alone, whatever Python variables the user's shell sets, and read text as UTF-8.
for variable in [name for name in os.environ if name.startswith("PYTHON")]:
    del os.environ[variable]
os.environ.update(PYTHONNOUSERSITE="1", PYTHONUTF8="1")
# They find the programs of this snakemake (python3, uv) whether or not its environment is activated, and a folder for
# caches where no home can be written to.
os.environ.update(
    PATH=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]),
    XDG_CACHE_HOME=str(cache_home()),
)

try:
    for path in [] if workflow.modifier.skip_configfile else workflow.configfiles:
        configuration.read_yaml(path)  # strictly: Snakemake takes the last of two equal keys
    MANIFEST = configuration.load_manifest(TOP / "resources" / "datasets.tsv")
    with warnings.catch_warnings(record=True) as remarks:
        OBJECTIVES = configuration.load_objectives(TOP / "resources" / "published" / "objectives.tsv")
        PLAN = configuration.Plan(config, MANIFEST, places=(Path(), TOP), objectives=OBJECTIVES)
    for remark in remarks:
        logger.warning(str(remark.message))
except InputError as error:
    raise WorkflowError(str(error)) from None

# A wrong or damaged download is found before anything is computed from it.
for wanted in PLAN.downloads.values():
    path = Path(workflow.pathvars.apply(f"{configuration.DOWNLOADS}/{wanted.path}"))
    wrong = path.is_file() and download.defect(path, wanted.checksum, wanted.bytes)
    if wrong:
        raise WorkflowError(f"{path} {wrong}: delete it, and it is fetched again, or put the right file there")


# One image with all environments, for `--sdm apptainer`; without that it is not looked at.
container: str(TOP / "envs" / "kinetrain.sif")


wildcard_constraints:
    problem=r"[A-Za-z]\w*",
    dataset=r"[A-Za-z]\w*",
    method=r"\w+",
    optimizer=r"\w+",
    schedule=r"\w+",
    batch_size=r"\d+|full",
    safeguard=r"\w+",
    fit=r"[\w-]+",
    replicate=r"\d+",
    noise=r"[\d.e-]+",
    corruption=r"[\d.e-]+",
    seed=r"\d+",
    fold=r"\d+",


ENVIRONMENTS = ("mechanistic", "neural", "analysis")


def command(environment_name, script):
    """Shell words that run a script in its software environment, which is made on first use.

    With `--sdm conda` Snakemake has activated `envs/NAME.yaml` already, with `--sdm apptainer` the image of
    `envs/kinetrain.def` holds all environments.
    """
    run = f"python {shlex.quote(f'{WORKFLOW}/scripts/{script}.py')}"
    given = {str(method) for method in workflow.deployment_settings.deployment_method}
    if "conda" in given:
        return run
    if "apptainer" in given:
        return f'PATH="{environment.IN_IMAGE}/{environment_name}/bin:$PATH" {run}'
    pins = TOP / "envs" / f"{environment_name}.txt"
    making = shlex.join(["python3", f"{WORKFLOW}/scripts/environment.py", str(pins), str(environment.home(pins))])
    return f'programs=$({making}) && PATH="$programs:$PATH" {run}'


def conda(environment_name):
    """The same environment for `--sdm conda`."""
    return str((TOP / "envs" / f"{environment_name}.yaml").absolute())


JOB_SIZES = configuration.Sizes(PLAN, Path(workflow.pathvars.apply(configuration.DOWNLOADS)))
COSTS = configuration.Costs(configuration.load_costs(TOP / "resources" / "costs.tsv"))


def needs(rule):
    """Memory and time that a job asks a cluster for, by the size of its input; each attempt asks for more."""

    def minutes(wildcards, attempt):
        return COSTS.minutes(rule, JOB_SIZES.of(rule, wildcards), attempt)

    def memory_mb(wildcards, attempt):
        return COSTS.memory_mb(rule, JOB_SIZES.of(rule, wildcards), attempt)

    return {"runtime": minutes, "mem_mb": memory_mb}


def tell_expected_seconds(dag):
    """Tell the terminal what each step to do is expected to take, by which it says how much is left."""
    expected = {
        dag.jobid(job): (job.rule.name, COSTS.expect(job.rule.name, JOB_SIZES.of(job.rule.name, job.wildcards_dict))[0])
        for job in dag.needrun_jobs()
    }
    total = configuration.cpu_time(sum(seconds for _, seconds in expected.values()))
    logger.info(f"about {total}, by measurements on another machine", extra={"expected_seconds": expected})


def settings(values):
    """Settings of a script as one JSON object."""
    return json.dumps(values, sort_keys=True)


def download_options(path):
    """Where a file of the manifest comes from and how to know it, as flags."""
    for download in MANIFEST.values():
        if download.path == path:
            words = [option("--url", download.url), option("--checksum", download.checksum)]
            return " ".join([*words, option("--bytes", download.bytes)])
    raise WorkflowError(f"resources/datasets.tsv has no line with the path {path}")


def mirror_option(path):
    """The file in the local mirror, as a flag."""
    mirror = PLAN.config["mirror"]
    return option("--mirror", mirror and f"{mirror}/{path}")


def option(flag, value):
    """A flag with its value, quoted for the shell, or nothing when there is no value."""
    return "" if value is None else f"{flag} {shlex.quote(str(value))}"


def flags(files, paths):
    """Flags for named input files: `matrix_genes` becomes `--matrix-genes PATH`."""
    return " ".join(option(f"--{name.replace('_', '-')}", getattr(paths, name)) for name in files)


def names(items):
    """Regular expression of exactly these names; of nothing when there are none."""
    return "|".join(items) or "(?!)"

import contextlib
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

# A configuration given by --configfile replaces the default one; the two are not merged.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


pathvars:
    logs="<results>/logs",


# Locked while this run goes on: so release_lock.py knows a lock left by a killed run from one in use.
onstart:
    with contextlib.suppress(OSError):  # another run holds it (--nolock), or the file system has no locks
        workflow.running = hold_lock(Path(".snakemake/kinetrain.lock"))
    undo_future_dates(Path(workflow.pathvars.apply("<results>")))
    # To keep its default limit of 100 jobs a second, Snakemake 9.27 looks at all ready jobs once a second for every job
    # that ever ended: after some hundred jobs its main process takes a core from the jobs. Limits of a profile stay.
    limiter = workflow.scheduler.job_rate_limiter
    if limiter is not None and (limiter.max_jobs, limiter.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
    tell_expected_seconds(workflow.dag)


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/mechanistic_inputs.smk"
include: "workflow/rules/neural_inputs.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/environments.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/prior.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/tune.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/reactions.smk"
include: "workflow/rules/prune.smk"
include: "workflow/rules/network.smk"
include: "workflow/rules/enrichment.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        expand("<results>/tables/{table}.tsv", table=PARTS.keys() - FOR_A_FIGURE),
        "<results>/report.html",
        "<results>/ro-crate-metadata.json",


rule figures:
    input:
        expand("<results>/figures/{figure}.svg", figure=FIGURES),


rule tables:
    input:
        expand("<results>/tables/{table}.tsv", table=PARTS.keys() - FOR_A_FIGURE),

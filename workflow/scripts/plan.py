"""Print what a run takes before it starts: jobs, CPU hours, memory and disk, by rule and by problem or data set."""

import argparse
import contextlib
import io
import math
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import configuration

TOP = Path(__file__).resolve().parents[2]
TRAINS = ("train_neural_ode", "prune_neural_ode")
HEAD = ("rule", "jobs", "to do", "CPU hours", "of them to do", "longest (hours)", "memory (MB)", "disk (MB)")


@dataclass(frozen=True)
class Job:
    """A job of the workflow: what it makes, whether that is still to do, and how large it is."""

    rule: str
    wildcards: dict
    size: configuration.Size | None
    log: str | None
    output: tuple[str, ...]
    waits: bool


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", nargs="+", type=Path, required=True, help="later files are laid over the first")
    parser.add_argument("--mirror", help="folder with the files of resources/datasets.tsv")
    parser.add_argument("--only", nargs="*", help="problems, data sets or arms; the others are left out")
    parser.add_argument("--directory", type=Path, help="folder that the run takes place in (default: this one)")
    parser.add_argument("--record", type=Path, help="also add what the finished jobs took to this table of costs")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    jobs, workflow, submissions = list_jobs(arguments)
    done = measured(jobs)
    if arguments.record:
        configuration.save_costs(arguments.record, configuration.load_costs(arguments.record) + done)
        return
    known = configuration.load_costs(TOP / "resources" / "costs.tsv")
    print(describe(jobs, configuration.Costs(known + done), workflow["PLAN"], workflow["JOB_SIZES"]))
    print(f"on a cluster, with profiles/slurm: {submissions} submissions")


def list_jobs(arguments) -> tuple[list[Job], dict, int]:
    """Return the jobs of the workflow for the arguments of this script, what its Snakefile defines, and submissions."""
    import logging

    from snakemake.api import SnakemakeApi
    from snakemake.logging import logger
    from snakemake.settings.enums import Quietness
    from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

    logger.addFilter(lambda record: record.levelno >= logging.WARNING)  # says what it builds, however quiet it is to be
    given = {key: value for key in ("mirror", "only") if (value := getattr(arguments, key))}
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL}, dryrun=True)) as snakemake:
        planned = snakemake.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(
                configfiles=[file.absolute() for file in arguments.configfile], config=given
            ),
            snakefile=TOP / "Snakefile",
            workdir=arguments.directory,
        )
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                planned.dag().summary()  # of all that Snakemake's interface offers, what builds all jobs and runs none
        except Exception as error:
            snakemake.print_exception(error)
            sys.exit(1)
        workflow = planned._workflow
        sizes, folder = workflow.globals["JOB_SIZES"], Path(arguments.directory or ".")
        jobs = [
            Job(
                rule=job.rule.name,
                wildcards=dict(job.wildcards_dict),
                size=sizes.of(job.rule.name, job.wildcards_dict),
                log=str(folder / job.log[0]) if job.log else None,
                output=tuple(str(folder / file) for file in job.output),
                waits=workflow.dag.needrun(job),
            )
            for job in workflow.dag.jobs
        ]
        return jobs, dict(workflow.globals), count_submissions(workflow.dag)


def count_submissions(dag) -> int:
    """Return in how many submissions profiles/slurm sends the jobs to do.

    Jobs of a group that need each other go together, and so do as many of these parts as the profile says.
    """
    profile = configuration.read_yaml(TOP / "profiles" / "slurm" / "config.yaml")
    group = {job: profile["groups"][job.rule.name] for job in dag.needrun_jobs() if job.rule.name in profile["groups"]}
    part = {job: {job} for job in group}
    for job in group:
        for needed in dag.dependencies[job]:
            if group.get(needed) == group[job]:
                joined = part[job] | part[needed]
                part.update(dict.fromkeys(joined, joined))
    parts = {id(joined): group[job] for job, joined in part.items()}
    counts = Counter(parts.values())
    return sum(math.ceil(count / profile["group-components"].get(name, 1)) for name, count in counts.items())


def measured(jobs: list[Job]) -> list[dict]:
    """Return what the finished jobs took; the log of one that is to run anew may tell of fewer starts, another size."""
    rows = [configuration.measured_job(job.log, job.rule, job.size) for job in jobs if job.log and not job.waits]
    return [row for row in rows if row]


def describe(jobs: list[Job], costs: configuration.Costs, plan, sizes) -> str:
    """Return the plan of a run as text."""
    rules = defaultdict(list)
    for job in jobs:
        if job.size:
            rules[job.rule].append(job)
    others = [job for job in jobs if not job.size]
    parts = defaultdict(list)
    for job in jobs:
        parts[job.wildcards.get("problem") or job.wildcards.get("dataset") or "all together"].append(job)
    rows = [row(rule, group, costs) for rule, group in sorted(rules.items())]
    rows += [row("collect, draw, show", others, costs)]
    costliest = sorted((row(name, group, costs) for name, group in parts.items()), key=lambda one: -float(one[3]))
    seconds = sum(costs.expect(job.rule, job.size)[0] for job in jobs if job.waits)
    fits = sum(plan.problems[job.wildcards["problem"]]["fits"]["starts"] for job in jobs if job.rule.startswith("fit_"))
    trainings = sum(sizes.seeds(job.wildcards["dataset"]) for job in jobs if job.rule in TRAINS)
    return "\n".join(
        [
            *aligned([HEAD, *rows]),
            "",
            *aligned([("problem or data set", *HEAD[1:]), *costliest]),
            "",
            f"{len(jobs)} jobs, {sum(job.waits for job in jobs)} to do; {fits} fits and {trainings} trainings in all",
            f"about {configuration.cpu_time(seconds)} to do{unmeasured(rules, costs)}",
            *beyond(jobs, costs),
            to_download(plan, sizes),
        ]
    )


def aligned(rows: list[tuple]) -> list[str]:
    """Return rows as lines whose columns stand below each other: the first to the left, all others to the right."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    padded = [[str(cell).rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return ["  ".join([first.strip().ljust(widths[0]), *cells]) for first, *cells in padded]


def row(rule: str, jobs: list[Job], costs: configuration.Costs) -> tuple:
    """Return a line of the plan: what the jobs of a rule take."""
    expected = [(costs.expect(job.rule, job.size), job.waits) for job in jobs]
    seconds = [one[0] for one, _ in expected]
    return (
        rule,
        len(jobs),
        sum(job.waits for job in jobs),
        f"{sum(seconds) / 3600:.2f}",
        f"{sum(one[0] for one, waits in expected if waits) / 3600:.2f}",
        f"{max(seconds) / 3600:.2f}",
        f"{max(one[1] for one, _ in expected):.0f}",
        f"{disk_mb(jobs):.0f}",
    )


def disk_mb(jobs: list[Job]) -> float:
    """Return the disk that the files of some jobs take, from those that are there already."""
    taken = [sum(map(bytes_of, job.output)) for job in jobs if not job.waits]
    return sum(taken) / max(1, len(taken)) * len(jobs) / 1e6


def bytes_of(path: str) -> int:
    place = Path(path)
    if place.is_dir():
        return sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return place.stat().st_size if place.is_file() else 0


def unmeasured(rules, costs) -> str:
    unknown = sorted(set(rules) - costs.measured.keys())
    return f" (guessed, as never measured: {', '.join(unknown)})" if unknown else ""


def beyond(jobs: list[Job], costs: configuration.Costs) -> list[str]:
    """Return a line with the rules some of whose jobs are much larger than all that were measured."""
    rules = sorted({job.rule for job in jobs if costs.beyond(job.rule, job.size)})
    return [f"some jobs are more than ten times as large as any that was measured: {', '.join(rules)}"] if rules else []


def to_download(plan, sizes) -> str:
    """Return in words which files are neither here nor in the mirror."""
    places = {one: sizes.place(f"{configuration.DOWNLOADS}/{one.path}") for one in plan.downloads.values()}
    missing = [one for one, place in places.items() if not place.is_file()]
    if not missing:
        return "nothing to download"
    known = [one.bytes for one in missing if one.bytes is not None]
    size = f"{sum(known) / 1e6:.1f} MB" if known else "of unknown size"
    rest = f", and {len(missing) - len(known)} of unknown size" if known and len(known) < len(missing) else ""
    return f"{len(missing)} files to download, {size}{rest}"


if __name__ == "__main__":
    main()

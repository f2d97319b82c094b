"""Record where the results of a run come from: configuration, seeds, versions, commit, machine, and what they cost."""

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="the whole configuration of the run (JSON)")
    parser.add_argument("--pins", nargs="+", required=True, help="envs/*.txt: the packages that were asked for")
    parser.add_argument(
        "--found", nargs="+", required=True, help="what list_packages.py found there, in the same order"
    )
    parser.add_argument("--workflow", required=True, help="what it found in Snakemake's environment (JSON)")
    parser.add_argument("--fits", required=True, help="fits.tsv: cost of the fits")
    parser.add_argument("--networks", required=True, help="networks.tsv: cost of training and pruning")
    parser.add_argument("--solvers", nargs="*", default=[], help="solver settings of the problems (measure_solver.py)")
    parser.add_argument("--output", required=True, help="provenance.json to write")
    parser.add_argument("--page", required=True, help="the same as an HTML page for the report")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain.cache import load_json, write_json, write_text
    from kinetrain.files import load_table
    from kinetrain.options import read_settings

    top = Path(__file__).resolve().parents[2]
    found = {Path(pins).stem: load_json(file) for pins, file in zip(arguments.pins, arguments.found, strict=True)}
    deviations = {Path(pins).stem: deviating(pins, found[Path(pins).stem]) for pins in arguments.pins}
    found["workflow"] = json.loads(arguments.workflow)
    for name, texts in deviations.items():
        for text in texts:
            print(f"warning: the environment '{name}' is not as pinned: {text}", file=sys.stderr)
    configuration = read_settings(arguments.settings)
    record = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(top),
        "machine": machine(),
        "snakemake": found["workflow"]["packages"]["snakemake"],
        "cost": costs(load_table(arguments.fits), load_table(arguments.networks), configuration["problems"]),
        "solvers": {Path(file).stem: solver(load_json(file)) for file in arguments.solvers},
        "configuration": configuration,
        "python": {name: listed["python"] for name, listed in found.items()},
        "packages": {
            name: [f"{package}=={version}" for package, version in listed["packages"].items()]
            for name, listed in found.items()
        },
        "not_as_pinned": {name: texts for name, texts in deviations.items() if texts},
    }
    write_json(arguments.output, record)
    write_text(arguments.page, page(record))


def deviating(pins, found: dict) -> list[str]:
    """Return in words which packages are not those of the file of pins, or are imported from somewhere else."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    python = {"python_full_version": found["python"], "python_version": found["python"].rpartition(".")[0]}
    texts = [f"{module} is imported from {file}" for module, file in found["elsewhere"].items()]
    for pin in map(Requirement, Path(pins).read_text().splitlines()):
        version = str(pin.specifier).removeprefix("==")
        actual = found["packages"].get(canonicalize_name(pin.name))
        wanted = pin.marker is None or pin.marker.evaluate(python)
        if wanted and (actual is None or actual.partition("+")[0] != version):
            texts.append(f"{pin.name} is {actual or 'missing'} instead of {version}")
    return texts


def commit(folder: Path) -> str:
    """Return the git commit of a checkout, marked when files differ from it, or `unknown` outside of git."""

    def git(*words):
        return subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=True).stdout.strip()

    if (folder / ".commit").is_file():  # laid out from a git repository, as a module of another workflow
        return (folder / ".commit").read_text().strip()
    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + (" with uncommitted changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine() -> dict:
    """Return the machine of the run."""
    names = [line.partition(":")[2].strip() for line in lines("/proc/cpuinfo") if line.startswith("model name")]
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory_bytes / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).is_file() else []


def costs(fits, networks, problems: dict) -> dict:
    """Return the cost of the fits of mechanistic models, of those of vector fields, and of training and pruning."""
    neural = fits["problem"].isin([name for name, problem in problems.items() if "neural" in problem])
    return {"mechanistic": cost(fits[~neural]), "neural_fits": cost(fits[neural]), "neural": cost(networks)}


def cost(table) -> dict:
    """Return the summed cost of the runs of a result table, and the largest memory of one process."""
    summed = [
        name
        for name in ("gradient_solves", "value_solves", "pair_solves", "cpu_seconds", "wall_seconds")
        if name in table.columns
    ]
    largest = [name for name in ("peak_memory_mb",) if name in table.columns]
    totals = {"runs": len(table), **table[summed].sum().round(1).to_dict(), **table[largest].max().to_dict()}
    return {name: None if value != value else value for name, value in totals.items()}  # NaN is not valid JSON


def solver(choice: dict) -> dict:
    """Return engine and settings of a problem, and the check of its gradients."""
    return {key: choice[key] for key in ("engine", "reason", "chosen", "accurate", "check")}


def page(record: dict) -> str:
    """Return the record as a self-contained HTML page."""
    from html import escape

    sections = []
    for title, value in record.items():
        name = escape(title.replace("_", " "))
        if isinstance(value, str):
            sections.append(f"<p><b>{name}</b>: {escape(value)}</p>")
        elif value:
            text = escape(json.dumps(value, indent=2))
            sections.append(f"<details><summary>{name}</summary><pre>{text}</pre></details>")
    style = "body{font:15px/1.4 sans-serif;margin:2em;max-width:60em}pre{background:#f5f5f5;padding:.8em}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Provenance</title>\n'
        f"<style>{style}</style></head>\n<body>\n<h1>Provenance of this run</h1>\n"
        + "\n".join(sections)
        + "\n</body>\n</html>\n"
    )


if __name__ == "__main__":
    run(main)

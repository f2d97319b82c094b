"""Describe a run for others: files with checksums, software and solvers (RO-Crate), and a list of parts (CycloneDX)."""

import argparse
import json
from pathlib import Path, PurePosixPath

from command import run

from kinetrain.cache import atomic, load_json, sha256, write_json

PROFILES = ("https://w3id.org/ro/wfrun/process/0.5", "https://w3id.org/ro/wfrun/workflow/0.5")
PLANNED = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
LICENCE = "https://spdx.org/licenses/MIT"
DESCRIPTOR = {
    "@id": "ro-crate-metadata.json",
    "@type": "CreativeWork",
    "about": {"@id": "./"},
    "conformsTo": [{"@id": "https://w3id.org/ro/crate/1.1"}, {"@id": PLANNED}],
}
MEDIA = {
    ".tsv": "text/tab-separated-values",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provenance", type=Path, required=True, help="provenance.json of the run")
    parser.add_argument("--inputs", required=True, help="JSON: {name or address: path} of the files that were read")
    parser.add_argument("--outputs", type=Path, nargs="+", required=True, help="files of the results to describe")
    parser.add_argument("--snakefile", type=Path, required=True, help="the workflow; a copy is put beside the results")
    parser.add_argument("--crate", type=Path, required=True, help="ro-crate-metadata.json to write")
    parser.add_argument("--bom", type=Path, required=True, help="bom.json to write, beside it")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    record = load_json(arguments.provenance)
    root = arguments.crate.parent
    with atomic(root / "Snakefile") as path:
        path.write_bytes(arguments.snakefile.read_bytes())
    write_json(arguments.bom, bill_of_materials(record))
    results = [described(path.relative_to(root).as_posix(), path) for path in [*arguments.outputs, arguments.bom]]
    read = [described(name, Path(path)) for name, path in json.loads(arguments.inputs).items()]
    write_json(arguments.crate, crate(record, read, results))


def described(name: str, path: Path) -> dict:
    """Return a file as RO-Crate describes it: in the crate by its path, elsewhere by its address or its name."""
    media = {"encodingFormat": MEDIA[path.suffix]} if path.suffix in MEDIA else {}
    title = {"name": PurePosixPath(name).name, "contentSize": str(path.stat().st_size)}
    return {"@id": name, "@type": "File", **title, "sha256": sha256(path), **media}


def crate(record: dict, read: list[dict], results: list[dict]) -> dict:
    """Return the metadata of a Workflow Run RO-Crate: what was run, on what, by what, and what came out."""
    software, solvers = environments_of(record), solvers_of(record)
    workflow = {
        "@id": "Snakefile",
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "Kinetrain",
        "version": record["commit"],
        "programmingLanguage": {"@id": "#snakemake"},
    }
    action = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "Run of Kinetrain",
        "instrument": {"@id": "Snakefile"},
        "object": references([*read, *solvers]),
        "result": references(results),
        "endTime": record["made"],
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "description": f"on {record['machine']['processor']}, {record['machine']['system']}",
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "Results of Kinetrain",
        "description": "Tables, figures and report of a run of Kinetrain, with what they were made from and by.",
        "datePublished": record["made"],
        "license": {"@id": LICENCE},
        "conformsTo": [{"@id": profile} for profile in (*PROFILES, PLANNED)],
        "mainEntity": {"@id": "Snakefile"},
        "mentions": {"@id": "#run"},
        "hasPart": references([workflow, *(one for one in read if "://" in one["@id"]), *results]),
    }
    language = {"@id": "#snakemake", "@type": "ComputerLanguage", "name": "Snakemake", "version": record["snakemake"]}
    profiles = [{"@id": one, "@type": "CreativeWork", "name": one.split("/")[-2]} for one in (*PROFILES, PLANNED)]
    licence = {"@id": LICENCE, "@type": "CreativeWork", "name": "MIT"}
    named = [DESCRIPTOR, root, workflow, language, action, *read, *results, *solvers, *software, *profiles, licence]
    return {"@context": CONTEXT, "@graph": named}


def environments_of(record: dict) -> list[dict]:
    """Return the environments of a run, with their packages, as applications."""
    return [
        {
            "@id": f"#{environment}",
            "@type": "SoftwareApplication",
            "name": f"environment {environment}",
            "softwareVersion": f"Python {record['python'][environment]}",
            "softwareRequirements": ", ".join(packages),
        }
        for environment, packages in record["packages"].items()
    ]


def solvers_of(record: dict) -> list[dict]:
    """Return the solvers of the fit problems of a run, with their settings, as values."""
    return [
        {
            "@id": f"#solver-{problem}",
            "@type": "PropertyValue",
            "name": f"solver of {problem}",
            "value": json.dumps(solver),
        }
        for problem, solver in record["solvers"].items()
    ]


def references(entities: list[dict]) -> list[dict]:
    return [{"@id": one["@id"]} for one in entities]


def bill_of_materials(record: dict) -> dict:
    """Return the packages that were imported, with versions as found, as a CycloneDX list of parts."""
    where: dict[str, list[str]] = {}
    for environment, packages in record["packages"].items():
        for package in packages:
            where.setdefault(package, []).append(environment)
    parts = []
    for package, environments in sorted(where.items()):
        name, _, version = package.partition("==")
        address = f"pkg:pypi/{name}@{version.replace('+', '%2B')}"
        used = [{"name": "environment", "value": environment} for environment in environments]
        part = {"type": "library", "name": name, "version": version, "purl": address}
        parts.append({**part, "bom-ref": address, "properties": used})
    made = {
        "timestamp": record["made"],
        "component": {"type": "application", "name": "kinetrain", "bom-ref": "kinetrain"},
    }
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": made, "components": parts}


if __name__ == "__main__":
    run(main)

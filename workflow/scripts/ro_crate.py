"""Describe a run for others: files with checksums, software and solvers (RO-Crate), and a list of parts (CycloneDX)."""

import argparse
import json
from datetime import datetime
from pathlib import Path, PurePosixPath
from uuid import NAMESPACE_URL, uuid5

from command import run

from kinetrain.cache import atomic, load_json, sha256, write_json

PROFILES = ("https://w3id.org/ro/wfrun/process/0.5", "https://w3id.org/ro/wfrun/workflow/0.5")
PLANNED = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
RUN_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
LICENCE = "https://spdx.org/licenses/MIT"
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
    results = {path.relative_to(root).as_posix(): path for path in [*arguments.outputs, arguments.bom]}
    read = {name: Path(path) for name, path in json.loads(arguments.inputs).items()}
    write_json(arguments.crate, crate(record, read, results))


def crate(record: dict, read: dict[str, Path], results: dict[str, Path]) -> dict:
    """Return the metadata of a Workflow Run RO-Crate: what was run, on what, by what, and what came out.

    read, results: {address, or path in the crate: file}.
    """
    from rocrate.model import ComputationalWorkflow, ComputerLanguage
    from rocrate.rocrate import ROCrate

    made = ROCrate(version="1.1")
    made.metadata.extra_contexts.append(RUN_TERMS)
    made.metadata["conformsTo"] = [{"@id": made.metadata.profile}, {"@id": PLANNED}]
    language = made.add(ComputerLanguage(made, "#snakemake", {"name": "Snakemake", "version": record["snakemake"]}))
    about = {"name": "Kinetrain", "version": record["commit"], "programmingLanguage": {"@id": language.id}}
    workflow = made.add(ComputationalWorkflow(made, dest_path="Snakefile", properties=about))
    root = made.root_dataset
    root["name"] = "Results of Kinetrain"
    root["description"] = "Tables, figures and report of a run of Kinetrain, with what they were made from and by."
    root["datePublished"] = record["made"]
    root["license"] = named(made, LICENCE, "CreativeWork", "MIT")
    root["conformsTo"] = [named(made, one, "CreativeWork", one.split("/")[-2]) for one in (*PROFILES, PLANNED)]
    root["mainEntity"] = workflow
    add_environments(made, record)
    action = {
        "@type": "CreateAction",
        "name": "Run of Kinetrain",
        "instrument": {"@id": workflow.id},
        "object": references([*(described(made, *one) for one in read.items()), *solvers_of(made, record)]),
        "result": references([described(made, *one, own=True) for one in results.items()]),
        "endTime": record["made"],
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "description": f"on {record['machine']['processor']}, {record['machine']['system']}",
    }
    root["mentions"] = made.add_jsonld({"@id": "#run", **action})
    return made.metadata.generate()


def described(made, name: str, path: Path, own: bool = False):
    """Add a file, and return it: a part of the crate where it is its own or has an address, else named alone."""
    media = {"encodingFormat": MEDIA[path.suffix]} if path.suffix in MEDIA else {}
    title = {"name": PurePosixPath(name).name, "contentSize": str(path.stat().st_size)}
    properties = {**title, "sha256": sha256(path), **media}
    if own:
        return made.add_file(path, dest_path=name, properties=properties)
    if "://" in name:
        return made.add_file(name, properties=properties)
    return named(made, name, "File", **properties)


def named(made, identity: str, kind: str, name: str, **properties):
    """Add what is not a part of the crate, and return it."""
    return made.add_jsonld({"@id": identity, "@type": kind, "name": name, **properties})


def add_environments(made, record: dict) -> None:
    """Add the environments of a run, with their packages, as applications."""
    for environment, packages in record["packages"].items():
        python, listed = f"Python {record['python'][environment]}", ", ".join(packages)
        what = f"#{environment}", "SoftwareApplication", f"environment {environment}"
        named(made, *what, softwareVersion=python, softwareRequirements=listed)


def solvers_of(made, record: dict) -> list:
    """Add the solvers of the fit problems of a run, with their settings, as values, and return them."""
    return [
        named(made, f"#solver-{problem}", "PropertyValue", f"solver of {problem}", value=json.dumps(solver))
        for problem, solver in record["solvers"].items()
    ]


def references(entities: list) -> list[dict]:
    return [{"@id": one.id} for one in entities]


def bill_of_materials(record: dict) -> dict:
    """Return the packages that were imported, with versions as found, as a CycloneDX list of parts."""
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot5
    from packageurl import PackageURL

    where: dict[str, list[str]] = {}
    for environment, packages in record["packages"].items():
        for package in packages:
            where.setdefault(package, []).append(environment)
    parts = []
    for package, environments in where.items():
        name, _, version = package.partition("==")
        address = PackageURL("pypi", name=name, version=version)
        used = [Property(name="environment", value=environment) for environment in environments]
        parts.append(Component(name=name, version=version, purl=address, bom_ref=str(address), properties=used))
    made = datetime.fromisoformat(record["made"])
    ours = Component(name="kinetrain", type=ComponentType.APPLICATION, bom_ref="kinetrain")
    number = uuid5(NAMESPACE_URL, json.dumps(record["packages"]))  # the same of the same packages
    bom = Bom(components=parts, metadata=BomMetaData(component=ours, timestamp=made), serial_number=number)
    bom.register_dependency(ours, parts)
    return json.loads(JsonV1Dot5(bom).output_as_string())


if __name__ == "__main__":
    run(main)

"""A run is described in the words of RO-Crate and CycloneDX, with the checksum of every file."""

import hashlib
import json
import sys

import ro_crate


def test_the_crate_names_what_was_read_made_and_imported(tmp_path, monkeypatch):
    record = {
        "made": "2026-01-01T00:00:00+00:00",
        "commit": "abc",
        "machine": {"processor": "p", "system": "s"},
        "snakemake": "9.27.1",
        "solvers": {"egf": {"engine": "kernel"}},
        "python": {"neural": "3.11.2", "analysis": "3.11.2"},
        "packages": {"neural": ["torch==2.13.0+cpu", "numpy==2.4.6"], "analysis": ["numpy==2.4.6"]},
    }
    for name, text in {
        "provenance.json": json.dumps(record),
        "fits.tsv": "a\n",
        "own.tsv": "b\n",
        "S": "rule\n",
    }.items():
        (tmp_path / name).write_text(text)
    read = {"https://example.org/data.tsv": str(tmp_path / "own.tsv")}
    files = [f"--{name}={tmp_path / file}" for name, file in (("crate", "ro-crate-metadata.json"), ("bom", "bom.json"))]
    files += [f"--provenance={tmp_path}/provenance.json", f"--outputs={tmp_path}/fits.tsv", f"--snakefile={tmp_path}/S"]
    monkeypatch.setattr(sys, "argv", ["ro_crate", "--inputs", json.dumps(read), *files])
    ro_crate.main()
    graph = {one["@id"]: one for one in json.loads((tmp_path / "ro-crate-metadata.json").read_text())["@graph"]}
    action = graph[graph["./"]["mentions"]["@id"]]
    assert {one["@id"] for one in action["object"]} == {"https://example.org/data.tsv", "#solver-egf"}
    assert {one["@id"] for one in action["result"]} == {"fits.tsv", "bom.json"}
    assert graph["fits.tsv"]["sha256"] == hashlib.sha256(b"a\n").hexdigest()
    assert "kernel" in graph["#solver-egf"]["value"] and "torch==2.13.0+cpu" in graph["#neural"]["softwareRequirements"]
    named = {one["@id"] for entity in graph.values() for value in entity.values() for one in entities(value)}
    assert named - graph.keys() <= {"https://w3id.org/ro/crate/1.1"}
    parts = {part["name"]: part for part in json.loads((tmp_path / "bom.json").read_text())["components"]}
    assert parts["torch"]["purl"] == "pkg:pypi/torch@2.13.0%2Bcpu" and len(parts["numpy"]["properties"]) == 2


def entities(value):
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]

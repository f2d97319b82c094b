"""Validate ro-crate-metadata.json and bom.json of some results, with the libraries of RO-Crate and of CycloneDX.

Not part of `make test`, as the validators are in no environment: `make test-crate`. No network is needed: the two
contexts that the crate names are given here, that of RO-Crate as its library brings it.
"""

import argparse
import io
import json
import sys
from email.message import Message
from pathlib import Path
from unittest import mock
from urllib.response import addinfourl

import requests
import rocrate
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from rocrate.rocrate import ROCrate
from rocrate_validator import models, services

PROFILE = "workflow-run-crate-0.5"
BUNDLED = json.loads((Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_text())["@context"]
BIOSCHEMAS = {"ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow"}  # as in version 1.1
RUN = "https://w3id.org/ro/terms/workflow-run"
CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": BUNDLED | BIOSCHEMAS,
    f"{RUN}/context": {"sha256": f"{RUN}#sha256"},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of the results")
    results = parser.parse_args().results
    files = [results / name for name in ("ro-crate-metadata.json", "bom.json")]
    if missing := [str(file) for file in files if not file.is_file()]:
        sys.exit(f"error: {', '.join(missing)}: no such file; run `make` first")
    wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(files[1].read_text())
    if wrong:
        sys.exit(f"error: {files[1]}: {wrong}")
    print(f"{files[1]} is valid CycloneDX 1.5")
    described = [one for one in ROCrate(results).get_entities() if "File" in one.type]
    with (
        mock.patch("rdflib.parser._urlopen", lambda request: opened(request.full_url)),
        mock.patch.object(requests.Session, "request", lambda session, method, url, **options: answered(url)),
    ):
        settings = services.ValidationSettings(
            rocrate_uri=str(results), profile_identifier=PROFILE, requirement_severity=models.Severity.REQUIRED
        )
        issues = services.validate(settings).get_issues()
    for issue in issues:
        print(f"{issue.check.identifier}: {issue.message}", file=sys.stderr)
    if issues:
        sys.exit(f"error: {files[0]} is not valid")
    print(f"{files[0]} is a valid {PROFILE} with {len(described)} files")


def content(url: str) -> bytes:
    """Return the document of an address: a context, nothing of any other."""
    return json.dumps({"@context": CONTEXTS.get(url, {})}).encode()


def opened(url: str) -> addinfourl:
    header = Message()
    header["Content-Type"] = "application/ld+json"
    return addinfourl(io.BytesIO(content(url)), header, url, 200)


def answered(url: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.url, answer._content = 200, url, content(url)
    answer.headers["Content-Type"] = "application/ld+json"
    return answer


if __name__ == "__main__":
    main()

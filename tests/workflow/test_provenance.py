"""The record of a run files the cost of every fit under what was fitted, and says what is not as pinned."""

import json

import list_packages
import pandas as pd
import provenance
import pytest


def test_fits_of_vector_fields_are_no_mechanistic_fits():
    fits = pd.DataFrame({"problem": ["egf", "phoenix", "phoenix"], "cpu_seconds": [1.0, 2.0, 4.0]})
    fits = fits.assign(gradient_solves=10, value_solves=1, wall_seconds=3.0, peak_memory_mb=[100.0, 300.0, 200.0])
    networks = pd.DataFrame({"pair_solves": [7], "cpu_seconds": [8.0], "wall_seconds": [9.0], "peak_memory_mb": [5.0]})
    problems = {"egf": {"petab": "problem.yaml"}, "phoenix": {"neural": {"dataset": "genes"}}}
    found = provenance.costs(fits, networks, problems)
    assert {part: (one["runs"], one["cpu_seconds"]) for part, one in found.items()} == {
        "mechanistic": (1, 1.0),
        "neural_fits": (2, 6.0),
        "neural": (1, 8.0),
    }
    assert found["neural_fits"]["gradient_solves"] == 20 and found["neural_fits"]["peak_memory_mb"] == 300


def test_what_a_run_has_none_of_costs_nothing():
    columns = ["problem", "gradient_solves", "value_solves", "cpu_seconds", "wall_seconds", "peak_memory_mb"]
    none = pd.DataFrame(columns=columns)
    found = json.loads(json.dumps(provenance.costs(none, none, {}), allow_nan=False))
    assert all(part["runs"] == part["cpu_seconds"] == 0 and part["peak_memory_mb"] is None for part in found.values())


@pytest.mark.parametrize(("python", "numpy"), [("3.11.2", "2.4"), ("3.12.0", "2.5"), ("3.13.1", "2.5")])
def test_packages_are_compared_with_the_pins_of_their_version_of_python(tmp_path, python, numpy):
    pins = tmp_path / "probe.txt"
    older, newer = "python_full_version < '3.12'", "python_full_version >= '3.12'"
    pins.write_text(f"amici[petab]==1.0\nnumpy==2.4 ; {older}\nnumpy==2.5 ; {newer}\nmsgspec==0.2 ; {newer}\n")
    found = {"python": python, "elsewhere": {}, "packages": {"amici": "1.0", "numpy": numpy, "msgspec": "0.2"}}
    if numpy == "2.4":
        del found["packages"]["msgspec"]
    assert provenance.deviating(pins, found) == []
    found["packages"] = {"amici": "1.0+local", "numpy": "2.3"}
    missing = ["msgspec is missing instead of 0.2"] if numpy == "2.5" else []
    assert provenance.deviating(pins, found) == [f"numpy is 2.3 instead of {numpy}", *missing]


def test_modules_that_the_standard_library_hides_everywhere_are_not_reported(tmp_path, monkeypatch):
    (tmp_path / "hidden_probe.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    owners = {"json": ["rocrate"], "hidden_probe": ["pytest"]}
    monkeypatch.setattr(list_packages.metadata, "packages_distributions", lambda: owners)
    assert list(list_packages.list_packages()["elsewhere"]) == ["hidden_probe"]

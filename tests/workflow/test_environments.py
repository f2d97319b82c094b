"""Software environments are made from pins, once, and say what failed when they cannot be made."""

import re
import subprocess
import sys
import zipfile

import environment
import pytest

NAMES = ["workflow", "mechanistic", "neural", "analysis"]


def packages(lines):
    return sorted(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@pytest.mark.parametrize("name", NAMES)
def test_pins_are_exact_and_name_no_host(root, name):
    pins = packages((root / "envs" / f"{name}.txt").read_text().splitlines())
    assert pins
    for pin in pins:
        assert re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[A-Za-z0-9.]+", pin), f"{pin} is not a plain name==version"


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_is_asked_for_is_pinned(root, name):
    pinned = {pin.partition("==")[0] for pin in packages((root / "envs" / f"{name}.txt").read_text().splitlines())}
    asked = packages((root / "envs" / f"{name}.in").read_text().splitlines())
    assert {re.split(r"[\[=<>]", line)[0].lower() for line in asked} <= pinned


@pytest.mark.parametrize("name", NAMES[1:])
def test_the_conda_environment_has_the_same_pins(root, name):
    written = (root / "envs" / f"{name}.yaml").read_text().partition("- pip:\n")[2]
    pins = packages((root / "envs" / f"{name}.txt").read_text().splitlines())
    assert packages(line.replace("- ", "") for line in written.splitlines()) == pins, "run `make pins`"


def test_changed_pins_make_another_environment(tmp_path):
    pins = tmp_path / "tools.txt"
    pins.write_text("six==1.16.0\n")
    before = environment.label(pins)
    pins.write_text("six==1.17.0\n")
    assert environment.label(pins) != before


def test_a_package_that_cannot_be_installed_is_named_and_the_way_on_is_told(root, tmp_path):
    pins = tmp_path / "broken.txt"
    pins.write_text("kinetrain-no-such-package==1.0\n")
    script = root / "workflow" / "scripts" / "environment.py"
    process = subprocess.run([sys.executable, script, pins, tmp_path / "env"], capture_output=True, text=True)
    assert process.returncode == 1
    assert "the environment 'broken' could not be made: kinetrain-no-such-package==1.0 failed" in process.stderr
    assert "give the same command again" in process.stderr


def test_settings_of_pip_hold_for_the_installer(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", "/some/wheels /more/wheels")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    variables = environment.installer_variables(tmp_path / "env", tmp_path)
    assert variables["UV_FIND_LINKS"] == f"/some/wheels,/more/wheels,{tmp_path}"
    assert variables["UV_INDEX_URL"] == "https://index.example/simple"


def test_a_wheel_in_the_user_s_wheelhouse_is_taken(tmp_path, monkeypatch):
    wheelhouse = tmp_path / "wheelhouse"
    wheelhouse.mkdir()
    record = "kinetrain_probe-1.0+cpu.dist-info"
    with zipfile.ZipFile(wheelhouse / "kinetrain_probe-1.0+cpu-py3-none-any.whl", "w") as wheel:
        wheel.writestr("kinetrain_probe.py", "")
        wheel.writestr(f"{record}/METADATA", "Metadata-Version: 2.1\nName: kinetrain-probe\nVersion: 1.0+cpu\n")
        wheel.writestr(f"{record}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{record}/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheelhouse))
    monkeypatch.setenv("KINETRAIN_WHEELS", str(tmp_path / "ours"))
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    pins = tmp_path / "probe.txt"
    pins.write_text("kinetrain-probe==1.0\n")
    programs = environment.make(pins, tmp_path / "env")
    assert list(programs.parent.glob(f"lib/python*/site-packages/{record}"))


def test_settings_of_uv_count_more_than_those_of_pip(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.setenv("UV_INDEX_URL", "https://other.example/simple")
    variables = environment.installer_variables(tmp_path / "env", tmp_path)
    assert variables["UV_INDEX_URL"] == "https://other.example/simple"

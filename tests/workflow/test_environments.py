"""Software environments are made from pins, once, and say what failed when they cannot be made."""

import re
import subprocess
import sys
import zipfile

import environment
import pytest
from packaging.requirements import Requirement

NAMES = ["workflow", "docs", "mechanistic", "neural", "analysis"]


def packages(lines):
    return sorted(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@pytest.mark.parametrize("name", NAMES)
def test_pins_are_exact_and_name_no_host(root, name):
    pins = packages((root / "envs" / f"{name}.txt").read_text().splitlines())
    assert pins
    for pin in pins:
        version = r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[A-Za-z0-9.]+"
        assert re.fullmatch(rf"{version}( ; [a-zA-Z0-9_ <>=!'.]+)?", pin), f"{pin} is not a plain name==version"


@pytest.mark.parametrize("python", ["3.11.2", "3.11.9", "3.12.0", "3.13.0", "3.14.0"])
@pytest.mark.parametrize("name", NAMES)
def test_every_version_of_python_has_one_pin_of_a_package(root, name, python):
    pins = [Requirement(pin) for pin in packages((root / "envs" / f"{name}.txt").read_text().splitlines())]
    machine = {"python_full_version": python, "python_version": python.rpartition(".")[0], "sys_platform": "linux"}
    taken = [pin.name for pin in pins if pin.marker is None or pin.marker.evaluate(machine)]
    assert len(set(taken)) == len(taken)
    asked = [Requirement(line).name for line in packages((root / "envs" / f"{name}.in").read_text().splitlines())]
    assert set(asked) <= set(taken)


@pytest.mark.parametrize("name", NAMES[2:])
def test_the_conda_environment_has_the_same_pins(root, name):
    written = (root / "envs" / f"{name}.yaml").read_text().partition("- pip:\n")[2]
    pins = packages((root / "envs" / f"{name}.txt").read_text().splitlines())
    assert packages(line.replace("- ", "") for line in written.splitlines()) == pins, "run `make pins`"


@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_its_hashes_but_what_may_be_built_here(root, name):
    hashed = (root / "envs" / f"{name}.hashes").read_text()
    sources = root / "envs" / f"{name}.sources"
    hashed += sources.read_text() if sources.is_file() else ""
    blocks = re.findall(r"(?m)^(\S+==\S+(?: ; .*)?) \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", hashed)
    pins = packages((root / "envs" / f"{name}.txt").read_text().splitlines())
    assert sorted(blocks) == [pin for pin in pins if not pin.startswith("torch==")], "run `make pins`"


def test_cyipopt_is_built_from_the_source_of_its_hash(root):
    script = (root / "envs/mechanistic.post-deploy.sh").read_text()
    assert re.search(r"(?m)^hash=sha256:[0-9a-f]{64}$", script)
    builds = re.findall(r"(?m)^ +(?:python -m pip wheel|uv pip install .*--no-cache ).*$", script)
    assert len(builds) == 2 and all('"${source[@]}"' in build for build in builds)
    assert "--require-hashes --no-binary cyipopt" in script


def test_a_package_that_is_other_than_its_hash_is_refused(tmp_path, monkeypatch):
    record = "kinetrain_probe-1.0.dist-info"
    (tmp_path / "house").mkdir()
    with zipfile.ZipFile(tmp_path / "house" / "kinetrain_probe-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("kinetrain_probe.py", "")
        wheel.writestr(f"{record}/METADATA", "Metadata-Version: 2.1\nName: kinetrain-probe\nVersion: 1.0\n")
        wheel.writestr(f"{record}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{record}/RECORD", "")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "house"))
    monkeypatch.setenv("KINETRAIN_WHEELS", str(tmp_path / "ours"))
    pins = tmp_path / "probe.txt"
    pins.write_text("kinetrain-probe==1.0\n")
    pins.with_suffix(".hashes").write_text(f"kinetrain-probe==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(environment.Failed, match=r"[Hh]ash"):
        environment.make(pins, tmp_path / "env")


@pytest.mark.parametrize(("python", "version"), [((3, 11, 9), "1.0"), ((3, 12, 0), "1.1"), ((3, 13, 1), "1.1")])
def test_what_is_built_from_source_is_as_new_as_python_allows(tmp_path, monkeypatch, python, version):
    monkeypatch.setattr(environment.sys, "version_info", python)
    pins = tmp_path / "probe.txt"
    pins.write_text("amici==1.0 ; python_full_version < '3.12'\namici==1.1 ; python_full_version >= '3.12'\nsix==1.0\n")
    assert environment.from_source(pins) == [("amici", version)]
    pins.write_text("amici==1.2\n")
    assert environment.from_source(pins) == [("amici", "1.2")]
    pins.write_text("amici==1.2 ; os_name == 'posix'\n")
    with pytest.raises(environment.Failed, match="not a version of Python: os_name"):
        environment.from_source(pins)


def test_changed_pins_make_another_environment(tmp_path):
    pins = tmp_path / "tools.txt"
    pins.write_text("six==1.16.0\n")
    before = environment.label(pins)
    pins.write_text("six==1.17.0\n")
    assert environment.label(pins) != before


def test_a_package_that_cannot_be_installed_is_named_and_the_way_on_is_reported(root, tmp_path):
    pins = tmp_path / "broken.txt"
    pins.write_text("kinetrain-no-such-package==1.0\n")
    script = root / "workflow" / "scripts" / "environment.py"
    process = subprocess.run([sys.executable, script, pins, tmp_path / "env"], capture_output=True, text=True)
    assert process.returncode == 1
    assert "the environment 'broken' could not be made: kinetrain-no-such-package==1.0 failed" in process.stderr
    assert "run the same command again" in process.stderr


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


@pytest.mark.parametrize("cut", [0, 60, None])
def test_a_damaged_wheel_of_ours_is_made_anew(tmp_path, cut, capsys):
    for name in ("ours-1.0-cp311-a.whl", "ours-1.0-cp311-b.whl"):
        with zipfile.ZipFile(tmp_path / name, "w") as wheel:
            wheel.writestr("ours.py", "answer = 42\n" * 20)
    content = (tmp_path / "ours-1.0-cp311-a.whl").read_bytes()
    damaged = content.replace(b"42", b"43", 1) if cut is None else content[:cut]
    (tmp_path / "ours-1.0-cp311-a.whl").write_bytes(damaged)
    environment.delete_damaged(tmp_path)
    assert "ours-1.0-cp311-a.whl was damaged and is made again" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "ours-1.0-cp311-b.whl"]


def test_the_installers_see_no_other_python_packages_and_know_the_network_s_certificates(tmp_path, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONSAFEPATH"):
        monkeypatch.setenv(name, "/elsewhere")
    for name in ("SSL_CERT_FILE", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/some/ca.pem")
    variables = environment.installer_variables(tmp_path / "env", tmp_path)
    assert not [name for name in variables if name.startswith("PYTHON") and variables[name] == "/elsewhere"]
    assert variables["SSL_CERT_FILE"] == "/some/ca.pem"


@pytest.mark.parametrize(
    ("checkout", "inside"), [("plain-1.0_b", True), ("it's (1)", False), ("ü", False), ("a:b", False), ("a$b", False)]
)
def test_an_environment_is_made_at_a_path_that_compilers_accept(tmp_path, monkeypatch, checkout, inside):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / checkout / "envs").mkdir(parents=True)
    pins = tmp_path / checkout / "envs" / "tools.txt"
    pins.write_text("six==1.17.0\n")
    place = tmp_path / (f"{checkout}/.snakemake" if inside else "cache/kinetrain")
    assert environment.home(pins) == place / "envs" / environment.label(pins)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "ca che"))
    home = environment.home(pins)
    assert home.is_relative_to(tmp_path) == inside and " " not in str(home)


def test_settings_of_uv_count_more_than_those_of_pip(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.setenv("UV_INDEX_URL", "https://other.example/simple")
    variables = environment.installer_variables(tmp_path / "env", tmp_path)
    assert variables["UV_INDEX_URL"] == "https://other.example/simple"


def test_what_swig_writes_is_not_optimised_and_all_else_is(tmp_path):
    compiler = environment.quick_compiler(tmp_path, "echo first")
    for file, added in (("/a b/amiciPYTHON_wrap.cxx", " -O0"), ("src/model.cpp", "")):
        words = ["-O3", "-c", file, "-o", "x.o"]
        said = subprocess.run([compiler, *words], capture_output=True, text=True, check=True).stdout
        assert said == f"first {' '.join(words)}{added}\n"


def test_uv_is_installed_by_pip_with_the_hash_of_its_pin_where_it_is_not_there(root, tmp_path, monkeypatch):
    monkeypatch.setattr(environment.shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(environment, "cache_folder", lambda: tmp_path)
    commands = []

    def step(*words):
        commands.append(words)
        words[-1].is_absolute() and words[-1].suffix == "" and words[-1].mkdir()

    uv = environment.find_uv(root / "envs" / "workflow.txt", step)
    assert "--require-hashes" in commands[-1] and uv.startswith(str(tmp_path))
    pin = commands[-1][-1].read_text()
    version = re.search(r"(?m)^uv==(\S+)$", (root / "envs" / "workflow.txt").read_text())[1]
    assert pin.startswith(f"uv=={version} \\\n") and "--hash=sha256:" in pin and pin.count("==") == 1

"""Make the software environment of a rule from its pins, once, and print the folder of its programs.

It is a Python virtual environment named after its pins, so changed pins make a new one and running jobs keep theirs.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinetrain.cache import cache_folder, cache_home, locked, temporary_folder

IN_IMAGE = "/opt/kinetrain"  # where the image has the environments; here, as rules are to hold no absolute path
FINISHED = "kinetrain-finished"  # written last: a folder without it is incomplete and is made again
SOURCE_ONLY = ("amici",)  # published without wheels and slow to build: the wheel we build is kept
PLAIN = r"[\w./+=@-]+"  # a path that compilers, CMake, SWIG and the first lines of scripts accept


class Failed(Exception):
    """The environment could not be made; the message says which package failed and how to go on."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pins", type=Path, help="file of name==version lines, e.g. envs/neural.txt")
    parser.add_argument("folder", type=Path, nargs="?", help="where to make it (default: .snakemake/envs, by content)")
    return parser.parse_args()


def post_deploy(pins: Path) -> Path:
    """Return the script that finishes an environment, under the name that Snakemake's conda support uses too."""
    return pins.with_suffix(".post-deploy.sh")


def label(pins: Path) -> str:
    """Return the name of an environment and a hash of all that goes into it."""
    content = hashlib.sha256("{}.{}".format(*sys.version_info).encode())
    for file in (pins, post_deploy(pins)):
        content.update(file.read_bytes() if file.is_file() else b"")
    return f"{pins.stem}-{content.hexdigest()[:12]}"


def home(pins: Path) -> Path:
    """Return the folder of the environment of `pins`: in the checkout, named by its content.

    If the path of the checkout has blanks, quotes or other characters with which AMICI cannot be built, it is in the
    user's cache, or else in the temporary folder.
    """
    checkout = pins.parent.parent / ".snakemake"
    folders = (checkout, cache_folder(), temporary_folder())
    return (
        next((one for one in folders if re.fullmatch(PLAIN, str(one.absolute()), re.ASCII)), checkout)
        / "envs"
        / label(pins)
    )


def make(pins: Path, folder: Path) -> Path:
    """Return the folder of programs of the environment, made on first use; concurrent jobs wait for each other."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not (folder / FINISHED).is_file():
        start = time.monotonic()
        with locked(Path(f"{folder}.lock")):
            if (folder / FINISHED).is_file():
                report(
                    f"waited {time.monotonic() - start:.0f} s for the environment '{pins.stem}', which another job made"
                )
            else:
                report(f"making the environment '{pins.stem}' from {pins} (first use only; log: {folder}.log)")
                shutil.rmtree(folder, ignore_errors=True)
                install(pins, folder)
                os.sync()  # else a crash of the machine could leave the mark with empty files
                (folder / FINISHED).touch()
                report(f"the environment '{pins.stem}' is ready after {time.monotonic() - start:.0f} s")
    return folder / "bin"


def install(pins: Path, folder: Path) -> None:
    """Fill `folder` with the pinned packages, then let the post-deploy script finish it."""
    python, wheels = folder / "bin" / "python", wheel_folder()
    variables = installer_variables(folder, wheels)
    log = Path(f"{folder}.log")
    log.unlink(missing_ok=True)

    def step(*command, **more):
        run_step([str(word) for word in command], variables | more, log, pins)

    delete_damaged(wheels)
    uv = find_uv(pins, step)
    step(uv, "venv", "--seed", "--python", sys.executable, folder)
    for package, version in from_source(pins):
        tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
        if not list(wheels.glob(f"{package}-{version}-{tag}-*_{os.uname().machine}.whl")):
            require_compiler(pins)
            report(f"building {package} {version} from its source, some minutes (the wheel is kept in {wheels})")
            with tempfile.TemporaryDirectory(dir=wheels) as new, tempfile.TemporaryDirectory() as programs:
                source = pins.with_suffix(".sources")
                wanted = (
                    ["--require-hashes", "--requirement", source] if source.is_file() else [f"{package}=={version}"]
                )
                compiler = quick_compiler(Path(programs), variables.get("CXX"))
                step(python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", new, *wanted, CXX=compiler)
                os.sync()
                for wheel in Path(new).iterdir():
                    wheel.replace(wheels / wheel.name)
    hashes = pins.with_suffix(".hashes")  # of all but what is built here, and torch, which a wheelhouse may have
    checked = ["--constraints", hashes] if hashes.is_file() else []
    step(uv, "pip", "install", "--python", python, "--requirements", pins, *checked)
    if post_deploy(pins).is_file():
        step("bash", post_deploy(pins))


def from_source(pins: Path) -> list[tuple[str, str]]:
    """Return name and version of the packages that are built here, as pinned for this version of Python.

    The library `packaging` would read any marker, but a Python outside the environments need not have it.
    """
    found = []
    pinned = re.findall(rf"(?m)^({'|'.join(SOURCE_ONLY)})==(\S+)(?: ; (.+))?$", pins.read_text())
    for package, version, marker in pinned:
        condition = re.fullmatch(r"python_full_version (<|>=) '([\d.]+)'", marker)
        if marker and not condition:
            raise Failed(f"{pins}: the condition of {package} {version} is not a version of Python: {marker}")
        older = bool(condition) and sys.version_info[:3] < tuple(map(int, condition[2].split(".")))
        if not condition or older == (condition[1] == "<"):
            found.append((package, version))
    return found


def delete_damaged(wheels: Path) -> None:
    """Delete the wheels that a crash or a full disk cut short: a wheel holds the checksums of its files."""
    for wheel in wheels.glob("*.whl"):
        try:
            with zipfile.ZipFile(wheel) as archive:
                damaged = archive.testzip()
        except Exception as error:  # zipfile and zlib raise a dozen kinds of exceptions for damage
            damaged = error
        if damaged is not None:
            report(f"{wheel} was damaged and is made again")
            wheel.unlink()


def run_step(command: list[str], variables: dict, log: Path, pins: Path) -> None:
    """Run one step of an installation; all that it prints goes to the log, and what failed to the user."""
    with open(log, "a") as output:
        print("$", *command, file=output, flush=True)
        status = subprocess.run(command, env=variables, stdout=output, stderr=subprocess.STDOUT).returncode
    if status:
        text = log.read_text().rpartition("\n$ ")[2]
        named = re.findall(r"([A-Za-z][\w.-]*==[\w.+!-]+)", text.partition("\n")[2]) or command[-1:]
        raise Failed(
            f"the environment '{pins.stem}' could not be made: {named[0]} failed.\n"
            + "\n".join(f"  | {line}" for line in text.splitlines()[1:][-12:])
            + f"\nWhole log: {log}\nFix the cause (network, package index, compiler, or the pin in {pins}) "
            "and run the same command again; what is finished is kept."
        )


def installer_variables(folder: Path, wheels: Path) -> dict:
    """Return the variables for the installers: pip's own settings hold for uv too, unless uv's are set."""
    variables = dict(os.environ)
    for ours, theirs in (
        ("UV_FIND_LINKS", "PIP_FIND_LINKS"),
        ("UV_INDEX_URL", "PIP_INDEX_URL"),
        ("UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL"),
        ("SSL_CERT_FILE", "PIP_CERT"),
        ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
    ):
        if os.environ.get(theirs):
            # pip separates several places by blanks, uv separates find-links by commas
            value = os.environ[theirs].replace(" ", ",") if ours == "UV_FIND_LINKS" else os.environ[theirs]
            variables.setdefault(ours, value)
    variables["XDG_CACHE_HOME"] = str(cache_home())  # there may be no home that uv can write to
    places = [place for place in variables.get("UV_FIND_LINKS", "").split(",") if place]
    variables["UV_FIND_LINKS"] = ",".join([*places, str(wheels)])
    variables["PATH"] = os.pathsep.join([str(folder / "bin"), variables.get("PATH", "")])
    variables["VIRTUAL_ENV"] = str(folder)
    variables["KINETRAIN_WHEELS"] = str(wheels)
    variables.setdefault("AMICI_PARALLEL_COMPILE", str(os.cpu_count() or 1))
    return {name: value for name, value in variables.items() if not re.match("PYTHON(?!DONTWRITE)", name)}


def wheel_folder() -> Path:
    """Return the folder of the wheels built here, shared by all checkouts of this user."""
    folder = Path(os.environ.get("KINETRAIN_WHEELS") or cache_folder() / "wheels")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def find_uv(pins: Path, step: Callable) -> str:
    """Return the path of the program uv: of the workflow's own packages, on the PATH, or else installed here by pip.

    step: runs the words of a command, and stops if it fails.
    """
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        pin = re.search(r"(?m)^uv==(.*\\\n)*.*\n", pins.with_name("workflow.hashes").read_text())[0]
        folder = cache_folder() / f"uv-{hashlib.sha256(pin.encode()).hexdigest()[:12]}"
        uv = str(folder / "bin" / "uv")
        with locked(Path(f"{folder}.lock")):
            if not Path(uv).is_file():  # which pip writes last but for its records
                step(sys.executable, "-m", "venv", "--clear", folder)
                (folder / "uv.txt").write_text(pin)
                step(folder / "bin" / "python", "-m", "pip", "install", "--require-hashes", "-r", folder / "uv.txt")
    return uv


def quick_compiler(folder: Path, compiler: str | None) -> str:
    """Return the path of a C++ compiler, made in `folder`, that does not optimise what SWIG writes.

    That code hands arguments from Python to AMICI; with -O3, as AMICI's build asks for, it takes a third of the build.
    """
    compiler = compiler or next(filter(shutil.which, ("c++", "g++", "clang++")))
    script = folder / "c++"
    script.write_text(f"""#!/bin/sh\ncase "$*" in *_wrap.cxx*) set -- "$@" -O0;; esac\nexec {compiler} "$@"\n""")
    script.chmod(0o755)
    return str(script)


def require_compiler(pins: Path) -> None:
    """Stop before a long build when there is no C++ compiler."""
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")):
        raise Failed(
            f"the environment '{pins.stem}' needs a C++ compiler and none was found.\n"
            "Debian/Ubuntu: apt-get install g++ python3-dev    Fedora: dnf install gcc-c++ python3-devel"
        )


def report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main():
    arguments = parse_arguments()
    if not arguments.pins.is_file():
        sys.exit(f"error: {arguments.pins}: no such file of pins")
    try:
        print(make(arguments.pins, arguments.folder or home(arguments.pins)))
    except Failed as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

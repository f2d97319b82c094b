"""What README, tutorial and how-to pages tell people to type can be typed: every command and every file is tried.

What would take long is planned instead of run: Snakemake by a dry run, other targets of make by `make -n`.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest

TOP = Path(__file__).resolve().parents[2]
COPIED = ["Snakefile", "Makefile", "workflow", "envs", "profiles", "config", "resources", "docs"]
PAGES = ["README.md", "docs/tutorial.md", *(f"docs/howto/{path.name}" for path in (TOP / "docs/howto").glob("*.md"))]
BLOCK = re.compile(r'(?ms)^```(\w+)(?: title="([^"]+)")?\n(.*?)^```')
PATH = re.compile(r"`((?:\.ci|benchmarks|config|docs|envs|profiles|resources|tests|workflow)/[\w./-]+)`")
OF_FOLDER = re.compile(r"((?:`[\w*]+\.py`[^`|\n]{1,12})+)of `([\w/]+/)`")
MADE_BY_USERS = ["envs/kinetrain.sif", "resources/downloads"]
# Not tried: what needs the network or a cluster, and a report of results that are not there.
ELSEWHERE = re.compile(r"git clone|pip install|snakemake --report|snakemake --profile|snakemake .*\| dot")

SETS_THE_SHELL = ("source ", "export ")  # tried on each page anew


def tried(line: str) -> str:
    """Return the command of a line of a page as a test can run it."""
    command = line.partition("  #")[0].strip()
    first, *words = command.split() or [""]
    if ELSEWHERE.match(command):
        return ":"
    if first == "snakemake":
        return f"snakemake --quiet --dry-run {' '.join(word for word in words if word not in ('-n', '-p'))}"
    if first == "make":
        targets = [word for word in words if "=" not in word]
        rest = " ".join(word for word in words if "=" in word)
        if targets in ([], ["report"], ["plan"]):
            return f"make plan {rest}".strip()
        return f"make --dry-run {' '.join(targets)} {rest} > /dev/null"
    return line.rstrip()


@pytest.fixture(scope="module")
def checkout(root, copy_parts, tmp_path_factory) -> Path:
    """A copy of this checkout, to which pages add their files, with a folder in place of downloaded ones."""
    top = tmp_path_factory.mktemp("checkout")
    copy_parts(COPIED, top)
    for name in (".venv", ".snakemake/envs"):
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).symlink_to((root / name).resolve())
    (top / "path/to/local/files").mkdir(parents=True)
    (top / "path/to/file").touch()
    return top


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory) -> Path:
    """A folder with a `python3` that has no packages, as that of a new user: pages must not need those of this test."""
    program = tmp_path_factory.mktemp("bare") / "python3"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    program.chmod(0o755)
    return program.parent


@pytest.fixture(scope="module")
def done() -> set:
    """Commands that were tried: planning the same twice shows nothing new."""
    return set()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_can_be_typed(page, root, checkout, done, bare_python):
    lines, written = [], []
    for language, title, text in BLOCK.findall((root / page).read_text(encoding="utf-8")):
        if title:
            (checkout / title).parent.mkdir(parents=True, exist_ok=True)
            (checkout / title).write_text(text, encoding="utf-8")
            written.append((title, text))
        elif language == "sh":
            for one in commands(text):
                if one.startswith(SETS_THE_SHELL) or (one, *written) not in done:
                    done.add((one, *written))
                    lines.append(one)
    script = "\n".join(["set -eu", *lines])
    others = [place for place in os.environ["PATH"].split(":") if Path(place) != Path(sys.executable).parent]
    variables = {**os.environ, "PATH": ":".join([str(bare_python), *others])}
    process = subprocess.run(["bash", "-c", script], cwd=checkout, env=variables, capture_output=True, text=True)
    assert process.returncode == 0, f"{page}:\n{script}\n{process.stdout[-2000:]}\n{process.stderr[-3000:]}"


def commands(text: str) -> list[str]:
    """Return the commands of a block; what a heredoc holds stays with the command that it belongs to."""
    found, end = [], ""
    for line in text.splitlines():
        if end:
            found[-1] += f"\n{line}"
            end = "" if line == end else end
        elif heredoc := re.search(r"<<'(\w+)'", line):
            end = heredoc[1]
            found.append(line)
        elif line.strip() and not line.startswith("#"):
            found += [tried(one) for one in line.split(" && ")] if not line.startswith("git") else [":"]
    return found


def test_code_that_pages_show_is_run_in_a_test(root):
    run = (root / "tests/workflow/test_additions.py").read_text(encoding="utf-8")
    for page in PAGES:
        for _, title, text in BLOCK.findall((root / page).read_text(encoding="utf-8")):
            if title.startswith("workflow/kinetrain/"):
                assert text.strip() in run, f"{page}: {title} is not a file of test_additions.py, which runs it"


def test_pages_made_from_the_code_are_up_to_date(root):
    made = subprocess.run(
        [sys.executable, "-c", "import generate, json; print(json.dumps({p: f() for p, f in generate.PAGES.items()}))"],
        cwd=root / "docs",
        capture_output=True,
        text=True,
        check=True,
    )
    for page, text in json.loads(made.stdout).items():
        assert (root / "docs" / page).read_text(encoding="utf-8") == text, f"{page}: run `make docs`"


def test_every_page_is_in_the_contents(root):
    contents = (root / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [str(path.relative_to(root / "docs")) for path in (root / "docs").rglob("*.md")]
    assert [page for page in pages if f"- {page}" not in contents] == []


def test_files_that_pages_name_are_there(root):
    pages = [root / "README.md", root / "CONTRIBUTING.md", root / "config/README.md", *(root / "docs").rglob("*.md")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        named = PATH.findall(text)
        named += [
            f"{folder}{name}" for names, folder in OF_FOLDER.findall(text) for name in re.findall(r"[\w*]+\.py", names)
        ]
        for path in named:
            pattern = re.sub(r"[A-Z]{4,}", "*", path)  # `folder/NAME.py` is any file of the folder
            assert path in MADE_BY_USERS or list(root.glob(pattern)), f"{page.name} names {path}, which is not there"


def links(text: str) -> list[str]:
    """Return the files that a page links to or shows."""
    return [target for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text) if "://" not in target]


def test_links_between_pages_lead_somewhere(root):
    pages = [*root.glob("*.md"), root / "config/README.md", *(root / "docs").rglob("*.md")]
    for page in pages:
        for target in links(page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} leads to {target}"


def test_links_of_the_configuration_hold_in_the_site_too(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "docs")
    import hooks

    page = SimpleNamespace(file=SimpleNamespace(src_uri="configuration.md"))
    text = hooks.on_page_markdown("", page)
    assert "## All keys" in text and links(text)
    for target in links(text):
        assert (root / "docs" / target).is_file(), f"the page of the configuration leads to {target}"


def test_the_reference_names_all_configurations_that_are_there(root):
    text = (root / "config/README.md").read_text(encoding="utf-8")
    files = {path.name for path in (root / "config").glob("*.yaml")}
    assert {name for name in files if f"| `{name}` |" not in text} == set()


def test_the_folders_of_the_library_are_there_in_the_order_of_the_layers(root):
    contract = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = [re.findall(r"\w+", layer) for layer in reversed(contract["contracts"][0]["layers"])]
    table = (root / "docs/architecture.md").read_text(encoding="utf-8").partition("| folder | holds |")[2]
    rows = [re.findall(r"`(\w+)(?:/|\.py)`", row.split("|")[1]) for row in re.findall(r"(?m)^\| `.*", table)]
    assert list(chain(*rows)) == list(chain(*layers))

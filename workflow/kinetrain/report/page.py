"""The report, one self-contained page (`page.html`): first the answers of a run, then all its figures and tables."""

import base64
import re
from importlib.util import find_spec
from pathlib import Path

from docutils.core import publish_parts
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kinetrain.errors import InputError
from kinetrain.report.html import NO_ROWS, STYLE, unbroken

FIRST = 2  # sentences of a caption that are always shown


def report(
    title: str, facts: list[str], answers: dict, introduction: str, sections: dict[str, list[dict]], settings: str = ""
) -> str:
    """Return the HTML page of a report.

    Parameters
    ----------
    title, facts
        Heading, and below it when, on what and at what cost this run was made.
    answers
        The answers of the first screen, as `kinetrain.evaluation.answers.answers` returns it.
    introduction
        What a report holds, in reStructuredText; folded.
    sections
        Heading of every section -> its parts, dicts of `title`, `file` (an SVG figure or a page of `html.py`),
        `caption` (reStructuredText) and, for a table, `source` (its file, relative to the report). Tables
        without rows, and figures drawn from such, are left out and named at the end.
    settings
        Title of the part that holds the settings of the run, to which figures link.

    Raises
    ------
    InputError
        If a file is neither SVG nor an HTML page.
    """
    pages = Environment(loader=PackageLoader("kinetrain", "report"), autoescape=True, undefined=StrictUndefined)
    pages.filters |= {"rst": _from_rst, "anchor": _anchor, "base64": _encoded, "body": _body, "companion": _companion}
    pages.filters |= {"split_caption": split_caption, "unbroken": lambda text: Markup(unbroken(text))}
    shown = {heading: [part for part in parts if _has_rows(part["file"])] for heading, parts in sections.items()}
    left_out = [part["title"] for parts in sections.values() for part in parts if not _has_rows(part["file"])]
    place = next((_anchor(part) for parts in shown.values() for part in parts if part["title"] == settings), "start")
    script, style = data_tables()
    address = f"data:text/javascript;base64,{base64.b64encode(script).decode()}"
    return pages.get_template("page.html").render(
        title=title,
        facts=facts,
        answers=answers,
        introduction=introduction,
        sections={_unnumbered(heading): parts for heading, parts in shown.items() if parts},
        left_out=left_out,
        settings=place,
        style=STYLE,
        layout=(Path(__file__).parent / "layout.css").read_text(encoding="utf-8"),
        tables_style=style,
        script=(Path(__file__).parent / "page.js").read_text("utf-8").replace("{{ tables_script }}", address),
    )


def data_tables() -> tuple[bytes, str]:
    """Return script and style sheet of DataTables (MIT), as the package itables ships them.

    The package is found without being imported, which would load far more than these two files.
    """
    package = find_spec("itables")
    folder = Path(next(iter(package.submodule_search_locations))) / "html"  # type: ignore[union-attr, arg-type]
    return (folder / "dt_bundle.js").read_bytes(), (folder / "dt_bundle.css").read_text(encoding="utf-8")


def split_caption(text: str) -> tuple[str, str]:
    """Return the first two sentences of a caption, and the rest, which is shown on demand.

    A heading in bold type at the beginning counts for none; a table's caption is split at its first empty line.
    """
    first, _, rest = text.strip().partition("\n\n")
    first = re.sub(r"\s+", " ", first)
    begin = re.match(r"\*\*.*?\*\*[.,]?(?: |$)", first)
    heading = begin[0] if begin and begin[0].rstrip().endswith((".", ".**")) else ""
    sentences = re.split(r"(?<=[.!?]) (?=[A-Z*\"`])", first[len(heading) :])
    shown, more = sentences[:FIRST], sentences[FIRST:]
    return heading + " ".join(shown), "\n\n".join(filter(None, [" ".join(more), rest.strip()]))


def _unnumbered(heading: str) -> str:
    """Return a heading without the number that orders it in Snakemake's own report."""
    return re.sub(r"^\d+ ", "", heading)


def _has_rows(file: str) -> bool:
    """Return whether a part has something to show: a table its rows, a figure those of its table."""
    if not file.endswith(".svg"):
        return NO_ROWS not in Path(file).read_text(encoding="utf-8")
    table = Path(file).with_suffix(".tsv")
    if not table.is_file():
        return True
    with table.open(encoding="utf-8") as lines:
        return sum(1 for _, line in zip(range(2), lines, strict=False) if line.strip()) > 1


def _encoded(file: str) -> str:
    return base64.b64encode(Path(file).read_bytes()).decode()


def _companion(part: dict, suffix: str) -> str:
    """Return the address of another file of a figure, relative to the report, which lies above the figures."""
    return f"{Path(part['file']).parent.name}/{Path(part['file']).stem}.{suffix}"


def _body(file: str) -> Markup:
    """Return the content of a page of `html.py` below its heading."""
    body = re.search(r"<body>\s*(?:<h1>.*?</h1>)?(.*)</body>", Path(file).read_text(encoding="utf-8"), re.DOTALL)
    if body is None:
        raise InputError(f"{file}: neither an SVG figure nor an HTML page with a body")
    return Markup(body[1])


def _from_rst(text: str) -> Markup:
    return Markup(publish_parts(text, writer="html", settings_overrides={"raw_enabled": False})["body"])


def _anchor(part: dict) -> str:
    return re.sub(r"\W+", "-", part["title"].lower()) + "-" + Path(part["file"]).suffix[1:]

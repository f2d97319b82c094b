"""The report: all figures and tables of a run with their captions on one self-contained page (`page.html`)."""

import base64
import re
from pathlib import Path

from docutils.core import publish_parts
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kinetrain.errors import InputError
from kinetrain.report.html import STYLE


def report(title: str, introduction: str, sections: dict[str, list[dict]]) -> str:
    """Return the HTML page of a report.

    Parameters
    ----------
    title, introduction
        Heading, and text below it in reStructuredText.
    sections
        Heading of every section -> its parts, dicts of `title`, `file` (an SVG figure or an HTML page of ours) and
        `caption` (reStructuredText).

    Raises
    ------
    InputError
        If a file is neither SVG nor an HTML page.
    """
    pages = Environment(loader=PackageLoader("kinetrain", "report"), autoescape=True, undefined=StrictUndefined)
    pages.filters |= {"rst": _from_rst, "anchor": _anchor, "base64": _encoded, "body": _body}
    return pages.get_template("page.html").render(
        title=title, introduction=introduction, sections=sections, style=STYLE
    )


def _encoded(file: str) -> str:
    return base64.b64encode(Path(file).read_bytes()).decode()


def _body(file: str) -> Markup:
    """Return what a page of ours holds below its heading."""
    body = re.search(r"<body>\s*(?:<h1>.*?</h1>)?(.*)</body>", Path(file).read_text(encoding="utf-8"), re.DOTALL)
    if body is None:
        raise InputError(f"{file}: neither an SVG figure nor an HTML page with a body")
    return Markup(body[1])


def _from_rst(text: str) -> Markup:
    return Markup(publish_parts(text, writer="html", settings_overrides={"raw_enabled": False})["body"])


def _anchor(part: dict) -> str:
    return re.sub(r"\W+", "-", part["title"].lower()) + "-" + Path(part["file"]).suffix[1:]

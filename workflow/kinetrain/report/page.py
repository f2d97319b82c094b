"""The report: all figures and tables of a run with their captions on one self-contained page."""

import base64
import re
from html import escape
from pathlib import Path

from docutils.core import publish_parts

from kinetrain.errors import InputError
from kinetrain.report.html import STYLE

LAYOUT = """
body { max-width: 75em; margin: 2em auto; padding: 0 1.5em; } nav { columns: 3 16em; margin: 1.5em 0; }
h2 { margin-top: 2.2em; border-bottom: 1px solid #bbb; } h3 { margin: 2em 0 .6em; }
figure { margin: 0; } figure img { max-width: 100%; }
.part { max-height: 64em; overflow: auto; } .part table { width: max-content; } .part td { max-width: 24em; }
pre { background: #f5f5f5; padding: .8em; overflow-x: auto; }
"""


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
    contents = "".join(
        f"<p><b>{escape(heading)}</b><br>"
        + "<br>".join(f'<a href="#{_anchor(part)}">{escape(part["title"])}</a>' for part in parts)
        + "</p>\n"
        for heading, parts in sections.items()
    )
    body = "".join(
        f"<h2>{escape(heading)}</h2>\n" + "".join(_part(part) for part in parts) for heading, parts in sections.items()
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f"<style>{STYLE}{LAYOUT}</style></head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"{_from_rst(introduction)}<nav>\n{contents}</nav>\n{body}</body>\n</html>\n"
    )


def _part(part: dict) -> str:
    heading = f'<h3 id="{_anchor(part)}">{escape(part["title"])}</h3>\n'
    return heading + _content(Path(part["file"]), part["title"]) + _from_rst(part["caption"])


def _content(file: Path, title: str) -> str:
    """Return a figure as an image, or what a page of ours holds below its heading."""
    if file.suffix == ".svg":
        image = base64.b64encode(file.read_bytes()).decode()
        return f'<figure><img alt="{escape(title)}" src="data:image/svg+xml;base64,{image}"></figure>\n'
    body = re.search(r"<body>\s*(?:<h1>.*?</h1>)?(.*)</body>", file.read_text(encoding="utf-8"), re.DOTALL)
    if body is None:
        raise InputError(f"{file}: neither an SVG figure nor an HTML page with a body")
    return f'<div class="part">{body[1]}</div>\n'


def _from_rst(text: str) -> str:
    return publish_parts(text, writer="html", settings_overrides={"raw_enabled": False})["body"]


def _anchor(part: dict) -> str:
    return re.sub(r"\W+", "-", part["title"].lower()) + "-" + Path(part["file"]).suffix[1:]

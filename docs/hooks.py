"""Hook of MkDocs: the page of the configuration is config/README.md, with links as they hold within the site."""

from pathlib import Path

TOP = Path(__file__).resolve().parents[1]


def on_page_markdown(markdown: str, page, **_) -> str:
    """Return the text of a page as it is written to the site."""
    if page.file.src_uri != "configuration.md":
        return markdown
    return (TOP / "config" / "README.md").read_text(encoding="utf-8").replace("](../docs/", "](")

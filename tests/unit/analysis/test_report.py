"""The report holds all figures and tables with their captions, and needs no other file."""

import pytest

from kinetrain.errors import InputError
from kinetrain.report.page import report


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "fit.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "fits.html").write_text(
        "<html><body>\n<h1>Fits</h1>\n<table><tr><td>7.25</td></tr></table></body></html>"
    )
    figure = {"title": "Fit <1>", "file": str(tmp_path / "fit.svg"), "caption": "**Where** it *ended*."}
    table = {"title": "Fits", "file": str(tmp_path / "fits.html"), "caption": "All of them."}
    return figure, table


def test_figures_and_tables_stand_in_their_sections_with_captions(parts):
    page = report("Kinetrain", "What *this* is.", {"Figures": [parts[0]], "Tables": [parts[1]]})
    order = ["What <em>this</em> is.", "Fit &lt;1&gt;", "data:image/svg+xml;base64,", "<strong>Where</strong>", "7.25"]
    places = [page.rindex(text) for text in order]
    assert places == sorted(places) and "All of them." in page
    assert page.count("<h1>") == 1


def test_every_entry_of_the_contents_leads_somewhere(parts):
    page = report("Kinetrain", "", {"All": list(parts)})
    assert 'href="#fit-1--svg"' in page and 'id="fit-1--svg"' in page and 'id="fits-html"' in page


def test_a_file_that_is_no_figure_and_no_page_is_refused(parts, tmp_path):
    (tmp_path / "fits.html").write_text("nothing")
    with pytest.raises(InputError, match=r"fits\.html: neither an SVG figure nor an HTML page"):
        report("Kinetrain", "", {"Tables": [parts[1]]})

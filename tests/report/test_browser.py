"""The report as a browser shows it: on a screen, on a phone and on paper, without a request and without an error.

`make test-report` runs these; pictures and the PDF lie in the folder KINETRAIN_SCREENSHOTS, where it is set. A report
of a whole run is tested beside the small one where KINETRAIN_REPORT names it.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import Browser, program

from kinetrain.report.html import page
from kinetrain.report.page import report

pytestmark = pytest.mark.skipif(
    program() is None, reason="no browser: install chromium (Debian: apt-get install chromium)"
)
LARGEST_BYTES = 5_000_000


def small_report(folder: Path) -> Path:
    """Write a report with an answer, a figure, and a table with many rows and columns."""
    (folder / "figures").mkdir()
    shape = '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="300"><rect width="1200" height="300"/></svg>'
    (folder / "figures" / "fit.svg").write_text(shape)
    (folder / "figures" / "fit.tsv").write_text("a\tb\n1\t2\n")
    values = {f"a column with a long name {number}": np.arange(300) / 7 for number in range(25)}
    (folder / "fits.html").write_text(page(pd.DataFrame({"method": "first", **values}), "Fits"))
    arm = {
        "title": "Training",
        "question": "Which?",
        "columns": ["optimizer", "rank"],
        "rows": 9 * [["Adam", "1 [1, 2]"]],
    }
    arm |= {"note": "Few starts.", "decided": ["Adam ends lower than Ipopt"], "undecided": ["Adam or Fides"]}
    networks = {
        **arm,
        "columns": ["method", "kind", "balanced accuracy (%)", "AUPRC (%)", "test error relative to no change (%)"],
        "rows": 9 * [["Prior + correlation", "yardstick + prior", *3 * ["97.6 [97.6, 97.6]"]]],
    }
    answers = {"data": [], "arms": [arm, networks], "caution": "Two data sets."}
    figure = {
        "title": "Fit",
        "file": str(folder / "figures" / "fit.svg"),
        "caption": "One. Two. Three.",
        "source": None,
    }
    table = {"title": "Fits", "file": str(folder / "fits.html"), "caption": "All.", "source": "tables/fits.tsv"}
    path = folder / "report.html"
    path.write_text(report("Kinetrain", ["today"], answers, "About.", {"Figures": [figure], "Tables": [table]}))
    return path


@pytest.fixture(scope="module", params=["small", "whole"])
def report_file(request, tmp_path_factory) -> Path:
    """A report of a few parts, and that of a whole run where there is one."""
    if request.param == "small":
        return small_report(tmp_path_factory.mktemp("report"))
    if not os.environ.get("KINETRAIN_REPORT"):
        pytest.skip("KINETRAIN_REPORT names no report of a whole run")
    return Path(os.environ["KINETRAIN_REPORT"])


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser that is closed after the tests."""
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def pictures(tmp_path, request) -> Path:
    """Where pictures of the pages are put."""
    folder = Path(os.environ.get("KINETRAIN_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize(("width", "dark"), [(1366, False), (1366, True), (390, False)])
def test_the_page_fits_the_screen_and_asks_for_nothing(browser, report_file, pictures, width, dark):
    browser.open(report_file, width, dark=dark)
    browser.screenshot(pictures / f"{report_file.parent.name}-{width}{'-dark' if dark else ''}.png")
    assert browser.complaints() == []
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert report_file.stat().st_size <= LARGEST_BYTES


def test_the_first_screen_holds_the_answer(browser, report_file):
    browser.open(report_file, 1366)
    places = "[...document.querySelectorAll('.arm > .wide, .arm .decided')].map(one => one.getBoundingClientRect().top)"
    assert max(browser.value(places)) < 900
    hidden = "[...document.querySelectorAll('.arm > .wide')].map(one => one.scrollWidth - one.clientWidth)"
    assert max(browser.value(hidden)) <= 0  # no column of a ranking lies outside its card


def test_tables_filter_sort_and_download(browser, report_file):
    browser.open(report_file, 1366)
    browser.value("document.querySelector('article.table').scrollIntoView()")
    browser.wait("document.querySelector('.dt-search') != null")
    assert browser.value("document.querySelectorAll('.dt-search input').length") >= 1
    assert "CSV" in browser.value("document.querySelector('.dt-buttons').innerText")
    search = "document.querySelector('.dt-search input')"
    browser.value(
        f"{search}.value = 'no row holds this'; {search}.dispatchEvent(new Event('input', {{bubbles: true}}))"
    )
    assert "No matching records" in browser.value("document.querySelector('table.data tbody').innerText")


@pytest.mark.parametrize("width", [1366, 390])
def test_the_heads_of_long_tables_are_in_sight_however_far_one_scrolls(browser, report_file, width):
    browser.open(report_file, width)
    for number in range(browser.value("document.querySelectorAll('table.data').length")):
        table = f"document.querySelectorAll('table.data')[{number}]"
        browser.value(f"{table}.scrollIntoView()")
        browser.wait(f"{table}.closest('.dt-layout-table') != null")
        frame = f"{table}.parentElement"
        top = f"{table}.querySelector('thead th').getBoundingClientRect().top - {frame}.getBoundingClientRect().top"
        for scrolled in (0, 1000):
            browser.value(f"{frame}.scrollTop = {scrolled}")
            assert abs(browser.value(top)) < 2, f"table {number}, scrolled by {scrolled}"
        assert browser.value(f"{frame}.clientHeight") < 600


def test_paper_shows_what_the_screen_folds_or_scrolls(browser, report_file, pictures):
    browser.open(report_file, 1366)
    browser.features(media="print")
    browser.value("window.dispatchEvent(new Event('beforeprint'))")
    folded = "document.querySelectorAll('details:not([open])').length"
    scrolled = """[...document.querySelectorAll('main *')].filter(one => getComputedStyle(one).overflowY != 'visible'
        && one.scrollHeight > one.clientHeight + 2 && one.clientHeight > 0).length"""
    assert browser.value(folded) == 0 and browser.value(scrolled) == 0
    # Sentences take the width that the other columns leave.
    assert browser.value("getComputedStyle(document.querySelector('article td')).maxWidth") == "none"
    browser.print(pictures / f"{report_file.parent.name}.pdf")
    assert (pictures / f"{report_file.parent.name}.pdf").stat().st_size > 10_000

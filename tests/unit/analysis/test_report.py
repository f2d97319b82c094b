"""The report answers first, holds all figures and tables with their captions, and needs no other file."""

import numpy as np
import pandas as pd
import pytest
from made_results import INF

from kinetrain.errors import InputError
from kinetrain.figures.catalogue import find_figures
from kinetrain.report.html import as_html, cell, page
from kinetrain.report.page import report, split_caption
from kinetrain.tables import TABLES

ARM = {"title": "Training", "question": "Which?", "columns": ["optimizer", "rank"], "rows": [["Adam", "1 [1, 2]"]]}
ARM |= {"note": "Few starts.", "decided": ["Adam ends lower than Ipopt"], "undecided": ["Adam or Fides"]}
ANSWERS = {"data": [], "arms": [ARM], "caution": "Only one data set."}


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "fit.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "fits.html").write_text(
        "<html><body>\n<h1>Fits</h1>\n<table><tr><td>7.25</td></tr></table></body></html>"
    )
    figure = {"title": "Fit <1>", "file": str(tmp_path / "fit.svg"), "caption": "**Where** it *ended*.", "source": None}
    table = {
        "title": "Fits",
        "file": str(tmp_path / "fits.html"),
        "caption": "All of them.",
        "source": "tables/fits.tsv",
    }
    return figure, table


def page_of(sections, **more):
    return report("Kinetrain", ["today"], ANSWERS, "What *this* is.", sections, **more)


def test_the_answer_stands_before_all_figures_and_tables(parts):
    page = page_of({"2 Figures": [parts[0]], "4 Tables": [parts[1]]})
    order = [
        "Only one data set.",
        "Which?",
        '1 <span class="whole">[1, 2]<',
        "Adam ends lower",
        "Adam or Fides",
        "What <em>this</em> is.",
    ]
    order += ["1 Figures", "data:image/svg+xml;base64,", "<strong>Where</strong>", "2 Tables", "7.25", "All of them."]
    places = [page.rindex(text) for text in order[:-1]]
    assert places == sorted(places) and order[-1] in page and "Fit &lt;1&gt;" in page
    assert page.count("<h1>") == 1


def test_every_entry_of_the_contents_leads_somewhere(parts):
    page = page_of({"All": list(parts)}, settings="Fits")
    assert page.count('href="#fit-1--svg"') == 1 and 'id="fit-1--svg"' in page
    assert page.count('href="#fits-html"') == 2 and 'id="fits-html"' in page  # from the contents, and from the figure


def test_figures_lead_to_their_files_and_tables_to_theirs(parts, tmp_path):
    page = page_of({"All": list(parts)})
    assert f'href="{tmp_path.name}/fit.pdf"' in page and f'href="{tmp_path.name}/fit.tsv"' in page
    assert 'href="tables/fits.tsv"' in page


def test_a_figure_without_anything_to_show_is_left_out_and_named(parts, tmp_path):
    (tmp_path / "fit.tsv").write_text("a\tb\n")
    page = page_of({"Figures": [parts[0]], "Tables": [parts[1]]})
    assert "data:image/svg+xml" not in page and "1 Tables" in page
    assert "nothing to show there: Fit &lt;1&gt;" in page
    (tmp_path / "fits.html").write_text(f"<html><body>{as_html(pd.DataFrame())}</body></html>")
    twice = page_of({"Figures": [parts[0], parts[0]], "Tables": [parts[1]]})
    assert "nothing to show there: Fit &lt;1&gt;, Fits." in twice


def test_of_a_long_caption_of_a_table_the_first_paragraph_is_shown():
    made = page(pd.DataFrame({"a": [1]}), "T", "First\nparagraph.\n\nSecond.\n\nThird.")
    shown, _, folded = made.partition("<details>")
    assert "<p>First paragraph.</p>" in shown and "Second" not in shown and "<p>Third.</p>" in folded
    assert "<details>" not in page(pd.DataFrame({"a": [1]}), "T", "First.")


def test_a_file_that_is_no_figure_and_no_page_is_refused(parts, tmp_path):
    (tmp_path / "fits.html").write_text("nothing")
    with pytest.raises(InputError, match=r"fits\.html: neither an SVG figure nor an HTML page"):
        page_of({"Tables": [parts[1]]})


def test_two_sentences_of_a_caption_are_shown_and_the_rest_on_demand():
    shown, rest = split_caption(
        "**Where fits end.** Points, e.g. starts. Lines: 2.5 and 3. Best: after\nfigure 2. More."
    )
    assert shown == "**Where fits end.** Points, e.g. starts. Lines: 2.5 and 3."
    assert rest == "Best: after figure 2. More."
    assert split_caption("One row per fit.\n\n*cost*: solves.") == ("One row per fit.", "*cost*: solves.")


def test_what_is_shown_of_every_caption_is_short(root):
    captions = {name: file.FIGURE.caption for name, file in find_figures().items()}
    captions |= {name: table.meaning for name, table in TABLES.items() if table.title}
    captions |= {path.name: path.read_text() for path in (root / "workflow/report").glob("*.rst")}
    words = {name: len(split_caption(text)[0].split()) for name, text in captions.items()}
    assert {name: number for name, number in words.items() if number > 55} == {}


def test_columns_of_a_table_are_called_as_people_read_them():
    table = pd.DataFrame({"method": ["dash"], "test_mse": [0.5], "cpu_seconds": [1.0], "epochs": [3]})
    html = as_html(table, name="networks")
    assert ">test MSE<" in html and ">CPU time (s)<" in html
    assert 'title="mean squared error on test data without noise"' in html
    assert 'data-visible="false">CPU time (s)' in html and 'data-visible="false">test MSE' not in html


def test_no_line_ends_within_a_number_or_an_interval(parts):
    statement = "ratio 3.14e-08, <b> at [-0.5, 1e-3] and more text than a narrow cell holds"
    html = as_html(pd.DataFrame({"statement": [statement]}))
    assert '<td class="long">ratio <span class="whole">3.14e-08</span>, &lt;b&gt; at ' in html
    assert '<span class="whole">[-0.5, 1e-3]</span> and' in html


def test_a_section_of_one_part_of_its_name_says_it_once(parts):
    page = page_of({"7 Fits": [parts[1]]})
    assert "<h2>1 Fits</h2>" in page and "<h3>Fits</h3>" not in page
    assert '<b><a href="#fits-html">Fits</a></b>' in page and page.count('href="#fits-html"') == 1


def test_bounds_of_an_interval_stand_behind_their_value_and_infinity_sorts_last():
    table = pd.DataFrame({"rank": [1.5, float("inf")], "rank_low": [1.0, 2.0], "rank_high": [2.0, None], "low": [7, 8]})
    html = as_html(table)
    assert ">rank [95 %]<" in html and ">1.5 [1, 2]<" in html and "rank low" not in html
    assert 'data-order="1e+308">∞<' in html and ">low<" in html and ">7<" in html


@pytest.mark.parametrize(
    ("value", "text"),
    [(-66.581023, "-66.58"), (INF, "∞"), (np.nan, ""), (4000000, "4000000"), (1.5e-7, "1.500e-07"), (True, "yes")],
)
def test_numbers_in_pages_have_four_digits(value, text):
    assert cell(value) == text


def test_a_page_marks_failed_rows_and_escapes_text():
    text = page(pd.DataFrame({"name": ["<b>", "x"], "status": ["failed", "finished"]}), "T & U", "One.\n\nTwo.", [1, 0])
    assert text.count('<tr class="bad">') == 1
    assert "&lt;b&gt;" in text and "T &amp; U" in text and "<p>Two.</p>" in text

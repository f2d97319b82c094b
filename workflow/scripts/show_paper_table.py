"""Show one table of the paper (Hossain et al. 2024) with our numbers as an HTML page."""

import argparse

from command import run

CAPTION = """Mean over models trained from different seeds, in brackets the 95 % interval of the mean by Student's t (of
shares on the logit scale, of all else on the logarithmic one; none of a few equal values).
Models that failed are left out and counted below; one that diverged late counts with what it had reached. Published:
the number of Hossain et al. 2024, a dash where it could not be read, with what it was read from: the running text, a
leaderboard that quotes a cell of the table, the authors' plot of the first version of the paper (digitised; possibly
for a prior without corruption), or the log of one run. Validation MSE: on data with noise; it is not in the tables of
the paper, and published is that of a log. Verdict: a number is reproduced where our mean is within 3 percentage points
(sparsity, balanced accuracy), a fifth (all else) or the published error of the published one; it is not comparable
where the paper's number could not be read, where the data differ as said below, where fewer than three models finished,
or where our interval holds it but is too wide to tell. Prior: a tick where the method uses prior knowledge, as in the
paper; "truth" marks controls that know part of the gold standard. Methods that the paper does not have and controls
without training stand below its methods."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", help="paper_tables.tsv, as paper_tables.py writes it")
    parser.add_argument("--number", type=int, required=True, help="number of the table in the paper")
    parser.add_argument("--title", required=True, help="heading of the page")
    parser.add_argument("--output", required=True, help="HTML page to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.cache import write_text
    from kinetrain.evaluation.paper_tables import page_of
    from kinetrain.report.html import page

    table, notes = page_of(tables.load("paper_tables", arguments.tables), arguments.number)
    write_text(arguments.output, page(table, arguments.title, "\n\n".join([CAPTION, *notes])))


if __name__ == "__main__":
    run(main)

"""State what the result tables show, desired or not."""

import argparse

from command import add_fit_settings, run

CAPTION = """Verdicts: "yes" marks what one hopes for, "no" what one does not, "undecided" what the interval leaves
open, "-" what is neither.

Objectives are negative log-likelihoods over all data; reference values at nominal parameters and best known values
come from the literature and are named in the configuration. Persistence predicts that nothing changes between two time
points. The prior alone is the given prior network, used as the prediction without any training; copying it earns no
accuracy outside the prior, and knowing who regulates at all earns none within the rows of the true regulators.
Yardsticks are ordinary network inference on the same data: correlation, ridge, lasso, trees. Numbers
in brackets are 95 % intervals: of mechanistic fits by hierarchical bootstrap over problems, data replicates and starts,
of networks of means by Student's t over seeds (of shares on the logit scale, of errors on the logarithmic one).
Reactions of over-complete models are kept by the Bayesian information criterion; true are those that the artificial
data were drawn with. Claims are those of Stapor et al. 2022; in them settings are compared start by start, all else
being equal, by the logarithm of the final objective's distance from the best value known (plus 0.001 per data point,
below which differences mean nothing), and a failed run counts as the worst end on the same data. Their intervals are
not corrected for the number of comparisons. Fewer than six pairs of fits, fewer than three models and a few seeds with
equal values decide nothing. The best mini-batch setting is chosen on other starts than it is compared on. Costs of a
quality are read from traces of about 20 points, evaluated outside the cost."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nominal", help="nominal.tsv: objectives at the nominal parameters")
    parser.add_argument("--fits", help="fits.tsv: one row per start")
    parser.add_argument("--traces", help="traces.tsv: the objective of each start at fixed budgets")
    parser.add_argument("--pairs", help="pairs.tsv: settings of fits compared start by start")
    parser.add_argument("--reactions", help="reactions.tsv: pruned reactions of over-complete models")
    parser.add_argument("--estimates", help="estimates.tsv: parameters of the best fits")
    parser.add_argument("--networks", help="networks.tsv: scores per model and of the controls")
    parser.add_argument("--consensus", help="consensus.tsv: edges that seeds agree on")
    parser.add_argument("--regulators", help="regulators.tsv: genes by their influence")
    parser.add_argument("--pathways", help="pathways.tsv: gene sets with p-values")
    parser.add_argument("--paper-tables", help="paper_tables.tsv: our numbers and the published ones, with verdicts")
    parser.add_argument("--published", help="networks.tsv of the published values")
    add_fit_settings(parser)
    parser.add_argument("--output", required=True, help="findings.tsv to write")
    parser.add_argument("--page", required=True, help="findings.html to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables as declared
    from kinetrain.cache import write_text
    from kinetrain.evaluation.findings import findings
    from kinetrain.files import load_table
    from kinetrain.options import read_settings
    from kinetrain.report.html import page

    of_fits = ("nominal", "fits", "traces", "pairs", "reactions", "estimates")
    names = (*of_fits, "networks", "consensus", "regulators", "pathways", "paper_tables", "published")
    paths = {name: getattr(arguments, name) for name in names}
    tables = {
        name: declared.load(name, path) if name in declared.TABLES else load_table(path)
        for name, path in paths.items()
        if path
    }
    known, fit_settings = read_settings(arguments.best_known), read_settings(arguments.fit_settings)
    table = findings(**tables, best_known=known, fit_settings=fit_settings)
    declared.save("findings", table, arguments.output)
    shown = table[["verdict", "topic", "subject", "statement"]]
    write_text(arguments.page, page(shown, "Findings", CAPTION, table["verdict"] == "no", "findings"))


if __name__ == "__main__":
    run(main)

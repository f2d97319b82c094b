"""Score fits: a row per problem and setting, the registered contrasts, and published values with ours."""

import argparse

from command import add_fit_settings, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", required=True, help="fits.tsv: one row per start")
    parser.add_argument("--traces", required=True, help="traces.tsv: the objective of each start at fixed budgets")
    parser.add_argument("--nominal", required=True, help="nominal.tsv: objectives at the nominal parameters")
    parser.add_argument("--claims", required=True, help="mechanistic_claims.tsv: what is known of the paper's results")
    add_fit_settings(parser)
    parser.add_argument("--scores", required=True, help="scores.tsv to write: one row per problem and setting")
    parser.add_argument("--pairs", required=True, help="pairs.tsv to write: settings compared start by start")
    parser.add_argument("--with-ours", required=True, help="claims.tsv to write: published and our values")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.evaluation.benchmark import benchmark
    from kinetrain.evaluation.claims import with_our_values
    from kinetrain.evaluation.pairs import pairs
    from kinetrain.evaluation.scores import scores
    from kinetrain.files import load_table
    from kinetrain.options import read_settings

    fits, traces, nominal = (tables.load(name, getattr(arguments, name)) for name in ("fits", "traces", "nominal"))
    claims = load_table(arguments.claims, ["subject", "quantity", "value", "source", "measure"])
    known, fit_settings = read_settings(arguments.best_known), read_settings(arguments.fit_settings)
    tables.save("scores", scores(fits, traces, nominal, best_known=known), arguments.scores)
    contrasts = pairs(fits, traces, nominal, best_known=known, fit_settings=fit_settings)
    tables.save("pairs", contrasts, arguments.pairs)
    data = benchmark(fits, traces, nominal, best_known=known, fit_settings=fit_settings)
    tables.save("claims", with_our_values(claims, data, nominal, contrasts), arguments.with_ours)


if __name__ == "__main__":
    run(main)

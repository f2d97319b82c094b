"""Test which gene sets hold more influence on the other genes, or more regulators, than chance gives them."""

import argparse

from command import add_influence, level_of, load_influence, run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    add_influence(parser)
    parser.add_argument("--gene-sets", required=True, help="GMT file, or a GO slim mapping (.tab) of SGD")
    parser.add_argument("--settings", default="{}", help="JSON: keys of `enrichment.test`, see config/README.md")
    parser.add_argument("--output", required=True, help="pathways.tsv to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from dataclasses import asdict

    from kinetrain import tables
    from kinetrain.data.gene_sets import check_gene_sets, read_gene_sets
    from kinetrain.enrichment.options import TestOptions
    from kinetrain.enrichment.pathways import test_gene_sets
    from kinetrain.options import read_options, read_settings

    options = read_options(TestOptions, read_settings(arguments.settings))
    influence = load_influence(arguments)
    sets = read_gene_sets(arguments.gene_sets)
    check_gene_sets(arguments.gene_sets, sets, influence["gene"].unique(), options.minimum_genes)
    table = test_gene_sets(influence, sets, **asdict(options))
    tables.save("pathways", tables.completed("pathways", table.assign(**level_of(arguments))), arguments.output)


if __name__ == "__main__":
    run(main)

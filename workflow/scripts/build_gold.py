"""Write the gold standard of a data set: the true edges, by experiments or of the simulated network."""

import argparse
import sys

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genes", required=True, help="expression.npz, whose genes the gold standard is for")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--edges", help="edge list: columns regulator, target (or from, to), optionally sign")
    source.add_argument(
        "--matrix",
        help="matrix: k x k [regulator row, target column], triplets, or labelled",
    )
    parser.add_argument("--matrix-genes", help="gene names of a matrix that covers other genes (first column is read)")
    parser.add_argument("--threshold", type=float, default=0.0, help="values up to this size are no edges (default 0)")
    parser.add_argument("--rows", choices=["regulators", "targets"], help="what the rows of the matrix are")
    parser.add_argument("--restrict", action="store_true", help="leave out edges of genes the data set does not have")
    parser.add_argument("--output", required=True, help="truth.tsv to write: regulator, target, sign")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain.data.network_checks import check_not_full
    from kinetrain.data.networks import edge_table, read_network
    from kinetrain.files import load_arrays, save_table

    genes = load_arrays(arguments.genes, ["genes"])["genes"]
    source = arguments.edges, arguments.matrix, arguments.matrix_genes
    truth, left_out = read_network(genes, *source, arguments.restrict, arguments.threshold, arguments.rows)
    edges = edge_table(truth, genes)
    check_not_full(arguments.edges or arguments.matrix, edges["regulator"], edges["target"], len(genes))
    print(
        f"{len(edges)} edges of {edges['regulator'].nunique()} regulators; {left_out} entries left out", file=sys.stderr
    )
    save_table(edges, arguments.output)


if __name__ == "__main__":
    run(main)

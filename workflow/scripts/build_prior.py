"""Write the prior network and the co-regulation matrix of a data set.

The file has prior (k, k) [target, regulator] with the signs and weights of the given one (signs of measured priors may
be random: take absolute values), coregulation (k, k) and genes (k,). Both matrices are sparse: NAME_data, NAME_indices
and NAME_indptr (compressed rows).
"""

import argparse
import sys

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genes", required=True, help="expression.npz, whose genes the prior is for")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--edges", help="edge list: columns regulator, target, optionally sign and weight (default: no edges at all)"
    )
    source.add_argument("--matrix", help="matrix: k x k [regulator row, target column], triplets, or labelled")
    parser.add_argument(
        "--threshold", type=float, default=0.0, help="values of the prior up to this size are no edges (default 0)"
    )
    parser.add_argument("--matrix-genes", help="gene names of a matrix that covers other genes (first column is read)")
    parser.add_argument(
        "--coregulation",
        help="protein interaction scores in 0..1, as matrix or triplets; without "
        "it, co-regulation is counted from the prior as used, after its corruption",
    )
    parser.add_argument("--coregulation-edges", help="the same as an edge list, in place of a matrix")
    parser.add_argument("--coregulation-genes", help="gene names of --coregulation, if it covers other genes")
    parser.add_argument(
        "--coregulation-threshold", type=float, default=0.6, help="an interaction counts above this score (default 0.6)"
    )
    parser.add_argument("--corruption", type=float, default=0.0, help="fraction of edges to move, 0..1 (default 0)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the corruption (default 0)")
    parser.add_argument("--rows", choices=["regulators", "targets"], help="what the rows of the matrix are")
    parser.add_argument("--restrict", action="store_true", help="leave out edges of genes the data set does not have")
    parser.add_argument("--coregulation-restrict", action="store_true", help="--restrict for the interactions")
    parser.add_argument("--output", required=True, help="prior.npz to write")
    arguments = parser.parse_args()
    if not 0 <= arguments.corruption <= 1:
        parser.error(f"--corruption {arguments.corruption}: must lie in 0..1 (a fraction of the edges)")
    if not (arguments.edges or arguments.matrix) and (
        arguments.corruption or arguments.coregulation or arguments.coregulation_edges
    ):
        parser.error("--corruption and --coregulation go with a prior: give --edges or --matrix")
    return arguments


def main():
    arguments = parse_arguments()
    from scipy import sparse

    from kinetrain.data import prior_networks
    from kinetrain.data.networks import read_network
    from kinetrain.errors import InputError
    from kinetrain.files import load_arrays

    genes = load_arrays(arguments.genes, ["genes"])["genes"]
    if arguments.edges or arguments.matrix:
        source = arguments.edges, arguments.matrix, arguments.matrix_genes
        prior, left_out = read_network(genes, *source, arguments.restrict, arguments.threshold, arguments.rows)
        report_left_out(arguments.edges or arguments.matrix, left_out)
    else:
        prior = sparse.csr_array((len(genes), len(genes)))
    prior = prior_networks.corrupt(prior, arguments.corruption, arguments.seed)
    if arguments.coregulation or arguments.coregulation_edges:
        source = arguments.coregulation_edges, arguments.coregulation, arguments.coregulation_genes
        # either orientation will do: co-regulation has no direction
        scores, left_out = read_network(genes, *source, arguments.coregulation_restrict, rows="targets")
        report_left_out(arguments.coregulation or arguments.coregulation_edges, left_out)
        try:
            coregulation = prior_networks.coregulation_from_interactions(scores, arguments.coregulation_threshold)
        except InputError as error:
            raise InputError(f"{source[0] or source[1]}: {error}") from None
    else:
        coregulation = prior_networks.coregulation(prior)
    prior_networks.save_prior(arguments.output, prior, coregulation, genes)


def report_left_out(path, count: int) -> None:
    if count:
        print(f"{path}: {count} entries left out, as they name genes that the data set does not have", file=sys.stderr)


if __name__ == "__main__":
    run(main)

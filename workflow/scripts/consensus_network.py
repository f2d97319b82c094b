"""Write the network on which the models of a method agree over their seeds, as a table and as GraphML."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="model.npz with all seeds (masks applied)")
    parser.add_argument("--runs", required=True, help="runs.tsv of the same training")
    parser.add_argument("--output", required=True, help="network.tsv to write")
    parser.add_argument("--graphml", required=True, help="the same for Cytoscape, igraph and others")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain import tables
    from kinetrain.cache import write_text
    from kinetrain.evaluation.consensus import consensus, graphml
    from kinetrain.evaluation.networks import IDENTITY
    from kinetrain.files import load_arrays, load_table

    model = load_arrays(arguments.model, ["chains", "seeds", "genes"])
    table = consensus(model, load_table(arguments.runs, IDENTITY))
    tables.save("consensus", table, arguments.output)
    write_text(arguments.graphml, graphml(table))


if __name__ == "__main__":
    run(main)

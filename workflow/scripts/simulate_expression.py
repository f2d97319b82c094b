"""Simulate expression over time of a gene network with Hill kinetics (Hossain et al. 2024): random, or published.

Settings are those of the section `simulate` of the configuration that name no file, and the `exponents` of a published
network (config/README.md has all keys and defaults).
"""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", default="{}", metavar="JSON", help="settings as JSON or the path of a .json file")
    parser.add_argument("--genes", metavar="CSV", help="names of the genes of a published network, with a header")
    parser.add_argument("--edges", metavar="CSV", help="its edges: from, to, activation, EC50, n")
    parser.add_argument("--equations", metavar="CSV", help="its formulas: node, eqn")
    parser.add_argument("--train", metavar="CSV", help="its trajectories, instead of simulated ones")
    parser.add_argument("--test", metavar="CSV", help="its trajectories for the test")
    parser.add_argument("--expression", required=True, metavar="NPZ", help="trajectories to write")
    parser.add_argument("--truth", required=True, metavar="TSV", help="true edges to write: regulator, target, sign")
    parser.add_argument("--gene-sets", metavar="GMT", help="gene sets of a random network to write")
    parser.add_argument("--dataset", default="random", help="name of the data set, for the table of its settings")
    parser.add_argument("--record", metavar="TSV", help="settings of a random network to write, as a table")
    arguments = parser.parse_args()
    files = arguments.genes, arguments.edges, arguments.equations
    if any(files) and not all(files):
        parser.error("a published network needs all three: --genes, --edges and --equations")
    if (arguments.train or arguments.test) and not all(files):
        parser.error("--train and --test go with a published network: give --genes, --edges and --equations")
    if (arguments.gene_sets or arguments.record) and all(files):
        parser.error("--gene-sets and --record: a published network has neither modules nor sizes of its own")
    return arguments


def main():
    arguments = parse_arguments()

    import numpy as np
    import pandas as pd

    from kinetrain.data.expression import prepare
    from kinetrain.data.expression_files import read_trajectories
    from kinetrain.files import save_table
    from kinetrain.simulation import gene_network as networks

    network, options = read_network(arguments)
    if arguments.train:
        train = read_trajectories(arguments.train, network.genes)[1:]
    else:
        initial = networks.draw_initial_states(network, options.trajectories, options.seed)
        train = networks.simulate(network, initial, options.times), np.tile(options.times, (options.trajectories, 1))
    test = read_trajectories(arguments.test, network.genes)[1:] if arguments.test else None
    prepare(network.genes, train, test, options.split, "1/degradation rate").save(arguments.expression)
    edges = pd.DataFrame(networks.edges(network), columns=["regulator", "target", "sign"])
    save_table(edges, arguments.truth)
    if arguments.gene_sets:
        write_gene_sets(arguments.gene_sets, networks.gene_sets(network, options.seed))
    if arguments.record:
        write_settings(arguments.record, arguments.dataset, options)
    origin = f"read from {arguments.train}" if arguments.train else f"simulated with seed {options.seed}"
    print(
        f"{len(network.genes)} genes, {network.inputs.sum()} inputs, {edges['regulator'].nunique()} regulators, "
        f"{len(edges)} edges; {len(train[0])} trajectories {origin}"
    )


def read_network(arguments):
    """Return the network and the settings of its simulation: published if its files are given, else random."""
    from kinetrain.options import read_options, read_settings
    from kinetrain.simulation import gene_network as networks
    from kinetrain.simulation import published_network
    from kinetrain.simulation.options import PublishedSimulation, Simulation

    settings = read_settings(arguments.settings)
    if arguments.edges:
        options = read_options(PublishedSimulation, settings)
        files = arguments.genes, arguments.edges, arguments.equations
        return published_network.read_network(*files, options.exponents), options
    options = read_options(Simulation, settings)
    return networks.draw_network(options), options


def write_settings(path, dataset: str, options) -> None:
    """Write the options of a random network that are numbers or ranges, of which the middle counts."""
    import numpy as np

    from kinetrain import tables

    ranges = ("exponents", "half")
    values = {name: np.mean(value) if name in ranges else value for name, value in vars(options).items()}
    rows = [
        {"dataset": dataset, "factor": name, "value": value}
        for name, value in values.items()
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    ]
    tables.save("simulations", tables.frame("simulations", rows), path)


def write_gene_sets(path, sets) -> None:
    """Write gene sets by name as GMT."""
    from kinetrain.files import atomic

    with atomic(path) as temporary, open(temporary, "w") as file:
        for name, members in sets.items():
            print(name, "simulated network", *members, sep="\t", file=file)


if __name__ == "__main__":
    run(main)

"""Simulate expression over time of a random gene network with Hill kinetics (Hossain et al. 2024).

Settings (defaults in brackets): genes [80], regulators [24], inputs [16] (regulators that are constant), modules [8],
trajectories [60], times [0, 2, 3, 7, 9] (units of the inverse degradation rate), validation_fraction [0.1] and
test_fraction [0.1] of the trajectories, seed [1].
"""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", default="{}", metavar="JSON", help="settings as JSON or the path of a .json file")
    parser.add_argument("--expression", required=True, metavar="NPZ", help="trajectories to write")
    parser.add_argument("--truth", required=True, metavar="TSV", help="true edges to write: regulator, target, sign")
    parser.add_argument("--gene-sets", required=True, metavar="GMT", help="modules of the network to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    import numpy as np
    import pandas as pd

    from kinetrain.dynamics import network as networks
    from kinetrain.dynamics.trajectories import Expression, all_transitions, split_transitions
    from kinetrain.files import atomic, save_table
    from kinetrain.settings import read_options, read_settings

    options = read_options(networks.Simulation, read_settings(arguments.settings))
    network = networks.draw_network(options.genes, options.regulators, options.inputs, options.modules, options.seed)
    initial = networks.draw_initial_states(network, options.trajectories, options.seed)
    values = networks.simulate(network, initial, options.times)
    times = np.tile(options.times, (options.trajectories, 1))
    transitions = all_transitions(times)
    fractions = {"validation": options.validation_fraction, "test": options.test_fraction}
    split = split_transitions(transitions, fractions, options.seed)
    Expression(network.genes, values, times, transitions, split, "1/degradation rate").save(arguments.expression)
    save_table(pd.DataFrame(networks.edges(network), columns=["regulator", "target", "sign"]), arguments.truth)
    with atomic(arguments.gene_sets) as temporary, open(temporary, "w") as file:
        for name, members in networks.gene_sets(network).items():
            print(name, "simulated network", *members, sep="\t", file=file)


if __name__ == "__main__":
    from command import run

    run(main)

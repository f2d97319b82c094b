"""Score how much each gene influences all others in trained models (Hossain et al. 2024, B.8).

Settings are those of `enrichment.influence` in the configuration (config/README.md has all keys and defaults). The
influence is in units of expression; it is empty for a model that failed or that diverges. targets counts the genes that
a gene has a non-zero effect on.
"""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, metavar="NPZ", help="trained models of train_neural_ode.py")
    parser.add_argument("--expression", required=True, metavar="NPZ", help="the data they were trained on")
    parser.add_argument("--settings", default="{}", metavar="JSON", help="settings as JSON or the path of a .json file")
    parser.add_argument("--output", required=True, metavar="TSV", help="table to write: seed, gene, influence, targets")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    import numpy as np
    import pandas as pd
    import torch

    from kinetrain.data.expression import load_expression
    from kinetrain.enrichment.influence import influence, initial_range
    from kinetrain.enrichment.options import InfluenceOptions
    from kinetrain.errors import InputError
    from kinetrain.files import load_arrays, save_table
    from kinetrain.neural.fields import find_field
    from kinetrain.options import read_options, read_settings

    torch.set_num_threads(1)
    options = read_options(InfluenceOptions, read_settings(arguments.settings))
    model = load_arrays(arguments.model, ["genes", "seeds", "field", "chains"])
    expression = load_expression(arguments.expression)
    if list(model["genes"]) != list(expression.genes):
        raise InputError(f"{arguments.model}: its genes are not those of {arguments.expression}")
    field = find_field(str(model.pop("field")))
    genes, seeds, chains = (model.pop(name) for name in ("genes", "seeds", "chains"))
    parameters = {name: torch.from_numpy(weights) for name, weights in model.items()}
    trajectory, point = expression.of("train").T
    seen = torch.from_numpy(expression.values[trajectory, point]).float()
    bounds = initial_range(seen, options.initial)
    targets = np.stack([_targets(model, chains, place) for place in range(len(seeds))])
    options = options.vectors, options.steps, options.seed
    scores = influence(field, parameters, torch.from_numpy(targets > 0), bounds, *options).numpy()
    table = pd.DataFrame(
        {
            "seed": np.repeat(seeds, scores.shape[1]),
            "gene": np.tile(genes, len(scores)),
            "influence": scores.ravel(),
            "targets": targets.ravel(),
        }
    )
    save_table(table.replace(np.inf, np.nan), arguments.output)


def _targets(model, chains, place: int):
    """Return how many genes each gene (k,) has an effect on in one of the models."""
    import numpy as np

    from kinetrain.networks.effects import effect_matrix

    effects = effect_matrix({name: part[place] for name, part in model.items()}, chains)
    return np.count_nonzero(effects, axis=0)


if __name__ == "__main__":
    run(main)

"""Own tables of expression, networks and gene sets, read before anything starts: what is wrong is known at once."""

import os
from pathlib import Path

from configuration.checks import naming
from configuration.keys import Expression, File, Network
from configuration.plan import DOWNLOADS, Plan
from kinetrain.data.expression_files import READERS
from kinetrain.data.gene_sets import check_gene_sets, read_gene_sets
from kinetrain.data.measured import described, read_expression
from kinetrain.data.network_checks import check_network
from kinetrain.data.options import Preparation
from kinetrain.options import read_options
from kinetrain.options.types import kinds

LARGEST = 20_000_000  # bytes; larger ones take longer than one wants to wait, and are read by their step alone


def read_own_tables(plan: Plan) -> list[str]:
    """Return in a line each what the tables of expression hold that are at hand.

    Left to their steps: downloads, what is simulated, and formats whose readers need packages of their own.

    Raises
    ------
    ConfigurationError
        If a table cannot be read as the configuration says.
    """
    return [_read(plan, name) for name, dataset in plan.datasets.items() if _at_hand(dataset.get("expression"))]


def _at_hand(section: dict | None) -> bool:
    """Return whether all files of a section `expression` are there, and may be read."""
    files = [file for key, file in (section or {}).items() if kinds(Expression)[key] == File]
    return bool(files) and _are_own(files)


def _are_own(files: list[str]) -> bool:
    """Return whether files are there, and text of a size that is read in a second."""
    own = not any(file.startswith(DOWNLOADS) or Path(file).suffix in READERS for file in files)
    return own and sum(map(os.path.getsize, files)) <= LARGEST


def _read(plan: Plan, name: str) -> str:
    section = plan.datasets[name]["expression"]
    options = read_options(Preparation, plan.expression_settings(name))
    with naming(f"datasets.{name}"):
        train, test, genes, samples = (section.get(role) for role in ("train", "test", "genes", "samples"))
        expression = read_expression(train, test, genes, options, samples)
        _check_networks(plan, name, expression.genes)
    return f"  {name}: {described(expression)}"


def _check_networks(plan: Plan, name: str, genes) -> None:
    """Refuse networks and gene sets at hand that do not go with the genes of a data set."""
    dataset = plan.datasets[name]
    for role in ("prior", "truth", "coregulation"):
        network = dataset.get(role, {})
        files = [file for key, file in network.items() if kinds(Network)[key] == File]
        if files and _are_own(files):
            with naming(role):
                check_network(network, genes, role)
    sets = dataset.get("gene_sets")
    if sets and _are_own([sets]) and any(plan.tests_pathways(name, method) for method in dataset["methods"]):
        with naming("gene_sets"):
            check_gene_sets(sets, read_gene_sets(sets), genes, dataset["enrichment"]["test"]["minimum_genes"])

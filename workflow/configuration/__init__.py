"""The configuration of a run: its keys, its files, the manifest of downloads, and the plan that follows from them."""

from configuration.checks import ConfigurationError
from configuration.costs import Costs, Size, Sizes, cpu_time, load_costs, measured_job, save_costs
from configuration.description import describe, schema
from configuration.manifest import Download, load_manifest
from configuration.own_tables import read_own_tables
from configuration.plan import DOWNLOADS, Plan, complete, merge
from configuration.published import load_objectives
from configuration.yaml_files import read_yaml

__all__ = [
    "DOWNLOADS",
    "ConfigurationError",
    "Costs",
    "Download",
    "Plan",
    "Size",
    "Sizes",
    "complete",
    "cpu_time",
    "describe",
    "load_costs",
    "load_manifest",
    "load_objectives",
    "measured_job",
    "merge",
    "read_own_tables",
    "read_yaml",
    "save_costs",
    "schema",
]

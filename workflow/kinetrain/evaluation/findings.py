"""All findings: plain statements, each computed from the result tables."""

from typing import Any

import pandas as pd

from kinetrain.evaluation import (
    consensus_findings,
    fit_findings,
    network_findings,
    paper_findings,
    pathway_findings,
    reaction_findings,
    yardstick_findings,
)
from kinetrain.evaluation.benchmark import benchmark
from kinetrain.evaluation.scores import measurements_of
from kinetrain.evaluation.setting_names import with_rates
from kinetrain.tables import TABLES


def _of_benchmark(fits, traces, nominal, best_known, fit_settings):
    """Yield the statements that need fits together with traces and nominal objectives, if these are given."""
    data = benchmark(fits, fits[:0] if traces is None else traces, nominal, best_known, fit_settings)
    yield from fit_findings.median_ends(data)
    yield from fit_findings.ranks_differ(data)
    if traces is not None:
        yield from fit_findings.cheaper_at_targets(data)
        yield from fit_findings.cheaper(data)
        yield from fit_findings.iterates(data, measurements_of(fits))


# In the order of the report: what yields statements, and what it takes. Without rows of the first it says nothing.
RESULTS: tuple[tuple[Any, ...], ...] = (
    (yardstick_findings.worse_than_persistence, "networks"),
    (yardstick_findings.added_by_neural_models, "networks"),
    (fit_findings.contrasts, "pairs"),
    (_of_benchmark, "fits", "traces", "nominal", "best_known", "fit_settings"),
    (fit_findings.distances_to_best, "fits", "best_known"),
    (fit_findings.reached_truth, "fits", "nominal"),
    (fit_findings.plateaus, "fits", "nominal"),
    (fit_findings.ends_before_minimum, "estimates"),
    (reaction_findings.pruned_reactions, "reactions"),
    (network_findings.against_persistence, "networks"),
    (network_findings.compared_methods, "networks"),
    (network_findings.multipliers_matter, "networks"),
    (network_findings.against_predictors, "networks"),
    (network_findings.beyond_prior_and_regulators, "networks"),
    (yardstick_findings.rankings, "networks"),
    (network_findings.gates_move, "networks"),
    (network_findings.against_published, "networks", "published"),
    (paper_findings.tables_of_the_paper, "paper_tables"),
    (paper_findings.claims_of_the_paper, "networks", "pathways"),
    (consensus_findings.stable_edges, "consensus"),
    (consensus_findings.leading_regulators, "regulators"),
    (pathway_findings.planted_pathway, "pathways"),
    (pathway_findings.significant_pathways, "pathways"),
    (pathway_findings.stable_pathways, "pathways"),
)
CHECKS: tuple[tuple[Any, ...], ...] = (
    (fit_findings.nominal_objectives, "nominal"),
    (fit_findings.failed_fits, "fits"),
    (fit_findings.relaxed_solves, "fits"),
    (network_findings.failed_models, "networks"),
    (yardstick_findings.left_out, "networks"),
)
NAMES = {name for _, *names in (*RESULTS, *CHECKS) for name in names}


def findings(**given) -> pd.DataFrame:
    """Return the statements as a table: topic, subject, statement, value, reference, verdict.

    given: result tables by their names, those that are there; published: what the DASH paper says of networks;
    best_known: lowest objective known per problem; fit_settings: the definitions of the names of settings, as in
    kinetrain.evaluation.pairs. verdict is `yes` where the statement is what one hopes for, `no` where it is not,
    `undecided` where its interval allows both, `-` where it is neither. Checks that found something wrong stand first,
    the others last.
    """
    if unknown := sorted(given.keys() - NAMES):
        raise TypeError(f"findings: unknown table '{unknown[0]}' (known: {', '.join(sorted(NAMES))})")
    given = dict.fromkeys(NAMES) | {"best_known": {}, "fit_settings": {}} | given
    if given["fits"] is not None:
        given["fits"] = with_rates(given["fits"], given["fit_settings"])
    checked = _stated(CHECKS, given)
    wrong = [row for row in checked if row[-1] == "no"]  # before all that was computed with it
    rows = [*wrong, *_stated(RESULTS, given), *(row for row in checked if row[-1] != "no")]
    return pd.DataFrame(rows, columns=TABLES["findings"].names())


def _stated(sources, given) -> list[tuple]:
    rows = []
    for statements, *names in sources:
        first, *others = (given[name] for name in names)
        if first is not None and len(first):
            rows += statements(first, *others)
    return rows

"""All findings: plain statements, each computed from the result tables."""

import pandas as pd

from kinetrain.evaluation import (
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


def findings(
    nominal=None,
    fits=None,
    networks=None,
    pathways=None,
    best_known=None,
    published=None,
    traces=None,
    pairs=None,
    meaning=None,
    paper_tables=None,
    reactions=None,
    estimates=None,
) -> pd.DataFrame:
    """Return the statements as a table: topic, subject, statement, value, reference, verdict.

    Every argument is a result table or None; what is missing or empty says nothing. best_known: lowest objective known
    per problem; meaning: what the names of fits stand for, as in kinetrain.evaluation.pairs. verdict is `yes` where the
    statement is what one hopes for, `no` where it is not, `undecided` where its interval allows both, `-` where it is
    neither. Checks that found something wrong stand first, the others last.
    """
    fits = None if fits is None else with_rates(fits, meaning or {})
    results = (
        (networks, yardstick_findings.worse_than_persistence),
        (networks, yardstick_findings.added_by_neural_models),
        (pairs, fit_findings.claims),
        (fits, lambda table: _of_benchmark(table, traces, nominal, best_known or {}, meaning or {})),
        (fits, lambda table: fit_findings.distances_to_best(table, best_known or {})),
        (fits, lambda table: fit_findings.reached_truth(table, nominal)),
        (fits, lambda table: fit_findings.plateaus(table, nominal)),
        (estimates, fit_findings.ends_before_minimum),
        (reactions, reaction_findings.pruned_reactions),
        (networks, network_findings.against_persistence),
        (networks, network_findings.compared_methods),
        (networks, network_findings.multipliers_matter),
        (networks, network_findings.against_predictors),
        (networks, network_findings.beyond_prior_and_regulators),
        (networks, yardstick_findings.rankings),
        (networks, network_findings.gates_move),
        (networks, lambda table: network_findings.against_published(table, published)),
        (paper_tables, paper_findings.tables_of_the_paper),
        (networks, lambda table: paper_findings.claims_of_the_paper(table, pathways)),
        (pathways, pathway_findings.planted_pathway),
        (pathways, pathway_findings.significant_pathways),
        (pathways, pathway_findings.stable_pathways),
    )
    checks = (
        (nominal, fit_findings.nominal_objectives),
        (fits, fit_findings.failed_fits),
        (fits, fit_findings.relaxed_solves),
        (networks, network_findings.failed_models),
        (networks, yardstick_findings.left_out),
    )
    checked = _stated(checks)
    wrong = [row for row in checked if row[-1] == "no"]  # before all that was computed with it
    rows = [*wrong, *_stated(results), *(row for row in checked if row[-1] != "no")]
    return pd.DataFrame(rows, columns=TABLES["findings"].names())


def _stated(sources) -> list[tuple]:
    """Return the rows of pairs of a table, or None, and what yields statements from it."""
    return [row for table, statements in sources if table is not None and len(table) for row in statements(table)]


def _of_benchmark(fits, traces, nominal, best_known, meaning):
    """Yield the statements that need fits together with traces and nominal objectives, if these are given."""
    data = benchmark(fits, fits[:0] if traces is None else traces, nominal, best_known, meaning)
    yield from fit_findings.median_ends(data)
    yield from fit_findings.ranks_differ(data)
    if traces is not None:
        yield from fit_findings.cheaper_at_targets(data)
        yield from fit_findings.cheaper(data)
        yield from fit_findings.iterates(data, measurements_of(fits))

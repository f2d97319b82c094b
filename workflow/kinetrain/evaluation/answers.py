"""The short answers of a run: per arm a ranking with intervals, what is decided, what is not, and one caution."""

from itertools import groupby

import numpy as np
import pandas as pd

from kinetrain.appearance import in_order, label
from kinetrain.evaluation.benchmark import problems_alike
from kinetrain.evaluation.network_findings import COMPARED, paired_methods, with_status
from kinetrain.evaluation.network_summaries import GROUP, of_seeds, panel_names, relative_errors, seed_means
from kinetrain.evaluation.pairs import ALL
from kinetrain.evaluation.scores import (
    SETTING,
    best_objectives,
    in_all_problems,
    mean_ranks,
    settings_of,
    with_best,
    with_size,
)
from kinetrain.evaluation.setting_names import setting_name, with_rates
from kinetrain.evaluation.statements import interval_text, number_text
from kinetrain.evaluation.statistics import FEWEST, POSITIVE, SHARE, judge, mean_interval, median_over_blocks
from kinetrain.evaluation.yardstick_findings import KNOWLEDGE, QUANTITIES, comparisons
from kinetrain.networks.controls import CONTROLS, PERSISTENCE, PRIOR_ALONE
from kinetrain.tables import AT_MINIMUM
from kinetrain.yardsticks.methods import YARDSTICKS

# what networks are ranked by, shares shown in per cent; as QUANTITIES
NETWORKS = {name: QUANTITIES[name] for name in ("balanced_accuracy", "auprc")}
ERROR = ("test error relative to no change", -1)
DECIDED, UNDECIDED = "decided", "undecided"
UNPRUNED, LEFT_OUT = "unpruned", "left out"


def answers(
    nominal=None, fits=None, traces=None, pairs=None, networks=None, estimates=None, best_known=None, fit_settings=None
) -> dict:
    """Return what the result tables answer, as values of JSON.

    Arguments are result tables or None, but for best_known: lowest objective known per problem; and fit_settings: as in
    kinetrain.evaluation.pairs. The result holds `data`
    (what was computed on, with sample sizes), `arms` and `caution`. An arm holds title, question, columns and rows of
    its ranking, a note on it, and the sentences that are decided and undecided. A comparison is decided where its 95 %
    interval leaves out "no difference" and, for fits, at least `statistics.FEWEST` starts were compared.
    """
    has_fits, has_networks = (table is not None and len(table) > 0 for table in (fits, networks))
    arms = []
    if has_fits:
        arms.append(_of_fits(nominal, with_rates(fits, fit_settings or {}), traces, pairs, best_known or {}))
    arms += [_of_networks(networks)] if has_networks else []
    data = [*(_problems(fits) if has_fits else []), *(_datasets(networks) if has_networks else [])]
    return {"data": data, "arms": arms, "caution": _caution(fits, networks, has_fits, has_networks, estimates)}


# --- mechanistic fits ---


def _problems(fits):
    for problem, own in fits.groupby("problem", sort=False):
        size = own.iloc[0]
        replicates = own["replicate"].nunique()
        yield (
            f"{problem}: {_count(size['conditions'], 'condition')}, {_count(size['measurements'], 'data point')}, "
            f"{_count(size['parameters'], 'parameter')}, {_count(own['start'].nunique(), 'start')}"
            + (f" on each of {replicates} artificial data sets" if replicates > 1 else "")
        )


def _of_fits(nominal, fits, traces, pairs, best_known) -> dict:
    sized = with_best(with_size(fits), best_objectives(fits, traces, nominal, best_known))
    common, which = _ranked_among_each_other(sized)
    ranked = mean_ranks(common).sort_values("rank", kind="stable")
    one_problem = common["problem"].nunique() == 1
    rows = []
    for _, row in ranked.drop_duplicates("optimizer").iterrows():
        own = common[(common[SETTING] == row[SETTING].to_list()).all(axis=1)]
        failed = int((~np.isfinite(own["excess"])).sum())
        cells = [setting_name(tuple(row[SETTING])), interval_text(row["rank"], row["rank_low"], row["rank_high"])]
        if one_problem:
            cells.append(interval_text(*median_over_blocks(own[["problem", "replicate", "start"]], own["excess"])))
        rows.append([*cells, f"{failed} of {len(own)}"])
    excess = ["median above the best known"] if one_problem else []
    sentences = list(_contrasts(pairs)) if pairs is not None else []
    note = "No setting is ranked: no start has a run of every setting."
    if rows:
        note = (
            f"In brackets 95 % intervals; rank 1 ends lowest. {_count(len(ranked), 'setting')} began from the same "
            f"{_count(int(ranked['blocks'].max()), 'start')}; the best setting of each optimizer is chosen on these "
            "very runs, which flatters optimizers that were run in many settings."
        )
    return {
        "title": "Training: optimizers at equal budget",
        "question": "Which optimizer ends lowest at equal budget?",
        "columns": ["optimizer, in its best setting", f"mean rank of {len(ranked)}", *excess, "failed"],
        "rows": rows,
        "note": note + which,
        "decided": [text for kind, text in sentences if kind == DECIDED],
        "undecided": [text for kind, text in sentences if kind == UNDECIDED],
    }


def _ranked_among_each_other(fits: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the fits whose ranks have one mean, as they are among the same settings, and what is left out, as text.

    These are of the settings that all problems have or, if there are none, of the most problems that have the same.
    """
    common, problems = in_all_problems(fits), fits["problem"].nunique()
    if common.empty:
        alike = problems_alike(fits)
        common = fits[fits["problem"].isin(alike)]
        return common, f" No setting was run on all {problems} problems: ranks are those on {', '.join(alike)}."
    left_out = len(settings_of(fits)) - len(settings_of(common))
    more = "that not all problems have is" if left_out == 1 else "that not all problems have are"
    return common, f" {_count(left_out, 'setting')} {more} left out." if left_out else ""


def _contrasts(pairs: pd.DataFrame):
    """Yield decided or undecided and a sentence per contrast, over all problems where there are several."""
    over_all = set(pairs.loc[pairs["problem"] == ALL, "contrast"])
    shown = pairs[(pairs["problem"] == ALL) | ~pairs["contrast"].isin(over_all)]
    for _, row in shown.drop_duplicates(["problem", "first", "difference", "low", "high"]).iterrows():
        names, bounds = (row["first"], row["second"]), (row["difference"], row["low"], row["high"])
        if row["verdict"] == "second":
            names, bounds = names[::-1], (-row["difference"], -row["high"], -row["low"])
        factor = interval_text(*(10**bound for bound in bounds))
        evidence = f"distance to the best value known × {factor}, {_count(row['blocks'], 'start')}"
        where = "" if row["problem"] == ALL or shown["problem"].nunique() == 1 else f" on {row['problem']}"
        if row["verdict"] == UNDECIDED:
            few = f"; fewer than {FEWEST} decide nothing" if row["blocks"] < FEWEST else ""
            yield UNDECIDED, f"{names[0]} or {names[1]}{where} ({evidence}{few})"
        else:
            yield DECIDED, f"{names[0]} ends lower than {names[1]}{where} ({evidence})"


# --- networks ---


def _datasets(networks):
    for dataset, own in networks[~networks["method"].isin(CONTROLS)].groupby("dataset", sort=False):
        levels = len(own[GROUP].drop_duplicates())
        more = f", {levels} levels of noise and of wrong prior edges" if levels > 1 else ""
        run = own.loc[own["status"] != LEFT_OUT, "method"].drop_duplicates()
        yardsticks = int(run.isin(YARDSTICKS).sum())
        beside = f" and {_count(yardsticks, 'yardstick')}" if yardsticks else ""
        seeds = _count(own["seed"].nunique(), "seed")
        yield f"{dataset}: {seeds} of {_count(len(run) - yardsticks, 'method')}{beside}{more}"


def _of_networks(networks: pd.DataFrame) -> dict:
    """Return the answers of the neural arm: methods against yardsticks and the prior that they were given."""
    values, quantities = _values(networks)
    levels = values[GROUP].drop_duplicates()
    first = next(iter(quantities), None)
    sentences = list(_grouped(_network_sentences(networks)))
    if first is None:
        rows, columns, note = [], [], _why_unranked(networks)
    elif len(levels) == 1:
        rows, columns = _means(values, quantities)
        panel = panel_names(levels).iloc[0]
        note = f"{panel}: mean over {_count(values['seed'].nunique(), 'seed')}, in brackets the 95 % interval."
    else:
        rows, columns = _mean_ranks(values, quantities, len(levels))
        where = f"{len(levels)} data sets and levels of noise"
        note = (
            f"Mean rank over {where}, rank 1 is best, 95 % interval over them in brackets; methods that not all of "
            "them have are left out."
            if rows
            else f"No method is ranked: none was run on all {where}."
        )
    if rows and "ratio" in quantities:
        note += " A test error of 100 % is that of predicting no change (next = now)."
    if rows and any(of_seeds(seed_means(values, *one)).any() for one in _signs(quantities)):
        note += " A method of which seeds failed comes after those of which fewer did."
    failed, listed = with_status(networks[~networks["method"].isin([*CONTROLS, *YARDSTICKS])], "failed")
    note += f" {listed} failed." if failed else ""
    judged = "finds the network best" if first in NETWORKS else "predicts best"
    return {
        "title": "Pruning of neural models of gene regulation",
        "question": f"Which method {judged}?",
        "columns": columns,
        "rows": rows,
        "note": f"{note} Ordered by {quantities[first][0]}." if rows else note,
        "decided": [text for kind, text in sentences if kind == DECIDED],
        "undecided": [text for kind, text in sentences if kind == UNDECIDED],
    }


def _why_unranked(networks: pd.DataFrame) -> str:
    """Return why no method could be ranked, and what would let them be."""
    if networks.loc[networks["method"] == PERSISTENCE, "test_mse"].notna().any():
        return "No model was scored: the tables say why."
    return (
        "No method is ranked: no trajectories are held out for a test (expression.test_fraction or expression.test), "
        "and there is no gold standard (truth)."
    )


def _values(networks: pd.DataFrame):
    """Return the models with the quantities that they are ranked by, and how these are called, in their order."""
    shown = networks[~networks["method"].isin(CONTROLS) | (networks["method"] == PRIOR_ALONE)]
    shown = shown[shown["status"] != LEFT_OUT]
    ratio = relative_errors(networks)[[*GROUP, "method", "seed", "ratio"]]
    shown = shown.merge(ratio, on=[*GROUP, "method", "seed"], how="left")
    quantities = {name: words for name, words in {**NETWORKS, "ratio": ERROR}.items() if shown[name].notna().any()}
    # What has no value by its nature, as a correlation predicts nothing, is not ranked; a method that failed is.
    ranked = shown[list(quantities)].notna().any(axis=1).groupby(shown["method"]).transform("any")
    return shown[ranked | (shown["status"] == "failed")], quantities


def _signs(quantities: dict) -> list[tuple[str, int]]:
    """Return the names of quantities, each with the sign of a good difference."""
    return [(name, sign) for name, (_, sign) in quantities.items()]


def _means(values: pd.DataFrame, quantities: dict):
    found = {one[0]: seed_means(values, *one).droplevel(GROUP) for one in _signs(quantities)}
    places = pd.DataFrame({name: table["place"] for name, table in found.items()})
    seeds = of_seeds(next(iter(found.values())))
    rows = []
    for method in places.sort_values(list(quantities), kind="stable").index:
        own = values[values["method"] == method]
        cells = [interval_text(*_in_per_cent(name, own[name])) for name in quantities]
        rows.append([label(method) + (f" ({seeds[method]})" if seeds[method] else ""), _kind(own), *cells])
    return rows, ["method", "kind", *(f"{name} (%)" for name, _ in quantities.values())]


def _in_per_cent(name: str, values) -> np.ndarray:
    """Return mean and 95 % interval in per cent, within what is possible: no error below 0, no share above 100."""
    return 100 * np.array(mean_interval(values, scale=SHARE if name in NETWORKS else POSITIVE))


def _mean_ranks(values: pd.DataFrame, quantities: dict, levels: int):
    """Return rows and columns of the mean ranks of the methods that all levels have, among each other."""
    number = values.drop_duplicates([*GROUP, "method"])["method"].value_counts()
    values = values[values["method"].isin(number[number == levels].index)]
    if values.empty:
        return [], []
    places = pd.DataFrame({one[0]: seed_means(values, *one)["place"] for one in _signs(quantities)})
    # Last is a method that failed on some data; one without such values by its nature (the prior's error) has no rank.
    there = (places.notna().groupby(level=level).transform("any") for level in (GROUP, "method"))
    failed = places.isna() & next(there) & next(there)
    last = places.groupby(level=GROUP).transform("count") + (failed.groupby(level=GROUP).transform("sum") + 1) / 2
    places = places.mask(failed, last)
    ordered = places.groupby(level="method").mean().sort_values(list(quantities), kind="stable")
    rows = []
    for method in ordered.index:
        own = places.xs(method, level="method")
        cells = [interval_text(*mean_interval(own[name])) for name in quantities]
        rows.append([label(method), _kind(values[values["method"] == method]), *cells])
    return rows, ["method", "kind", *(f"mean rank in {name}" for name, _ in quantities.values())]


def _kind(rows: pd.DataFrame) -> str:
    method, prior = rows["method"].iloc[0], rows["uses_prior"].iloc[0]
    if method == PRIOR_ALONE:
        return "no training"
    return ("yardstick" if method in YARDSTICKS else "neural") + (" + prior" if prior == "yes" else "")


def _network_sentences(networks: pd.DataFrame):
    """Yield (question, panel, outcome, sentence) per comparison and data set; outcome: better, worse or undecided."""
    for _, row in comparisons(networks).iterrows():
        if row["quantity"] in ("balanced_accuracy", "auprc", "test_mse"):
            name, _ = QUANTITIES[row["quantity"]]
            lead = f"Best neural model against best yardstick, {KNOWLEDGE[row['knowledge']].lower()}, in {name}"
            scale, unit = _scale(name)
            values = ((row["neural_name"], row["first"]), (row["yardstick_name"], row["second"]))
            numbers = ", ".join(f"{method} {number_text(scale * value)}{unit}" for method, value in values)
            bounds = scale * row[["difference", "low", "high"]].to_numpy(float)
            yield lead, row["panel"], row["outcome"], f"{numbers}, {_difference(bounds, unit, row['pairs'])}"
    for panel, name, wanted, pairs in paired_methods(networks, (*COMPARED, *_others(networks))):
        first, second = pairs.columns
        difference = mean_interval(pairs[first] - pairs[second])
        scale, unit = _scale(name)
        evidence = _difference(scale * np.array(difference), unit, len(pairs))
        yield f"{label(first)} against {label(second)} in {name}", panel, judge(difference, wanted), evidence


def _scale(name: str) -> tuple[float, str]:
    """Return what a quantity of that name is multiplied by where it is said, and its unit: shares are in per cent."""
    return (100, " %") if name in dict(NETWORKS.values()) else (1, "")


def _difference(bounds, unit: str, seeds: int) -> str:
    """Return a difference with its interval: of shares in points, as it is no share of the other value."""
    points = " points" if unit else ""
    return f"difference {interval_text(*bounds)}{points}, {_count(seeds, 'seed')}"


def _others(networks: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pruning methods that stand in no comparison of the paper, each with the unpruned model."""
    run = set(networks["method"])
    compared = {method for pair in COMPARED if run.issuperset(pair) for method in pair}
    others = run - compared - {*CONTROLS, *YARDSTICKS, UNPRUNED}
    return [(method, UNPRUNED) for method in in_order(others) if UNPRUNED in run]


def _grouped(sentences):
    """Yield decided or undecided and one sentence per question: with its numbers for one data set, else counted."""
    for lead, group in groupby(sorted(sentences, key=lambda one: one[0]), key=lambda one: one[0]):
        rows = list(group)
        if len(rows) == 1:
            _, _, outcome, evidence = rows[0]
            yield (UNDECIDED if outcome == UNDECIDED else DECIDED), f"{lead}: {outcome} ({evidence})"
            continue
        counts = {word: sum(one[2] == word for one in rows) for word in ("better", "worse", UNDECIDED)}
        said = ", ".join(f"{word} on {number}" for word, number in counts.items() if number)
        one_sided = min(counts["better"], counts["worse"]) == 0 and counts[UNDECIDED] < len(rows) / 2
        yield (DECIDED if one_sided else UNDECIDED), f"{lead}: {said} of {len(rows)} data sets"


# --- all ---


def _caution(fits, networks, has_fits, has_networks, estimates) -> str:
    """Return what a reader must know before using the answers."""
    said = []
    if estimates is not None and len(unfinished := estimates[estimates["decrease_left"] > AT_MINIMUM]):
        problems = ", ".join(unfinished["problem"].drop_duplicates())
        said.append(
            f"The best fit of {problems} is not at a minimum: its parameters and intervals are not to be used. A "
            "larger budget (fits.epochs) brings it nearer."
        )
    if has_networks:
        table = seed_means(networks, "balanced_accuracy", 1)
        table = table.dropna(subset="place").sort_values("place", kind="stable").reset_index("method")
        prior = table.loc[table["method"] == PRIOR_ALONE, "mean"]
        neural = table[~table["method"].isin([*CONTROLS, *YARDSTICKS])]
        best = neural.groupby(level=GROUP)["mean"].agg(["first", "max"]).assign(prior=prior)
        below = best[best["first"] <= best["prior"]]
        if len(below):
            share = "" if len(best) == 1 else f" on {len(below)} of {len(best)} data sets"
            numbers = (
                f" (balanced accuracy {100 * best['first'].max():.1f} % against {100 * best['prior'].max():.1f} %)"
            )
            lead = "No" if (below["max"] <= below["prior"]).all() else "Methods with more failed seeds aside, no"
            said.append(
                f"{lead} trained model's network is truer than the prior that it could have been given{share}"
                f"{numbers if len(best) == 1 else ''}: for the edges alone, nothing needs to be trained."
            )
    if said:
        return " ".join(said)
    runs = []
    if has_fits:
        runs += [_count(fits["problem"].nunique(), "fit problem"), _count(fits["start"].nunique(), "start")]
    if has_networks:
        runs += [_count(networks["dataset"].nunique(), "data set"), _count(networks["seed"].nunique(), "seed")]
    return (
        f"All this rests on {', '.join(runs)}. Other data may give other answers, and intervals are not corrected for "
        "the number of comparisons."
    )


def _count(number, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"

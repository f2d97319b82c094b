"""Predictions of ensembles of fits on problems of many conditions: correlation, errors per group, classification.

Source: Stapor et al. 2022, Fig. 4 (training) and 5 (test). The paper's definition of a response is not known to us.
"""

import numpy as np
import pandas as pd

from kinetrain.evaluation.statistics import FEWEST, LEVEL, POSITIVE, SHARE, interval, mean_interval
from kinetrain.tables import FIT, TABLES

RUN = list(FIT)
SETS = ["train", "test"]
PAIR = ["group", "condition", "observable"]
ENSEMBLE = "ensemble"
METRICS = {"correlation": (-1.0, 1.0), "rmse": POSITIVE, "auc": SHARE, "accuracy": SHARE}  # and their scales
RESAMPLES = 200
EXAMPLE_ROWS = 40  # of a group in the figure; more cannot be distinguished
MOST_COURSES = 4  # groups whose time courses are shown, and curves of each
FIGURE_COLUMNS = [*RUN, "panel", "predictor", "group", "place", "x", "y", "sd", "label"]


def standardized(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return predictions with measurement, mean, sd and members in standard deviations of the observable's data.

    On the observable's scale (linear or logarithmic), the mean of the training measurements of each observable is
    subtracted and divided by their standard deviation, so that observables in different units can be pooled. An error
    of 1 is that of predicting the mean. Measurements that no member could simulate, or that have no logarithm where one
    is needed, are left out.
    """
    table = predictions.reset_index(drop=True)
    logarithmic = (table["scale"] != "lin").to_numpy()
    values = table[["measurement", "mean", *_members(table)]].to_numpy(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        values[logarithmic] = np.log10(values[logarithmic])
        values[~np.isfinite(values)] = np.nan
        spread = table["sd"].to_numpy(float) / np.where(logarithmic, table["mean"] * np.log(10), 1)
    known = pd.Series(np.where(table["set"] == "train", values[:, 0], np.nan)).groupby(table["observable"])
    centre, unit = known.transform("mean").to_numpy(), known.transform("std").to_numpy()
    unit = np.where(unit > 0, unit, 1.0)
    table[["measurement", "mean", *_members(table)]] = (values - centre[:, None]) / unit[:, None]
    return table.assign(sd=spread / unit).dropna(subset=["measurement", "mean"]).reset_index(drop=True)


def responses(table: pd.DataFrame) -> pd.DataFrame:
    """Return the response of each (group, condition, observable): the mean of its standardized values over time.

    Columns set, group, condition, observable, measurement, mean and those of the members, with `responsive`: whether
    the measured response lies above the median of the measured training responses. Below and above are alike to ROC
    curves, so this serves activation as well as viability. The threshold is a choice of ours.
    """
    values = ["measurement", "mean", *_members(table)]
    found = table.groupby(["set", *PAIR], sort=False)[values].mean().reset_index()
    return found.assign(responsive=found["measurement"] > found.loc[found["set"] == "train", "measurement"].median())


def metrics(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run, set (train, test), predictor (ensemble, single runs) and metric.

    predictions: tables of predict.py, of one or more runs. Metrics are computed from standardized values: Pearson
    `correlation` of measured and simulated, `rmse` (the mean over groups of each group's root mean squared error),
    `auc` and `accuracy` of telling responsive pairs from others (`responses`), the latter at the threshold that
    maximizes sensitivity + specificity (Youden) on the training data, also for the test set. Of the ensemble's mean
    prediction, with the 95 % bootstrap interval over groups (none of fewer than `statistics.FEWEST`); of single runs
    the mean over members with Student's interval.
    """
    rows = []
    for run, table in predictions.groupby(RUN, sort=False):
        table = standardized(table)
        pairs = responses(table)
        for part in (name for name in SETS if (table["set"] == name).any()):
            own = table[table["set"] == part]
            counts = (len(_members(table)), own["group"].nunique(), len(own))
            found = _scores(own, pairs, part, "mean")
            drawn = _bootstrap(own, pairs, part)
            singles = [_scores(own, pairs, part, member) for member in _members(own)]
            for name in METRICS:
                known = drawn[name].dropna()  # of groups that are all alike there is no AUC
                enough = len(known) > LEVEL * len(drawn)
                low, high = interval(known, counts[1]) if enough else (np.nan, np.nan)
                rows.append((*run, part, ENSEMBLE, name, found[name], low, high, *counts))
                values = mean_interval([one[name] for one in singles], scale=METRICS[name])
                rows.append((*run, part, "single", name, *values, *counts))
    return pd.DataFrame(rows, columns=TABLES["large_scale"].names())


def figure_table(predictions: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return the table of a figure on one set (train, test), for the best run of each problem.

    The best run is the one whose ensemble has the lowest error on the training data. Panels: `scatter` (x measured, y
    simulated, one row per measurement), `roc` (x false, y true positive rate, one row per point and predictor; place 1
    marks the threshold from the training data, and label says AUC and accuracy of the ensemble), `rmse` (x rank, y
    error of a group by the ensemble, sd over members, label for the examples) and `best` and `worst` (an example group:
    x the measurement's place, y the measured value as predictor `measured` or the ensemble's with its sd). Fewer groups
    than `statistics.FEWEST` are no sample to classify or to rank: instead of these four panels they have `course`
    (a group: x the time, label the curve, place of the group), unless nothing was measured at several times.
    """
    tables = [_panels(table, part) for _, table in _best_runs(predictions).groupby(RUN, sort=False)]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=FIGURE_COLUMNS)


def group_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Return the root mean squared error of each group, by the ensemble's mean (`mean`) and by each member."""
    squares = table[["mean", *_members(table)]].sub(table["measurement"], axis=0) ** 2
    return np.sqrt(squares.groupby(table["group"], sort=False).mean())


def _members(table) -> list[str]:
    """Return the columns of members; a run with fewer of them than others has empty ones."""
    return [name for name in table.columns if name.startswith("member") and table[name].notna().any()]


def _scores(own, pairs, part, predictor) -> dict[str, float]:
    """Return the metrics of one predictor (a column) on one set."""
    from sklearn.metrics import roc_auc_score

    kept = own[own[predictor].notna()]
    cut = threshold(pairs[pairs["set"] == "train"], predictor)
    mine = pairs[(pairs["set"] == part) & pairs[predictor].notna()]
    both = mine["responsive"].nunique() == 2
    return {
        "correlation": _correlation(kept["measurement"].to_numpy(), kept[predictor].to_numpy()),
        "rmse": float(group_errors(kept)[predictor].mean()),
        "auc": float(roc_auc_score(mine["responsive"], mine[predictor])) if both else np.nan,
        "accuracy": _accuracy(mine["responsive"], mine[predictor], cut),
    }


def _correlation(measured, predicted) -> float:
    """Return Pearson's correlation of two arrays (r,); NaN where one of them does not vary."""
    vary = len(measured) > 1 and np.ptp(measured) > 0 and np.ptp(predicted) > 0
    return float(np.corrcoef(measured, predicted)[0, 1]) if vary else np.nan


def _accuracy(responsive, score, cut) -> float:
    """Return the share of pairs that a threshold calls rightly; NaN where there is no threshold."""
    return float(((score >= cut) == responsive).mean()) if not np.isnan(cut) else np.nan


def threshold(training: pd.DataFrame, predictor: str) -> float:
    """Return the response at which sensitivity + specificity is largest on the training pairs. Source: Youden 1950.

    NaN where all training pairs are alike; infinite where calling none responsive is best.
    """
    from sklearn.metrics import roc_curve

    training = training[training[predictor].notna()]
    if training["responsive"].nunique() < 2:
        return np.nan
    false, true, cuts = roc_curve(training["responsive"], training[predictor], drop_intermediate=False)
    return float(cuts[np.argmax(true - false)])


def _bootstrap(own, pairs, part) -> pd.DataFrame:
    """Return the ensemble's metrics for groups drawn with replacement; the threshold stays."""
    from sklearn.metrics import roc_auc_score

    names = own["group"].unique()
    if len(names) < FEWEST:
        return pd.DataFrame(columns=METRICS)
    random = np.random.default_rng(0)
    training = pairs[pairs["set"] == "train"]
    cut = threshold(training, "mean")
    pairs = pairs[pairs["set"] == part]
    rows, pair_rows = own.groupby("group").indices, pairs.groupby("group").indices
    error = group_errors(own)["mean"]
    measured, predicted = own["measurement"].to_numpy(), own["mean"].to_numpy()
    responsive, score = pairs["responsive"].to_numpy(), pairs["mean"].to_numpy()
    drawn = []
    for _ in range(RESAMPLES):
        chosen = random.choice(names, len(names))
        here = np.concatenate([rows[name] for name in chosen])
        there = np.concatenate([pair_rows[name] for name in chosen])
        both = len(np.unique(responsive[there])) == 2
        drawn.append(
            {
                "correlation": _correlation(measured[here], predicted[here]),
                "rmse": error[chosen].mean(),
                "auc": roc_auc_score(responsive[there], score[there]) if both else np.nan,
                "accuracy": _accuracy(responsive[there], score[there], cut),
            }
        )
    return pd.DataFrame(drawn)


def _best_runs(predictions) -> pd.DataFrame:
    """Return the rows of each problem's run whose ensemble has the lowest error on the training data."""
    found = []
    for run, table in predictions.groupby(RUN, sort=False):
        table = standardized(table)
        training = table[table["set"] == "train"]
        if len(training):
            found.append((*run, group_errors(training)["mean"].mean()))
    runs = pd.DataFrame(found, columns=[*RUN, "error"]).sort_values("error", kind="stable")
    best = runs.drop_duplicates("problem").sort_index()[RUN]
    return predictions.merge(best, on=RUN)


def _panels(predictions, part) -> pd.DataFrame:
    table = standardized(predictions)
    pairs = responses(table)
    own = table[table["set"] == part].reset_index(drop=True)
    if own.empty:
        return pd.DataFrame(columns=FIGURE_COLUMNS)
    errors = group_errors(own).sort_values("mean", kind="stable")
    names = {"best": errors.index[0], "worst": errors.index[-1]}
    scatter = own.assign(panel="scatter", predictor=ENSEMBLE, x=own["measurement"], y=own["mean"], label="")
    examples = [_example(own[own["group"] == group], place) for place, group in names.items()]
    if len(errors) < FEWEST:
        parts = [scatter, *(_courses(own, errors.index) or examples[: len(errors)])]
    else:
        ranks = np.arange(1, len(errors) + 1)
        ranking = pd.DataFrame({"group": errors.index, "y": errors["mean"].to_numpy(), "x": ranks})
        ranking["sd"] = errors[_members(errors)].std(axis=1).to_numpy()
        ranking["label"] = ranking["group"].map({group: place for place, group in names.items()}).fillna("")
        parts = [scatter, _roc_rows(own, pairs, part), ranking.assign(panel="rmse", predictor=ENSEMBLE), *examples]
    found = pd.concat(parts, ignore_index=True).reindex(columns=FIGURE_COLUMNS)
    return found.assign(**predictions[RUN].iloc[0].to_dict())


def _roc_rows(own, pairs, part) -> pd.DataFrame:
    from sklearn.metrics import roc_curve

    found = _scores(own, pairs, part, "mean")
    mine = pairs[pairs["set"] == part]
    if mine["responsive"].nunique() < 2:
        return pd.DataFrame(columns=FIGURE_COLUMNS)
    cut = threshold(pairs[pairs["set"] == "train"], "mean")
    said = f"AUC {found['auc']:.3f}\naccuracy {found['accuracy']:.3f}"
    tables = []
    for predictor in [*_members(own), "mean"]:
        kept = mine[mine[predictor].notna()]
        if kept["responsive"].nunique() < 2:
            continue
        false, true, _ = roc_curve(kept["responsive"], kept[predictor])
        label = ENSEMBLE if predictor == "mean" else predictor
        tables.append(pd.DataFrame({"x": false, "y": true, "predictor": label, "label": said, "place": 0}))
    positive, called = mine["responsive"], mine["mean"] >= cut
    point = {"x": called[~positive].mean(), "y": called[positive].mean(), "predictor": ENSEMBLE, "label": said}
    return pd.concat([*tables, pd.DataFrame([point | {"place": 1}])], ignore_index=True).assign(panel="roc")


def _example(rows, place) -> pd.DataFrame:
    """Return the measured and predicted values of one group, in the order of what was measured."""
    rows = rows.sort_values("measurement", kind="stable")
    if len(rows) > EXAMPLE_ROWS:
        rows = rows.iloc[np.linspace(0, len(rows) - 1, EXAMPLE_ROWS).round().astype(int)]
    shown = _measured_and_predicted(rows, np.arange(1, len(rows) + 1))
    return shown.assign(panel=place, group=rows["group"].iloc[0])


def _courses(own, groups) -> list[pd.DataFrame]:
    """Return the time courses of the first groups, of each the curves with the most times; none of single times."""
    times = own.groupby(PAIR)["time"].nunique().sort_values(ascending=False, kind="stable")
    times = times[times > 1]
    tables = []
    for place, group in enumerate([one for one in groups if one in times.index.get_level_values("group")]):
        for _, condition, observable in times[[group]].index[:MOST_COURSES] if place < MOST_COURSES else ():
            rows = own[(own[PAIR] == [group, condition, observable]).all(axis=1)].sort_values("time", kind="stable")
            shown = _measured_and_predicted(rows, rows["time"].to_numpy())
            same = {"panel": "course", "group": group, "place": place, "label": f"{observable}, {condition}"}
            tables.append(shown.assign(**same))
    return tables


def _measured_and_predicted(rows, x) -> pd.DataFrame:
    """Return the values of some measurements at `x`: as measured, then those of the ensemble with their sd."""
    known = pd.DataFrame({"x": x, "y": rows["measurement"].to_numpy(), "predictor": "measured"})
    said = pd.DataFrame({"x": x, "y": rows["mean"].to_numpy(), "sd": rows["sd"].to_numpy(), "predictor": ENSEMBLE})
    return pd.concat([known, said])

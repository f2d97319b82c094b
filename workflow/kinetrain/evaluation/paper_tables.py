"""The tables of Hossain et al. 2024 (NeurIPS) with our numbers and the published ones that could be read.

`layout` says which of our data sets stands for which part of which table, `methods` which methods the paper has, in
what order, and which of them use prior knowledge, `published` what could be read: files of resources/published.
"""

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.statistics import mean_interval
from kinetrain.networks.controls import CONTROLS
from kinetrain.tables import TABLES
from kinetrain.yardsticks.known import YARDSTICKS

# metric: (heading, factor of the shown number)
HEADINGS = {
    "sparsity": ("Sparsity (%)", 100),
    "balanced_accuracy": ("Balanced accuracy (%)", 100),
    "test_mse": ("Test MSE × 1000", 1000),
    "epochs": ("Epochs", 1),
    "out_degree": ("Out-degree", 1),
}
EVIDENCE = ("text", "leaderboard", "digitised", "log")  # what is shown where several sources have a number
UNKNOWN_UNIT = "mse_in_unknown_unit"
NOT_IN_PAPER = "not in the paper"


def paper_tables(networks: pd.DataFrame, layout, methods, published) -> pd.DataFrame:
    """Return one row per table, data set, method and metric that this run has, with notes on what is missing.

    mean, low, high: mean over the n models that did not fail, and its 95 % interval by Student's t; without numbers
    where all models of a method failed. A model that diverged late counts with its best model from before.
    published, published_source, note: the paper's number, its source, and remarks. A row without a method is a note on
    the whole condition: how the data differ from the paper's, and what is missing.
    """
    rows = []
    for _, part in layout.iterrows():
        own = _models(networks, part)
        place = {"table": part["table"], "dataset": part["dataset"], "condition": part["condition"]}
        rows += [place | {"note": note} for note in _notes(part, own, methods)]
        order = [*methods["method"], *own["method"].unique()]
        for method, group in sorted(own.groupby("method"), key=lambda item: order.index(item[0])):
            known = methods[methods["method"] == method]
            declared = group["uses_prior"].iloc[0] if "uses_prior" in group else ""
            row = place | {"method": method, "uses_prior": known["uses_prior"].iloc[0] if len(known) else declared}
            in_paper = (known["in_paper"] == "yes").any()
            for metric in part["metrics"].split(","):
                ours = _summary(group, metric)
                theirs = _published(published, part, method, metric) if in_paper else {"published_source": NOT_IN_PAPER}
                note = "; ".join(filter(None, [ours["note"], theirs.get("note")]))
                if ours["n"] or (group["status"] == "failed").all():
                    rows.append(row | {"metric": metric} | ours | theirs | {"note": note})
    return pd.DataFrame(rows, columns=TABLES["paper_tables"].names()).astype({"n": "Int64"})


def _models(networks: pd.DataFrame, part: pd.Series) -> pd.DataFrame:
    """Return the rows of networks.tsv that belong to a part of a table."""
    if pd.isna(part["dataset"]):
        return networks.head(0)
    same = networks["dataset"] == part["dataset"]
    for column in ("noise", "prior_corruption"):
        same &= np.isclose(networks[column].astype(float), float(part[column]))
    if part["methods"] != "all":
        same &= networks["method"].isin([*part["methods"].split(","), *YARDSTICKS, *CONTROLS])
    return networks[same]


def _notes(part: pd.Series, own: pd.DataFrame, methods: pd.DataFrame):
    if pd.notna(part["note"]):
        yield part["note"]
    if pd.isna(part["dataset"]):
        return
    if own.empty:
        yield (
            f"Not in this run: {part['dataset']} with noise {float(part['noise']):g} and "
            f"{100 * float(part['prior_corruption']):g} % of the prior moved."
        )
        return
    wanted = (
        methods.loc[methods["in_paper"] == "yes", "method"] if part["methods"] == "all" else part["methods"].split(",")
    )
    missing = [label(method) for method in wanted if method not in set(own["method"])]
    if missing:
        yield f"Not in this run: {', '.join(missing)}."


def _summary(group: pd.DataFrame, metric: str) -> dict:
    finished = group[group["status"] != "failed"]
    values = finished[metric].astype(float) if metric in finished else pd.Series(dtype=float)
    number = int(np.isfinite(values).sum())
    mean, low, high = mean_interval(values)
    counts = {
        "failed": len(group) - len(finished),
        "diverged late": int((group["status"] == "diverged").sum()),
        f"have no finite {metric.replace('_', ' ')}": len(finished) - number if number else 0,
    }
    notes = [f"{count} of {len(group)} models {what}" for what, count in counts.items() if count]
    return {"mean": mean, "low": low, "high": high, "n": number, "note": "; ".join(notes)}


def _published(published: pd.DataFrame, part: pd.Series, method: str, metric: str) -> dict:
    """Return the published number of the best evidence and its source; a number in an unknown unit only as a remark."""
    if pd.isna(part["published_dataset"]):
        return {}
    same = published["dataset"].str.lower() == str(part["published_dataset"]).lower()
    same &= np.isclose(published["noise"], float(part["published_noise"])) & (published["method"] == method)
    values = published[same & (published["quantity"] == metric)]
    values = values.sort_values("evidence", key=lambda column: column.map(EVIDENCE.index))
    for _, best in values.head(1).iterrows():
        return {"published": best["value"], "published_source": f"{best['source']} ({best['evidence']})"}
    unclear = published[same & (published["quantity"] == UNKNOWN_UNIT)]
    if metric == "test_mse" and len(unclear):
        return {"note": f"published {unclear['value'].iloc[0]:g}, in a unit that is not stated"}
    return {}


def page_of(tables: pd.DataFrame, number: int) -> tuple[pd.DataFrame, list[str]]:
    """Return one table as the paper lays it out, one row per condition and method, and the notes below it.

    Numbers are texts: mean [low, high] over models, then the published number with its evidence, a dash where none
    could be read.
    """
    own = tables[tables["table"] == number]
    values = own[own["method"].notna()]
    rows = []
    for (condition, method), group in values.groupby(["condition", "method"], sort=False):
        row = {"Data": condition, "Method": label(method), "Prior": group["uses_prior"].fillna("").iloc[0]}
        row["Models"] = f"{int(group['n'].max())}"
        for metric in values["metric"].unique():
            heading, factor = HEADINGS[metric]
            cells = group[group["metric"] == metric]
            row[heading] = _with_interval(cells.iloc[0], factor) if len(cells) else ""
            row[f"{heading}, published"] = _theirs(cells, factor)
        rows.append(row)
    table = pd.DataFrame(rows)
    if values["condition"].nunique() == 1:
        table = table.drop(columns="Data")
    remarks = own.loc[own["note"].notna() & (own["note"] != ""), ["condition", "method", "note"]].drop_duplicates()
    return table, [_remark(*remark) for remark in remarks.itertuples(index=False, name=None)]


def _with_interval(cell: pd.Series, factor: float) -> str:
    if cell["n"] == 0:
        return "failed"
    texts = [_text(factor * cell[name]) for name in ("mean", "low", "high")]
    return texts[0] if pd.isna(cell["low"]) else f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _theirs(cells: pd.DataFrame, factor: float) -> str:
    known = cells.dropna(subset="published")
    if len(known):
        evidence = str(known["published_source"].iloc[0]).rpartition("(")[2].rstrip(")")
        return f"{factor * known['published'].iloc[0]:.4g} ({evidence})"
    return "" if (cells["published_source"] == NOT_IN_PAPER).all() else "–"


def _text(number: float) -> str:
    """Return a number with three significant digits and without an exponent."""
    return f"{number:.0f}" if abs(number) >= 99.95 else f"{number:#.3g}"


def _remark(condition: str, method, note: str) -> str:
    return f"{condition}: {note}" if pd.isna(method) else f"{condition}, {label(method)}: {note}."

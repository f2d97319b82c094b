"""The tables of Hossain et al. 2024 (NeurIPS) with our numbers and the published ones that could be read.

`layout` maps our data sets to the parts of its tables, `methods` says which methods the paper has, in
what order, and which of them use prior knowledge, `published` what could be read: files of resources/published.
"""

import numpy as np
import pandas as pd

from kinetrain.appearance import label
from kinetrain.evaluation.statistics import FEWEST_SEEDS, POSITIVE, SHARE, mean_interval
from kinetrain.networks.controls import CONTROLS
from kinetrain.tables import TABLES
from kinetrain.yardsticks.methods import YARDSTICKS

# metric: (heading, factor of the shown number)
HEADINGS = {
    "sparsity": ("Sparsity (%)", 100),
    "balanced_accuracy": ("Balanced accuracy (%)", 100),
    "test_mse": ("Test MSE × 1000", 1000),
    "validation_mse": ("Validation MSE × 1000", 1000),
    "epochs": ("Epochs", 1),
    "out_degree": ("Out-degree", 1),
}
EVIDENCE = ("text", "leaderboard", "digitised", "log")  # what is shown where several sources have a number
# published quantities that are another name for a metric of ours; those that are a remark on one, with their factor
SAME = {"validation_mse": "validation_mse_noisy"}
REMARKS = {
    "sparsity": ("mask_sparsity", 100, "in one run of the authors {:g} % of the weights were pruned"),
    "test_mse": ("mse_in_unknown_unit", 1, "published {:g}, in a unit that is not stated"),
    "epochs": ("epochs_of_first_160", 1, "published {:g}, the best of the first 160 of 300 epochs of one run"),
}
NOT_IN_PAPER = "not in the paper"
NOT_RUN, UNREAD = "not run", "not comparable because the paper's number could not be read"
SHARES = ("sparsity", "balanced_accuracy", "auroc", "auprc")
# How far a mean may be from a published number that is reproduced, or as far as its published error, if that is more.
CLOSE = {"sparsity": 0.03, "balanced_accuracy": 0.03}  # absolute; other metrics relative, by a fifth


def paper_tables(networks: pd.DataFrame, layout, methods, published) -> pd.DataFrame:
    """Return one row per table, data set, method and metric that this run has, with notes on what is missing.

    mean, low, high: mean over the n models that did not fail, and its 95 % interval by Student's t
    (`statistics.mean_interval`); without numbers where all models of a method failed. A model that diverged late counts
    with its best model from before. published, published_source, verdict, note: the paper's number, its source, what
    comparing gives, and remarks. A method of the paper that this run lacks has rows without numbers. A row without a
    method is a note on the whole condition: how the data differ from the paper's, and whether they are missing.
    """
    rows = []
    for _, part in layout.iterrows():
        own = _models(networks, part)
        place = {"table": part["table"], "dataset": part["dataset"], "condition": part["condition"]}
        absent = {"verdict": NOT_RUN} if own.empty else {}
        rows += [place | absent | {"note": note} for note in _notes(part, own)]
        wanted = [] if own.empty else _wanted(part, methods)
        order = [*methods["method"], *own["method"].unique()]
        for method in sorted({*wanted, *own["method"]}, key=order.index):
            group, known = own[own["method"] == method], methods[methods["method"] == method]
            declared = group["uses_prior"].iloc[0] if len(group) else ""
            row = place | {"method": method, "uses_prior": known["uses_prior"].iloc[0] if len(known) else declared}
            in_paper = (known["in_paper"] == "yes").any()
            for metric in part["metrics"].split(","):
                ours = _summary(group, metric)
                theirs = _published(published, part, method, metric) if in_paper else {"published_source": NOT_IN_PAPER}
                note = "; ".join(filter(None, [ours["note"], theirs.get("note")]))
                trained = method not in (*YARDSTICKS, *CONTROLS)  # those have no value by their nature
                if ours["n"] or (group["status"] == "failed").all() or (trained and own[metric].notna().any()):
                    judged = {"verdict": _verdict(part, group, metric, ours, theirs)}
                    rows.append(row | {"metric": metric} | ours | theirs | judged | {"note": note})
    return pd.DataFrame(rows, columns=TABLES["paper_tables"].names()).astype({"n": "Int64"})


def _verdict(part: pd.Series, group: pd.DataFrame, metric: str, ours: dict, theirs: dict) -> str:
    """Return what comparing our number with the published one gives."""
    if theirs.get("published_source") == NOT_IN_PAPER:
        return "-"
    if group.empty:
        return NOT_RUN
    if not ours["n"]:
        return "failed"
    if pd.notna(part["not_comparable"]) and {"all", metric} & set(str(part["not_comparable"]).split(",")):
        return f"not comparable because {part['note'][0].lower()}{part['note'][1:].rstrip('.')}"
    if "published" not in theirs:
        return UNREAD
    if ours["n"] < FEWEST_SEEDS:
        return f"not comparable because {ours['n']} of {len(group)} models are fewer than {FEWEST_SEEDS}"
    near = np.fmax(CLOSE.get(metric, abs(theirs["published"]) / 5), theirs["error"])
    if abs(ours["mean"] - theirs["published"]) <= near:
        return "reproduced"
    if ours["low"] <= theirs["published"] <= ours["high"]:
        interval = " to ".join(_text(HEADINGS[metric][1] * ours[name]) for name in ("low", "high"))
        return f"not comparable because the interval of our {ours['n']} models, {interval}, is too wide to tell"
    return "not reproduced"


def _wanted(part: pd.Series, methods: pd.DataFrame) -> list[str]:
    """Return the methods that a part of a table has in the paper."""
    if part["methods"] != "all":
        return part["methods"].split(",")
    return list(methods.loc[methods["in_paper"] == "yes", "method"])


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


def _notes(part: pd.Series, own: pd.DataFrame):
    """Yield remarks on a whole condition: how the data differ, and that this run has none."""
    if pd.notna(part["note"]):
        yield part["note"]
    if own.empty and pd.notna(part["dataset"]):
        yield (
            f"Not in this run: {part['dataset']} with noise {float(part['noise']):g} and "
            f"{100 * float(part['prior_corruption']):g} % of the prior moved."
        )


def _summary(group: pd.DataFrame, metric: str) -> dict:
    finished = group[group["status"] != "failed"]
    values = finished[metric].astype(float)
    finite = values[np.isfinite(values)]  # how many are not is a note
    mean, low, high = mean_interval(finite, scale=SHARE if metric in SHARES else POSITIVE)
    counts = {
        "failed": len(group) - len(finished),
        "diverged late": int((group["status"] == "diverged").sum()),
        f"have no finite {metric.replace('_', ' ')}": len(finished) - len(finite),
    }
    notes = [f"{count} of {len(group)} models {what}" for what, count in counts.items() if count]
    return {"mean": mean, "low": low, "high": high, "n": len(finite), "note": "; ".join(notes)}


def _published(published: pd.DataFrame, part: pd.Series, method: str, metric: str) -> dict:
    """Return the published number of the best evidence, its error and source; what cannot be compared as a remark."""
    if pd.isna(part["published_dataset"]):
        return {}
    same = published["dataset"].str.lower() == str(part["published_dataset"]).lower()
    same &= np.isclose(published["noise"], float(part["published_noise"])) & (published["method"] == method)
    values = published[same & (published["quantity"] == SAME.get(metric, metric))]
    values = values.sort_values("evidence", key=lambda column: column.map(EVIDENCE.index))
    for _, best in values.head(1).iterrows():
        source = f"{best['source']} ({best['evidence']})"
        return {"published": best["value"], "error": best["error"], "published_source": source}
    quantity, factor, said = REMARKS.get(metric, ("", 1, ""))
    unclear = published.loc[same & (published["quantity"] == quantity), "value"]
    return {"note": said.format(factor * unclear.iloc[0])} if len(unclear) else {}


def page_of(tables: pd.DataFrame, number: int) -> tuple[pd.DataFrame, list[str]]:
    """Return one table as the paper lays it out, one row per condition and method, and the notes below it.

    Numbers are texts: mean [low, high] over models, then the published number with its evidence, a dash where none
    could be read.
    """
    own = tables[tables["table"] == number]
    values = own[own["method"].notna()]
    rows = []
    for (condition, method), group in values.groupby(["condition", "method"], sort=False):
        prior = group["uses_prior"].fillna("").iloc[0]
        row = {"Data": condition, "Method": label(method), "Prior": {"yes": "✓", "no": ""}.get(prior, prior)}
        row["Models"] = f"{int(group['n'].max())}"
        for metric in values["metric"].unique():
            heading, factor = HEADINGS[metric]
            cells = group[group["metric"] == metric]
            row[heading] = _with_interval(cells.iloc[0], factor) if len(cells) else ""
            row[f"{heading}, published"] = _theirs(cells, factor)
        row["Verdict"] = _verdicts(group)
        rows.append(row)
    table = pd.DataFrame(rows)
    if values["condition"].nunique() == 1:
        table = table.drop(columns="Data")
    remarks = own.loc[own["note"].notna() & (own["note"] != ""), ["condition", "method", "note"]].drop_duplicates()
    return table, [_remark(*remark) for remark in remarks.itertuples(index=False, name=None)]


def _verdicts(group: pd.DataFrame) -> str:
    """Return the verdicts on the numbers of a method, the same ones together; one alone where all are the same."""
    short = group["verdict"].str.partition(" because")[0].replace("-", "")
    if short.nunique() == 1:
        return short.iloc[0]
    spoken = group["metric"].map(lambda metric: HEADINGS[metric][0].partition(" (")[0].partition(" ×")[0])
    return "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in spoken.groupby(short, sort=False))


def _with_interval(cell: pd.Series, factor: float) -> str:
    if cell["n"] == 0:
        return NOT_RUN if cell["verdict"] == NOT_RUN else "failed"
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

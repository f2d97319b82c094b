"""Which genes act most on others in the models of one method, over seeds: for data without a gold standard."""

import pandas as pd

MOST = 100  # regulators of a method
TOP = 10  # genes of a model that lead it, a tenth of its genes where these are fewer


def regulators(influence: pd.DataFrame, most: int = MOST) -> pd.DataFrame:
    """Return the genes that act on others, those of the highest mean influence first, at most `most` of them.

    influence: columns seed, gene, influence, targets, as `influence.py` writes them; models whose simulations diverged
    have no influence and do not count. Columns: place, gene, influence (mean over the models), lowest, highest,
    top_share (the share of the models that the gene leads), targets (median over the models), models.
    """
    known = influence.dropna(subset="influence")
    count, genes = known["seed"].nunique(), known["gene"].nunique()
    places = known.groupby("seed")["influence"].rank(ascending=False, method="first")
    leads = (places <= max(1, min(TOP, genes // 10))) & (known["influence"] > 0)
    table = (
        known.assign(leads=leads)
        .groupby("gene", sort=False)
        .agg(
            influence=("influence", "mean"),
            lowest=("influence", "min"),
            highest=("influence", "max"),
            top_share=("leads", "mean"),
            targets=("targets", "median"),
        )
        .reset_index()
    )
    table = table[table["influence"] > 0].sort_values("influence", ascending=False, kind="stable").head(most)
    return table.assign(place=range(1, len(table) + 1), models=count).reset_index(drop=True)

"""Findings on pruned reactions: which way of pruning an over-complete model keeps the true reactions."""

import numpy as np
import pandas as pd

from kinetrain.evaluation.reaction_summaries import LABELS, QUANTITIES, at_level, differences, levels
from kinetrain.evaluation.statements import VERDICTS, interval_text
from kinetrain.evaluation.statistics import FEWEST, judge, mean_over_blocks

TOPIC = "Crossed methods: pruned reactions"
JUDGED = ("balanced_accuracy", "auprc")
WITHOUT_PRIOR = (("magnitude", "unpruned"), ("magnitude", "random"))
WITH_PRIOR = (("both", "magnitude"), ("both", "prior"))


def pruned_reactions(reactions: pd.DataFrame):
    """Yield whether pruning by magnitude helps, and for every corruption of the prior whether the prior does."""
    done = reactions[reactions["status"] == "finished"]
    for pair in WITHOUT_PRIOR:
        yield from _compared(at_level(done, None), "no prior", pair)
    for level in levels(done):
        for pair in WITH_PRIOR:
            yield from _compared(at_level(done, level), f"{100 * level:g} % of the prior moved", pair)
    if failed := len(reactions) - len(done):
        statement = f"{failed} of {len(reactions)} runs failed; they have no scores and are left out."
        yield TOPIC, "all problems", statement, failed, 0, "no"


def _compared(rows: pd.DataFrame, subject: str, pair: tuple[str, str]):
    for quantity in JUDGED:
        blocks = differences(rows, *pair, quantity)
        if blocks.empty:
            continue
        found = mean_over_blocks(blocks, blocks["difference"])
        outcome = judge(found, 1) if len(blocks) >= FEWEST else "undecided"
        means = [mean_over_blocks(blocks, blocks[side])[0] for side in ("first", "second")]
        by_problem = blocks.groupby("problem")["difference"].mean()
        statement = (
            f"Pruned {LABELS[pair[0]].lower()}, the {QUANTITIES[quantity]} of the reactions is {means[0]:.3g}, "
            f"{LABELS[pair[1]].lower()} {means[1]:.3g}; difference {interval_text(*found)} over {len(blocks)} "
            f"runs, above 0 on {np.count_nonzero(by_problem > 0)} of {len(by_problem)} networks."
        )
        yield TOPIC, subject, statement, found[0], 0, VERDICTS[outcome]

"""Random numbers: one rule makes them from seeds, and uses do not share them."""

import re
from pathlib import Path

from kinetrain import seeds


def test_all_seeds_go_through_one_rule():
    rule = Path(seeds.__file__)
    others = [path for path in rule.parent.rglob("*.py") if path != rule]
    assert [path for path in others if re.search(r"default_rng\(.*\bseeds?\b", path.read_text())] == []


def test_uses_draw_different_numbers():
    uses = {name: value for name, value in vars(seeds).items() if name.isupper()}
    of_petab = {name: uses.pop(name) for name in ("SHUFFLING", "CONDITIONS", "GROUPS", "REACTIONS")}
    for group in (uses, of_petab):
        assert len(set(group.values())) == len(group)
    drawn = {seeds.generator(seed, use).integers(2**60) for seed in (0, 1) for use in uses.values()}
    assert len(drawn) == 2 * len(uses)

"""The published gene networks SIM350 and SIM690 (PHOENIX and DASH, Hossain et al. 2024), read from their files.

Three tables make a network: names of the genes, edges with their sign, EC50 and Hill exponent, and for every gene the
formula that joins its edges. Where the files of SIM350 contradict its published trajectories, the trajectories are
followed: the formulas of SIM690 hold for SIM350 too, with the edges that SIM350 lacks left out (its own file of
formulas has lost three edges); exponents lie between 1.01 and 1.7 (`exponents`); and a gene with regulators is no
input, whatever its name says.
"""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kinetrain.data.genes import read_gene_names
from kinetrain.data.text import finite_numbers, read_table, refuse_repeated
from kinetrain.errors import InputError
from kinetrain.simulation.gene_network import Network, Rule
from kinetrain.simulation.options import FILE_EXPONENTS

COLUMNS = ("from", "to", "activation", "EC50", "n")
INPUT = "input gene"  # in place of a formula
TOKEN = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\S")


def read_network(names, edges, equations, exponents=FILE_EXPONENTS) -> Network:
    """Return the network in the files `names`, `edges` and `equations`.

    Inputs come first, then the other regulators in the order of the file of edges, then all other genes; inputs and
    other genes in the order of the file of names. In the published files this is the order of the trajectories.

    Raises
    ------
    InputError
        Names the file, and the gene or the edge that is wrong.
    """
    table = _read_table(edges, COLUMNS, ("from", "to"))
    if table["activation"].dtype != bool:
        raise InputError(f"{edges}: the column 'activation' must hold TRUE or FALSE alone")
    half, exponent = finite_numbers(edges, table[["EC50", "n"]]).T
    table = table.reset_index(drop=True)  # now counts the edges
    genes = _gene_order(names, edges, table)
    position = {gene: index for index, gene in enumerate(genes)}
    formulas = dict(_read_table(equations, ("node", "eqn"), None)[["node", "eqn"]].itertuples(index=False))
    low, high = FILE_EXPONENTS
    stretch = (exponents[1] - exponents[0]) / (high - low)
    return Network(
        genes=np.array(genes),
        regulator=table["from"].map(position).to_numpy(),
        target=table["to"].map(position).to_numpy(),
        sign=np.where(table["activation"], 1, -1),
        half=half,
        exponent=exponents[0] + stretch * (exponent - low),
        rules=tuple(_gene_rule(gene, group, formulas, equations) for gene, group in _by_target(table, genes)),
    )


def _read_table(path, columns, text) -> pd.DataFrame:
    table = read_table(path, text)
    refuse_repeated(path, table.columns)
    for column in columns:
        if column not in table.columns:
            raise InputError(f"{path}: no column '{column}' (it has {', '.join(table.columns)})")
        if (missing := np.flatnonzero(table[column].isna())).size:
            raise InputError(f"{path}: row {table.index[missing[0]]} has no value in the column '{column}'")
    return table


def _gene_order(names, edges, table) -> list[str]:
    """Return the names of the genes: inputs, other regulators, and all others."""
    regulators, targets = dict.fromkeys(table["from"]), set(table["to"])
    known = {name + suffix for name in {*regulators, *targets} for suffix in ("", "_input")}
    listed = [name.removesuffix("_input") for name in read_gene_names(names, known)]
    if unknown := sorted((set(regulators) | targets) - set(listed)):
        raise InputError(f"{edges}: names genes that {names} does not have: {', '.join(unknown[:5])}")
    inputs = [gene for gene in listed if gene not in targets]
    others = [gene for gene in listed if gene in targets and gene not in regulators]
    return inputs + [gene for gene in regulators if gene in targets] + others


def _by_target(table, genes):
    """Yield every gene with the rows of `table` that are its edges."""
    groups = dict(list(table.groupby("to")))
    for gene in genes:
        yield gene, groups.get(gene, table.iloc[:0])


def _gene_rule(gene, group, formulas, equations) -> Rule:
    """Return how the edges in the rows `group` of a gene combine, by its formula."""
    if group.empty:
        return None
    where = f"{equations}: gene '{gene}'"
    if formulas.get(gene, INPUT) == INPUT:
        raise InputError(f"{where}: no formula, though the file of edges names regulators of it")
    signed = {name: (edge, bool(activating)) for edge, name, activating in group[["from", "activation"]].itertuples()}
    tree = parse(formulas[gene], where)
    if not (isinstance(tree, tuple) and tree[0] == "-" and tree[2] == gene):
        raise InputError(f"{where}: expected a formula like ((…) * 1 - 1 * {gene}) / 1, got {formulas[gene][:60]}")
    rule = _rule(tree[1], signed, where)
    if lacking := sorted(set(group.index) - _edges(rule)):
        raise InputError(f"{where}: the formula lacks the regulator {group['from'][lacking[0]]}")
    return rule


def parse(formula: str, where: str):
    """Return the tree of a formula: numbers, names, ("fAct", regulator) and (operator, left, right).

    Factors and divisors of 1 are dropped. Nothing is evaluated: the text comes from a file.
    """
    reader = _Reader(TOKEN.findall(formula)[::-1], where)
    tree = reader.sum()
    if reader.tokens:
        raise InputError(f"{where}: cannot read the formula at '{reader.tokens[-1]}'")
    return tree


@dataclass
class _Reader:
    """A reader of formulas by recursive descent, a method per rule of the grammar; tokens: the rest, last first."""

    tokens: list[str]
    where: str

    def take(self, expected=None) -> str:
        """Return the next token; InputError unless there is one, and it is as expected."""
        if not self.tokens or expected not in (None, self.tokens[-1]):
            found = f"'{self.tokens[-1]}'" if self.tokens else "the end"
            raise InputError(f"{self.where}: cannot read the formula: expected {expected or 'more'}, found {found}")
        return self.tokens.pop()

    def sum(self):
        return self.chain("+-", self.product)

    def product(self):
        return self.chain("*/", self.atom)

    def chain(self, operators, part):
        """Return the tree of parts that are joined by the operators, from left to right."""
        tree = part()
        while self.tokens and self.tokens[-1] in operators:
            operator, right = self.take(), part()
            if operator in "*/" and right == 1:
                continue
            tree = right if operator == "*" and tree == 1 else (operator, tree, right)
        return tree

    def atom(self):
        """Return a sum in parentheses, an effect, a number or a name."""
        token = self.take()
        if token == "(":
            tree = self.sum()
            self.take(")")
            return tree
        if token == "fAct":  # fAct(regulator, EC50, exponent): the numbers are those of the file of edges
            self.take("(")
            regulator = self.take()
            while self.take() != ")":
                pass
            return ("fAct", regulator)
        if token[0].isdigit():
            return float(token)
        if token.isidentifier():
            return token
        raise InputError(f"{self.where}: cannot read the formula at '{token}'")


def _rule(tree, signed, where) -> Rule:
    """Return the rule that a tree encodes; `signed` maps regulators to their edge and whether it activates.

    a is an activation, 1 − a a repression, p q is p AND q, p + q − p q is p OR q. Regulators that are not in `signed`
    are left out; None if nothing is left.
    """
    match tree:
        case ("fAct", regulator):
            return _effect(regulator, True, signed, where)
        case ("-", 1.0, ("fAct", regulator)):
            return _effect(regulator, False, signed, where)
        case ("*", left, right):
            return _joined("and", _rule(left, signed, where), _rule(right, signed, where))
        case ("-", ("+", left, right), ("*", *both)) if [left, right] == both:
            return _joined("or", _rule(left, signed, where), _rule(right, signed, where))
    raise InputError(f"{where}: the formula holds what is neither AND nor OR: {str(tree)[:80]}")


def _effect(regulator, activating, signed, where) -> Rule:
    edge, sign = signed.get(regulator, (None, activating))
    if sign != activating:
        raise InputError(f"{where}: the regulator {regulator} activates in one file and represses in the other")
    return edge


def _joined(join, left, right) -> Rule:
    """Return `left` and `right` joined by "and" or "or"; parts that are joined in the same way become one."""
    if left is None or right is None:
        return right if left is None else left
    parts = [part[1] if isinstance(part, tuple) and part[0] == join else (part,) for part in (left, right)]
    return (join, parts[0] + parts[1])


def _edges(rule: Rule) -> set[int]:
    """Return the edges in a rule."""
    if isinstance(rule, int):
        return {rule}
    return set().union(*map(_edges, rule[1])) if rule else set()

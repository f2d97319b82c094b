"""Sparse LU decomposition and triangular solves as C++: the pattern is known, so nothing is searched for at run time.

The order of elimination is Markowitz's (fewest products first), pivots stay on the diagonal: the matrix is
I / (h gamma) - J, whose diagonal a step size that is small enough makes dominant.

Source: the Kinetic PreProcessor (Damian et al. 2002, doi 10.1016/S0098-1354(02)00128-X) for straight-line code.
"""

from dataclasses import dataclass
from itertools import accumulate

DECOMPOSE = "const V* RESTRICT x, const V* RESTRICT c, V t, const V* RESTRICT h, V d, V* RESTRICT J, V* RESTRICT LU"
LARGEST_STRAIGHT = 150  # states up to which code is straight; g++ takes minutes for that of 500


@dataclass
class Elimination:
    """What an LU decomposition does.

    order: states in the order of elimination. entries: (row, column) in this order, of L and U with their fill-in, by
    rows. steps: (row, pivot, columns of U right of the pivot).
    """

    order: list[int]
    entries: list[tuple[int, int]]
    steps: list[tuple[int, int, list[int]]]


def plan(size: int, pattern) -> Elimination:
    """Return the elimination of a matrix with that many rows; its diagonal need not be in the pattern."""
    rows, columns = [{i} for i in range(size)], [{i} for i in range(size)]
    for i, j in pattern:
        rows[i].add(j)
        columns[j].add(i)
    left, order, steps = set(range(size)), [], []
    eliminated = []
    while left:
        pivot = min(left, key=lambda k: ((len(rows[k]) - 1) * (len(columns[k]) - 1), k))
        left.discard(pivot)
        right, below = sorted(rows[pivot] - {pivot}), sorted(columns[pivot] - {pivot})
        eliminated.append((pivot, right, below))
        order.append(pivot)
        for i in below:
            rows[i].discard(pivot)
            rows[i].update(right)
        for j in right:
            columns[j].discard(pivot)
            columns[j].update(below)
    place = {state: index for index, state in enumerate(order)}
    entries = set()
    for pivot, right, below in eliminated:
        k = place[pivot]
        entries.add((k, k))
        entries.update((k, place[j]) for j in right)
        entries.update((place[i], k) for i in below)
        upper = sorted(place[j] for j in right)
        steps += [(i, k, upper) for i in sorted(place[i] for i in below)]
    return Elimination(order, sorted(entries), steps)


def code(size: int, pattern: list[tuple[int, int]], entry) -> tuple[str, int, dict[str, int]]:
    """Return C++ functions `model_decompose`, `model_solve` and `model_solve_transposed`, the length of LU, operations.

    pattern: (row, column) of the entries of the Jacobian, in their order. entry: a function that returns lines of C++
    that define the entry of that number, as `const V j{number}`, and the number of operations in them.
    `model_decompose` decomposes d I - J at a point into L D U, with ones on the diagonals of L and U and reciprocals of
    D in their place. So each unknown waits for one product after the one before; what is known first is subtracted
    first. The solves work in place.
    """
    elimination = plan(size, pattern)
    place = {entry: index for index, entry in enumerate(elimination.entries)}
    off = len(place) - size
    operations = {
        "lu": sum(1 + 2 * len(columns) for _, _, columns in elimination.steps) + size + off // 2,
        "solve": 2 * off + size,
    }
    if size > LARGEST_STRAIGHT:
        return _by_tables(size, pattern, elimination, place), len(place), operations
    text, computing = _straight(size, pattern, elimination, place, entry)
    operations["jacobian"] = computing
    return text, len(place), operations


def _function(head: str, lines, kind="GENERATED static") -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"{kind} void {head} {{\n{body}\n}}\n"


def _straight(size, pattern, elimination, place, entry) -> tuple[str, int]:
    order, entries = elimination.order, elimination.entries
    number = {entry: index for index, entry in enumerate(pattern)}
    lines, begun, computing = [], set(), 0

    def begin(i, j):  # where it is needed first, which keeps few entries alive
        nonlocal computing
        if (i, j) in begun:
            return
        begun.add((i, j))
        own = number.get((order[i], order[j]))
        if own is not None:
            made, count = entry(own)
            lines.extend(made)
            computing += count
        value = ("d" if i == j else "spread(0.0)") if own is None else f"{'d ' if i == j else ''}-j{own}"
        lines.append(f"V e{i}_{j} = {value};")

    steps = {}
    for i, k, columns in elimination.steps:
        steps.setdefault(k, []).append((i, columns))
    rows = {k: [j for i, j in entries if i == k and j > k] for k in range(size)}
    for k in range(size):
        for j in (k, *rows[k]):
            begin(k, j)
        lines.append(f"LU[{place[k, k]}] = e{k}_{k} = vdiv(spread(1.0), e{k}_{k});")
        for i, columns in steps.get(k, []):
            begin(i, k)
            lines.append(f"LU[{place[i, k]}] = e{i}_{k} = e{i}_{k} * e{k}_{k};")
            for j in columns:
                begin(i, j)
                lines.append(f"e{i}_{j} -= e{i}_{k} * e{k}_{j};")
        lines += [f"LU[{place[k, j]}] = e{k}_{j} * e{k}_{k};" for j in rows[k]]
    text = _function(f"model_decompose({DECOMPOSE})", lines)
    load = [f"V b{i} = b[{state}];" for i, state in enumerate(order)]
    scale = [f"b{i} *= LU[{place[i, i]}];" for i in range(size)]
    store = [f"b[{state}] = b{i};" for i, state in enumerate(order)]
    lower = [f"b{i} -= LU[{place[i, j]}] * b{j};" for i, j in entries if j < i]
    upper = [f"b{i} -= LU[{place[i, j]}] * b{j};" for i, j in sorted(entries, reverse=True) if j > i]
    by_column = sorted((j, i) for i, j in entries)
    upper_back = [f"b{j} -= LU[{place[i, j]}] * b{i};" for j, i in by_column if i < j]
    lower_back = [f"b{j} -= LU[{place[i, j]}] * b{i};" for j, i in reversed(by_column) if i > j]
    arguments = "const V* RESTRICT LU, V* RESTRICT b"
    text += _function(f"model_solve({arguments})", load + lower + scale + upper + store, "OF_A_STAGE")
    text += _function(f"model_solve_transposed({arguments})", load + upper_back + scale + lower_back + store)
    return text, computing


def _by_tables(size, pattern, elimination, place) -> str:
    order = elimination.order
    number = {entry: index for index, entry in enumerate(pattern)}
    source = [number.get((order[i], order[j]), -1) for i, j in elimination.entries]
    steps = {}
    for i, k, columns in elimination.steps:
        steps.setdefault(k, []).append((i, columns))
    program = []  # for each pivot: (entry of the row, count, (entry, entry of U) ...) for each row, then -1
    for k in range(size):
        for i, columns in steps.get(k, []):
            program += [place[i, k], len(columns)]
            program += [index for j in columns for index in (place[i, j], place[k, j])]
        program.append(-1)
    tables = {
        "LU_SOURCE": source,
        "LU_DIAGONAL": [place[k, k] for k in range(size)],
        "LU_PROGRAM": program,
        "LU_ORDER": order,
    }
    groups = {"LOWER_ROW": [], "UPPER_ROW": [], "LOWER_COLUMN": [], "UPPER_COLUMN": []}
    for name, group in groups.items():
        group += [[] for _ in range(size)]
        for i, j in elimination.entries:
            if (j < i) == name.startswith("LOWER") and i != j:
                own, other = (i, j) if name.endswith("ROW") else (j, i)
                group[own].append((other, place[i, j]))
        tables[f"{name}_END"] = [0, *accumulate(2 * len(own) for own in group)]
        late_last = -1 if name in ("UPPER_ROW", "LOWER_COLUMN") else 1
        ordered = [entry for own in group for entry in own[::late_last]]
        tables[name] = [index for other, at in ordered for index in (at, other)] or [0]
    text = "".join(f"static const int {name}[] = {{{','.join(map(str, own))}}};\n" for name, own in tables.items())
    return text + TABLE_CODE


TABLE_CODE = """
NOINLINE static void model_decompose(
    const V* RESTRICT x, const V* RESTRICT c, V t, const V* RESTRICT h, V d, V* RESTRICT J, V* RESTRICT LU
) {
    model_jacobian(x, c, t, h, J);
    for (int q = 0; q < N_LU; q++) LU[q] = LU_SOURCE[q] >= 0 ? -J[LU_SOURCE[q]] : spread(0.0);
    for (int k = 0; k < N; k++) LU[LU_DIAGONAL[k]] += d;
    const int* at = LU_PROGRAM;
    for (int k = 0; k < N; k++) {
        const V inverse = vdiv(spread(1.0), LU[LU_DIAGONAL[k]]);
        LU[LU_DIAGONAL[k]] = inverse;
        for (; *at >= 0;) {
            const V factor = LU[at[0]] * inverse;
            LU[at[0]] = factor;
            const int count = at[1];
            at += 2;
            for (int q = 0; q < count; q++, at += 2) LU[at[0]] -= factor * LU[at[1]];
        }
        at++;
    }
    for (int i = 0; i < N; i++)
        for (int q = UPPER_ROW_END[i]; q < UPPER_ROW_END[i + 1]; q += 2) LU[UPPER_ROW[q]] *= LU[LU_DIAGONAL[i]];
}
template <const int* END, const int* ENTRIES>
static inline V less_known(const V* RESTRICT LU, const V* RESTRICT z, int i, V sum) {
    for (int q = END[i]; q < END[i + 1]; q += 2) sum -= LU[ENTRIES[q]] * z[ENTRIES[q + 1]];
    return sum;
}
NOINLINE static void model_solve(const V* RESTRICT LU, V* RESTRICT b) {
    V z[N];
    for (int i = 0; i < N; i++) z[i] = less_known<LOWER_ROW_END, LOWER_ROW>(LU, z, i, b[LU_ORDER[i]]);
    for (int i = 0; i < N; i++) z[i] *= LU[LU_DIAGONAL[i]];
    for (int i = N - 1; i >= 0; i--) b[LU_ORDER[i]] = z[i] = less_known<UPPER_ROW_END, UPPER_ROW>(LU, z, i, z[i]);
}
NOINLINE static void model_solve_transposed(const V* RESTRICT LU, V* RESTRICT b) {
    V z[N];
    for (int i = 0; i < N; i++) z[i] = less_known<UPPER_COLUMN_END, UPPER_COLUMN>(LU, z, i, b[LU_ORDER[i]]);
    for (int i = 0; i < N; i++) z[i] *= LU[LU_DIAGONAL[i]];
    for (int i = N - 1; i >= 0; i--) b[LU_ORDER[i]] = z[i] = less_known<LOWER_COLUMN_END, LOWER_COLUMN>(LU, z, i, z[i]);
}
"""

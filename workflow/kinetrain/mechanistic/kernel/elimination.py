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
    decomposing, operations["jacobian"] = _decomposition(size, pattern, elimination, place, entry)
    return decomposing + _solves(size, elimination, place), len(place), operations


def _function(head: str, lines, kind="GENERATED static") -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"{kind} void {head} {{\n{body}\n}}\n"


def _decomposition(size, pattern, elimination, place, entry) -> tuple[str, int]:
    """Return the straight code of `model_decompose`, and the operations of the entries in it."""
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
    return _function(f"model_decompose({DECOMPOSE})", lines), computing


def _solves(size, elimination, place) -> str:
    """Return the straight code of `model_solve` and `model_solve_transposed`."""
    order, entries = elimination.order, elimination.entries
    load = [f"V b{i} = b[{state}];" for i, state in enumerate(order)]
    scale = [f"b{i} *= LU[{place[i, i]}];" for i in range(size)]
    store = [f"b[{state}] = b{i};" for i, state in enumerate(order)]
    lower = [f"b{i} -= LU[{place[i, j]}] * b{j};" for i, j in entries if j < i]
    upper = [f"b{i} -= LU[{place[i, j]}] * b{j};" for i, j in sorted(entries, reverse=True) if j > i]
    by_column = sorted((j, i) for i, j in entries)
    upper_back = [f"b{j} -= LU[{place[i, j]}] * b{i};" for j, i in by_column if i < j]
    lower_back = [f"b{j} -= LU[{place[i, j]}] * b{i};" for j, i in reversed(by_column) if i > j]
    arguments = "const V* RESTRICT LU, V* RESTRICT b"
    solve = _function(f"model_solve({arguments})", load + lower + scale + upper + store, "OF_A_STAGE")
    return solve + _function(f"model_solve_transposed({arguments})", load + upper_back + scale + lower_back + store)


def _by_tables(size, pattern, elimination, place) -> str:
    order, entries = elimination.order, elimination.entries
    number = {entry: index for index, entry in enumerate(pattern)}
    ends = list(accumulate((sum(i == row for i, _ in entries) for row in range(size)), initial=0))
    tables = {
        "int LU_SOURCE": [number.get((order[i], order[j]), -1) for i, j in entries],
        "int LU_ROW": ends,
        "int LU_DIAGONAL": [place[k, k] for k in range(size)],
        "int LU_ORDER": order,
        "uint16_t LU_COLUMN": [j for _, j in entries],
    }
    text = "".join(f"static const {name}[] = {{{','.join(map(str, own))}}};\n" for name, own in tables.items())
    return text + TABLE_CODE


# Row by row, so that what is written stays in the first cache, and what is read is contiguous.
TABLE_CODE = """
NOINLINE static void model_decompose(
    const V* RESTRICT x, const V* RESTRICT c, V t, const V* RESTRICT h, V d, V* RESTRICT J, V* RESTRICT LU
) {
    V row[N];
    model_jacobian(x, c, t, h, J);
    for (int i = 0; i < N; i++) {
        const int diagonal = LU_DIAGONAL[i], end = LU_ROW[i + 1];
        for (int q = LU_ROW[i]; q < end; q++) row[LU_COLUMN[q]] = LU_SOURCE[q] >= 0 ? -J[LU_SOURCE[q]] : spread(0.0);
        row[i] += d;
        for (int q = LU_ROW[i]; q < diagonal; q++) {
            const int k = LU_COLUMN[q], pivot = LU_DIAGONAL[k], last = LU_ROW[k + 1];
            const V own = row[k];
            LU[q] = own * LU[pivot];
            for (int r = pivot + 1; r < last; r++) row[LU_COLUMN[r]] -= own * LU[r];
        }
        const V inverse = LU[diagonal] = vdiv(spread(1.0), row[i]);
        for (int q = diagonal + 1; q < end; q++) LU[q] = row[LU_COLUMN[q]] * inverse;
    }
}
// Subtract known parts, in two sums, so that a product need not wait for the one before.
static inline V less_known(const V* RESTRICT LU, const V* RESTRICT z, V sum, int q, int end) {
    V other = spread(0.0);
    for (; q + 1 < end; q += 2) {
        sum -= LU[q] * z[LU_COLUMN[q]];
        other += LU[q + 1] * z[LU_COLUMN[q + 1]];
    }
    if (q < end) other += LU[q] * z[LU_COLUMN[q]];
    return sum - other;
}
NOINLINE static void model_solve(const V* RESTRICT LU, V* RESTRICT b) {
    V z[N];
    for (int i = 0; i < N; i++) z[i] = less_known(LU, z, b[LU_ORDER[i]], LU_ROW[i], LU_DIAGONAL[i]);
    for (int i = N - 1; i >= 0; i--) {
        const int diagonal = LU_DIAGONAL[i];
        b[LU_ORDER[i]] = z[i] = less_known(LU, z, z[i] * LU[diagonal], diagonal + 1, LU_ROW[i + 1]);
    }
}
NOINLINE static void model_solve_transposed(const V* RESTRICT LU, V* RESTRICT b) {
    V z[N];
    for (int i = 0; i < N; i++) z[i] = b[LU_ORDER[i]];
    for (int i = 0; i < N; i++) {
        const V own = z[i];
        for (int q = LU_DIAGONAL[i] + 1; q < LU_ROW[i + 1]; q++) z[LU_COLUMN[q]] -= LU[q] * own;
        z[i] = own * LU[LU_DIAGONAL[i]];
    }
    for (int i = N - 1; i >= 0; i--) {
        const V own = b[LU_ORDER[i]] = z[i];
        for (int q = LU_ROW[i]; q < LU_DIAGONAL[i]; q++) z[LU_COLUMN[q]] -= LU[q] * own;
    }
}
"""

"""C++ of a model: its functions and their derivatives as straight-line code, without indices, branches or allocation.

What depends on parameters and constants alone is computed once for each condition and evaluation, into `c` (of the
dynamics) and `o` (of the observables); the other functions take these in place of parameters.
"""

import math

from kinetrain.mechanistic.kernel import elimination
from kinetrain.mechanistic.kernel.derivatives import adjoints, derivative, tangents
from kinetrain.mechanistic.kernel.graph import INPUT, LEAVES, NUMBER, TIME
from kinetrain.mechanistic.kernel.model import Model
from kinetrain.mechanistic.kernel.straight_line import assignments

LARGEST_INLINE = 12  # states up to which what each stage calls is short enough to be repeated in it
STORE_STAGES_BELOW = 25  # states; from there on it is faster to compute the stages again on the way back


class Generator:
    """Collects the functions of a model: `text` is C++, `operations` how many floating-point operations each does."""

    def __init__(self, model: Model):
        self.model, self.graph = model, model.graph
        self.parts: list[str] = []
        self.operations: dict[str, int] = {}
        self._zero = self.graph.number(0)
        self._x = [self.graph.node("x", i) for i in range(len(model.states))]
        self._p = [self.graph.node("p", i) for i in range(len(model.parameters))]
        self._time = self.graph.node(TIME)

    def text(self) -> str:
        """Return the C++ of the model."""
        self._dynamics()
        self._observables()
        self._setup()
        self._losses()
        self._switches()
        self._jumps()
        return self._constants() + "\n".join(self.parts)

    # Leaves in the generated code

    def _literal(self, node):
        kind, *rest = self.graph.nodes[node]
        if kind == NUMBER:
            value = rest[0]
            text = repr(value) if math.isfinite(value) else "NAN" if value != value else "INFINITY"
            return text if value >= 0 or value != value else f"({text})" if math.isfinite(value) else "(-INFINITY)"
        if kind == INPUT:
            return rest[0]
        if kind == TIME:
            return "t"
        return f"{kind}[{rest[0]}]" if kind in ("x", "h") else None

    def _direct(self, node):
        kind, *rest = self.graph.nodes[node]
        return f"{kind}[{rest[0]}]" if kind in ("p", "k") else self._literal(node)

    def _hoisted(self, name, table):
        """Return a function that names leaves, with nodes of parameters alone in an array."""
        return lambda node: f"{name}[{table[node]}]" if node in table else self._literal(node)

    def _frontier(self, nodes) -> dict[int, int]:
        """Return {node: number} of the largest parts of nodes that depend on parameters and constants alone."""
        table, seen, waiting = {}, set(), list(nodes)
        while waiting:
            node = waiting.pop()
            if node in seen or self.graph.nodes[node][0] == NUMBER:
                continue
            seen.add(node)
            if self.graph.is_static(node):
                table.setdefault(node, len(table))
            elif self._literal(node) is None:
                waiting += self.graph.nodes[node][1:]
        return table

    def _input(self, name):
        return self.graph.node(INPUT, name)

    def _function(self, name, arguments, outputs, leaf):
        lines, self.operations[name] = assignments(self.graph, outputs, leaf)
        body = "\n".join(f"    {line}" for line in lines)
        kind = "OF_A_STAGE" if name == "f" else "GENERATED static"
        self.parts.append(f"{kind} void model_{name}({arguments}) {{\n{body}\n}}\n")

    def _gradient(self, found, leaves, name, operator):
        """Return outputs for adjoints of leaves (nodes); `=` writes zeros too."""
        return [
            (f"{name}[{index}]", operator, found.get(leaf, self._zero))
            for index, leaf in enumerate(leaves)
            if operator == "=" or leaf in found
        ]

    def _tangents(self, nodes, seeds):
        """Return the derivatives of nodes along a direction; those of other leaves than seeds are 0."""
        moving = set()

        def is_constant(node):
            return node not in moving

        for node, (operation, *operands) in enumerate(self.graph.nodes):
            if node in seeds or (operation not in LEAVES and not moving.isdisjoint(operands)):
                moving.add(node)
        return tangents(self.graph, nodes, seeds, is_constant)

    def _is_end(self, node):
        """Whether adjoints go no further than this node: a state, or what depends on parameters alone."""
        return self.graph.is_static(node) or self.graph.nodes[node][0] == "x"

    def _direction(self, name, table):
        """Return the seeds of states and of the nodes of a table, whose derivatives are the array `name`."""
        found = {leaf: self._input(f"dx[{i}]") for i, leaf in enumerate(self._x)}
        return found | {node: self._input(f"{name}[{index}]") for node, index in table.items()}

    # Functions

    def _jacobian(self):
        """Return the derivatives of the dynamics by states and by time that are not zero; set their places."""
        graph, f = self.graph, self.model.xdot
        jacobian = {}
        for i, node in enumerate(f):
            for leaf in graph.leaves(node):
                if graph.nodes[leaf][0] == "x":
                    value = derivative(graph, node, leaf)
                    if graph.value(value) != 0:
                        jacobian[i, graph.nodes[leaf][1]] = value
        self.pattern = sorted(jacobian)
        by_time = [derivative(graph, node, self._time) for node in f]
        self.timed = [i for i, node in enumerate(by_time) if graph.value(node) != 0]
        return [jacobian[entry] for entry in self.pattern], [by_time[i] for i in self.timed]

    def _dynamics(self):
        graph, f = self.graph, self.model.xdot
        entries, by_time = self._jacobian()
        back = adjoints(graph, [(node, self._input(f"v[{i}]")) for i, node in enumerate(f)], self._is_end)
        seeds = [(node, self._input(f"m[{q}]")) for q, node in enumerate(entries)]
        seeds += [(node, self._input(f"mt[{q}]")) for q, node in enumerate(by_time)]
        second = adjoints(graph, seeds, self._is_end)
        reached = [node for found in (back, second) for node in found if graph.is_static(node)]
        lean = graph.with_coefficients([*f, *entries, *by_time])
        every = [*f, *entries, *by_time, *lean, *back.values(), *second.values(), *reached]
        table = self._frontier(every)
        along = self._tangents([*f, *entries, *by_time], self._direction("dc", table))
        # Slopes may have parts of parameters alone that nothing else has.
        self.dynamic = self._frontier([*table, *every, *along])
        along = self._tangents([*f, *entries, *by_time], self._direction("dc", self.dynamic))
        leaf = self._hoisted("c", self.dynamic)
        static = list(self.dynamic)
        point = "const V* RESTRICT x, const V* RESTRICT c, V t, const V* RESTRICT h"
        n, m = len(f), len(f) + len(entries)
        self._function("f", f"{point}, V* RESTRICT f", [(f"f[{i}]", "=", one) for i, one in enumerate(lean[:n])], leaf)
        if n > elimination.LARGEST_STRAIGHT:
            outputs = [(f"J[{q}]", "=", one) for q, one in enumerate(lean[n:m])]
            self._function("jacobian", f"{point}, V* RESTRICT J", outputs, leaf)
        outputs = [(f"ft[{q}]", "=", one) for q, one in enumerate(lean[m:])]
        self._function("by_time", f"{point}, V* RESTRICT ft", outputs, leaf)
        outputs = self._gradient(back, self._x, "xb", "=") + self._gradient(back, static, "cb", "+=")
        self._function("f_back", f"{point}, const V* RESTRICT v, V* RESTRICT xb, V* RESTRICT cb", outputs, leaf)
        outputs = self._gradient(second, self._x, "xb", "+=") + self._gradient(second, static, "cb", "+=")
        arguments = "const V* RESTRICT m, const V* RESTRICT mt, V* RESTRICT xb, V* RESTRICT cb"
        self._function("jacobian_back", f"{point}, {arguments}", outputs, leaf)
        change = f"{point}, const V* RESTRICT dx, const V* RESTRICT dc"
        outputs = [(f"f[{i}]", "=", one) for i, one in enumerate(along[:n])]
        self._function("f_along", f"{change}, V* RESTRICT f", outputs, leaf)
        outputs = [(f"J[{q}]", "=", one) for q, one in enumerate(along[n:m])]
        outputs += [(f"ft[{q}]", "=", one) for q, one in enumerate(along[m:])]
        self._function("jacobian_along", f"{change}, V* RESTRICT J, V* RESTRICT ft", outputs, leaf)
        names: dict = {}
        text, self.n_lu, operations = elimination.code(
            n, self.pattern, lambda q: assignments(graph, [(f"const V j{q}", "=", lean[n + q])], leaf, names)
        )
        self.parts.append(text)
        self.operations |= operations

    def _observables(self):
        graph, model = self.graph, self.model
        nodes = [*model.y, *model.sigma]
        seeds = [(node, self._input(f"yb[{i}]")) for i, node in enumerate(model.y)]
        seeds += [(node, self._input(f"sb[{i}]")) for i, node in enumerate(model.sigma)]
        back = adjoints(graph, seeds, self._is_end)
        table = self._frontier([*nodes, *back.values(), *(node for node in back if graph.is_static(node))])
        along = self._tangents(nodes, self._direction("do_", table))
        self.observed = self._frontier([*table, *nodes, *along])
        along = self._tangents(nodes, self._direction("do_", self.observed))
        leaf = self._hoisted("o", self.observed)
        n = len(model.y)
        point = "const V* RESTRICT x, const V* RESTRICT o, V t, const V* RESTRICT h"

        def outputs(values):
            return [(f"y[{i}]", "=", one) for i, one in enumerate(values[:n])] + [
                (f"s[{i}]", "=", one) for i, one in enumerate(values[n:])
            ]

        self._function("observe", f"{point}, V* RESTRICT y, V* RESTRICT s", outputs(nodes), leaf)
        gradient = self._gradient(back, self._x, "xb", "=") + self._gradient(back, list(self.observed), "ob", "+=")
        arguments = "const V* RESTRICT yb, const V* RESTRICT sb, V* RESTRICT xb, V* RESTRICT ob"
        self._function("observe_back", f"{point}, {arguments}", gradient, leaf)
        arguments = "const V* RESTRICT dx, const V* RESTRICT do_, V* RESTRICT y, V* RESTRICT s"
        self._function("observe_along", f"{point}, {arguments}", outputs(along), leaf)

    def _setup(self):
        graph, model = self.graph, self.model
        groups = {"c": list(self.dynamic), "o": list(self.observed), "x0": model.initial}
        every = [node for nodes in groups.values() for node in nodes]
        seeds = [(node, self._input(f"{name}b[{i}]")) for name, nodes in groups.items() for i, node in enumerate(nodes)]
        back = adjoints(graph, seeds, lambda node: graph.nodes[node][0] == "p")
        along = self._tangents(every, {leaf: self._input(f"dp[{i}]") for i, leaf in enumerate(self._p)})
        point = "const V* RESTRICT p, const V* RESTRICT k, V t"
        places = [f"{name}[{i}]" for name, nodes in groups.items() for i in range(len(nodes))]
        values = ", ".join(f"V* RESTRICT {name}" for name in groups)
        outputs = list(zip(places, ["="] * len(places), every, strict=True))
        self._function("setup", f"{point}, {values}", outputs, self._direct)
        seeded = ", ".join(f"const V* RESTRICT {name}b" for name in groups)
        outputs = self._gradient(back, self._p, "pb", "+=")
        self._function("setup_back", f"{point}, {seeded}, V* RESTRICT pb", outputs, self._direct)
        outputs = list(zip(places, ["="] * len(places), along, strict=True))
        self._function("setup_along", f"{point}, const V* RESTRICT dp, {values}", outputs, self._direct)
        # Parameters that the states depend on: others need no sensitivities of states.
        dynamic = [*self.dynamic, *model.initial, *model.times, *(v for jump in model.jumps for v in jump.values)]
        self.driving = [i for i, leaf in enumerate(self._p) if any(graph.reaches(node, leaf) for node in dynamic)]

    def _losses(self):
        """The negative log-likelihood of a measurement and its derivatives, by kind."""
        graph = self.graph
        y, s = self._input("y"), self._input("s")
        cases = []
        for kind, node in enumerate(self.model.losses):
            back = adjoints(graph, [(node, graph.number(1))], lambda other: other in (y, s))
            outputs = [("loss", "=", node)]
            outputs += [(name, "=", back.get(leaf, self._zero)) for name, leaf in (("by_y", y), ("by_s", s))]
            lines, _ = assignments(graph, outputs, self._literal)
            body = "\n".join(f"        {line}" for line in lines)
            cases.append(f"    case {kind}: {{\n{body}\n    }} break;\n")
        arguments = "int kind, V y, V m, V s, V& loss, V& by_y, V& by_s"
        self.parts.append(f"INLINE void model_loss({arguments}) {{\n    switch (kind) {{\n{''.join(cases)}    }}\n}}\n")

    def _switches(self):
        graph, model = self.graph, self.model
        point = "const V* RESTRICT p, const V* RESTRICT k"
        outputs = [(f"root[{i}]", "=", node) for i, node in enumerate(model.switches)]
        self._function("switches", f"{point}, V t, V* RESTRICT root", outputs, self._direct)
        outputs = [(f"tau[{i}]", "=", node) for i, node in enumerate(model.times)]
        self._function("times", f"{point}, V* RESTRICT tau", outputs, self._direct)
        seeds = [(node, self._input(f"taub[{i}]")) for i, node in enumerate(model.times)]
        back = adjoints(graph, seeds, lambda node: graph.nodes[node][0] == "p")
        outputs = self._gradient(back, self._p, "pb", "+=")
        self._function("times_back", f"{point}, const V* RESTRICT taub, V* RESTRICT pb", outputs, self._direct)
        along = self._tangents(model.times, {leaf: self._input(f"dp[{i}]") for i, leaf in enumerate(self._p)})
        outputs = [(f"tau[{i}]", "=", node) for i, node in enumerate(along)]
        self._function("times_along", f"{point}, const V* RESTRICT dp, V* RESTRICT tau", outputs, self._direct)

    def _jumps(self):
        """New values of the states that each jump sets, and their derivatives by states, parameters and time."""
        graph = self.graph
        point = "const V* RESTRICT x, const V* RESTRICT p, const V* RESTRICT k, V t, const V* RESTRICT h"
        cases = {"": [], "_back": [], "_along": []}
        for number, jump in enumerate(self.model.jumps):
            leaves = {*self._x, *self._p, self._time}
            seeds = [(node, self._input(f"v[{i}]")) for i, node in zip(jump.targets, jump.values, strict=True)]
            back = adjoints(graph, seeds, leaves.__contains__)
            direction = {leaf: self._input(f"dx[{i}]") for i, leaf in enumerate(self._x)}
            direction |= {leaf: self._input(f"dp[{i}]") for i, leaf in enumerate(self._p)}
            along = self._tangents(jump.values, direction | {self._time: self._input("dt")})
            outputs = self._gradient(back, self._x, "xb", "+=") + self._gradient(back, self._p, "pb", "+=")
            outputs += [("tb", "+=", back[self._time])] if self._time in back else []
            texts = {
                "": [(f"z[{i}]", "=", node) for i, node in zip(jump.targets, jump.values, strict=True)],
                "_back": outputs,
                "_along": [(f"z[{i}]", "=", node) for i, node in zip(jump.targets, along, strict=True)],
            }
            for name, own in texts.items():
                lines, _ = assignments(graph, own, self._direct)
                body = "\n".join(f"        {line}" for line in lines)
                cases[name].append(f"    case {number}: {{\n{body}\n    }} break;\n")
        arguments = {
            "": "V* RESTRICT z",
            "_back": "const V* RESTRICT v, V* RESTRICT xb, V* RESTRICT pb, V& tb",
            "_along": "const V* RESTRICT dx, const V* RESTRICT dp, V dt, V* RESTRICT z",
        }
        for name, own in cases.items():
            head = f"GENERATED static void model_jump{name}(int jump, {point}, {arguments[name]})"
            self.parts.append(f"{head} {{\n    switch (jump) {{\n{''.join(own)}    }}\n}}\n")

    def _constants(self) -> str:
        model = self.model
        sizes = {
            "N": len(model.states),
            "N_P": len(model.parameters),
            "N_K": len(model.constants),
            "N_C": len(self.dynamic),
            "N_O": len(self.observed),
            "N_Y": len(model.y),
            "N_H": len(model.switches),
            "N_TAU": len(model.times),
            "N_JUMP": len(model.jumps),
            "N_J": len(self.pattern),
            "N_LU": self.n_lu,
            "N_TIMED": len(self.timed),
            "N_DRIVING": len(self.driving),
            "TIMES_MOVE": int(any(self.graph.depends(node, "p") for node in (*model.times, *model.switches))),
            "STORES_STAGES": int(len(model.states) < STORE_STAGES_BELOW),
        }
        moving = [int(self.graph.depends(node, "p")) for node in model.times]
        jumps = model.jumps
        targets = [target for jump in jumps for target in jump.targets]
        ends = [sum(len(jump.targets) for jump in jumps[:index]) for index in range(len(jumps) + 1)]
        tables = {
            "J_ROW": [i for i, _ in self.pattern],
            "J_COLUMN": [j for _, j in self.pattern],
            "TIMED": self.timed,
            "DRIVING": self.driving,
            "LOSS_OF": model.loss_of,
            "SCALE_OF": model.scale_of,
            "TAU_MOVES": moving,
            "JUMP_TRIGGER": [jump.trigger for jump in jumps],
            "JUMP_AT_START": [int(jump.at_start) for jump in jumps],
            "JUMP_OLD_VALUES": [int(jump.old_values) for jump in jumps],
            "JUMP_ORDER": sorted(range(len(jumps)), key=lambda index: -jumps[index].priority),
            "JUMP_TARGET_END": ends,
            "JUMP_TARGET": targets,
        }
        # g++ takes minutes to optimize long functions further, and gains nothing.
        level = ', optimize("O1")' if len(model.states) > elimination.LARGEST_STRAIGHT else ""
        text = f"#define GENERATED __attribute__((noinline, unused{level}))\n"
        text += f"#define OF_A_STAGE {'INLINE' if len(model.states) <= LARGEST_INLINE else 'GENERATED static'}\n"
        text += f"enum {{ {', '.join(f'{name} = {value}' for name, value in sizes.items())} }};\n"
        for name, values in tables.items():
            text += f"static const int {name}[] = {{{', '.join(map(str, values or [0]))}}};\n"
        return text

"""Floating-point operations of the kernel's steps: what a gradient costs in values, counted and not timed."""


def operations(facts: dict, sizes: dict) -> dict[str, float]:
    """Return the operations of a step of one lane: of a value, a gradient, or one with the Fisher information.

    `information` is that with sensitivities by all parameters; where it comes from adjoints, each measurement adds
    `measurement` to a gradient. `facts` and `sizes` are those of a kernel (`build.facts_of`, `build.sizes_of`). Error
    control and the likelihood are left out.
    """
    own, n, stages, entries = facts["operations"], sizes["states"], sizes["stages"], sizes["jacobian"]
    sums = stages * (stages - 1) * n  # over earlier stages; of states and of right-hand sides
    linear = own["jacobian"] + own["lu"]
    step = linear + own["by_time"] + stages * (own["f"] + own["solve"]) + 2 * sums
    stored = sizes["record_bytes"] > 8 * sizes["lanes"] * stages * n
    again = linear + sums if stored else step
    back = again + own["jacobian_back"] + stages * (own["solve"] + own["f_back"] + 2 * entries) + 2 * sums
    along = own["jacobian_along"] + stages * (own["solve"] + own["f_along"] + 2 * entries) + 2 * sums
    by_sensitivities = step + len(facts["driving"]) * along
    return {"value": step, "gradient": step + back, "measurement": back, "information": by_sensitivities}


def weights(facts: dict, sizes: dict, measurements: int = 0) -> tuple[float, float]:
    """Return the cost of a gradient in values, without and with the Fisher information.

    measurements: of a condition, where the information comes from an adjoint for each; 0 for sensitivities.
    """
    own = operations(facts, sizes)
    step = max(own["value"], 1)
    information = own["gradient"] + measurements * own["measurement"] if measurements else own["information"]
    return round(max(1.0, own["gradient"] / step), 1), round(max(1.0, information / step), 1)

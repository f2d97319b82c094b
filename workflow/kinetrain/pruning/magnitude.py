"""How much the data care for each weight of PHOENIX: the data terms of Hossain et al. 2024 (NeurIPS), eqs. of DASH."""

import numpy as np


def normalised_magnitudes(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return |W_S|, exp(W_P), |U_S| ∘ relu(v) and |U_P| ∘ relu(v), each divided by its sum.

    W_P acts on logarithms, its effect is multiplicative, hence the exponential.
    """
    rate = np.maximum(weights["v"], 0)[:, None]
    terms = {
        "w_s": np.abs(weights["w_s"]),
        "w_p": np.exp(weights["w_p"]),
        "u_s": np.abs(weights["u_s"]) * rate,
        "u_p": np.abs(weights["u_p"]) * rate,
    }
    return {name: term / term.sum() for name, term in terms.items()}

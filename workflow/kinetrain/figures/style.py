"""The look of all figures: a fixed colour and a readable name per method and optimizer, and files without dates."""

import matplotlib as mpl
from matplotlib.figure import Figure

from kinetrain.files import atomic

# Okabe & Ito 2008, distinguishable with every common colour vision; yellow is too pale for lines on white
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
GREY = "#777777"
SPARE = ("#882255", "#44AA99", "#999933", "#332288", "#AA4499", "#661100")  # Tol 2021, for what is not listed

# identity -> (name in figures, colour)
METHODS = {
    "truth": ("Gold standard", BLACK),
    "unpruned": ("PHOENIX, unpruned", GREY),
    "sparseflow": ("SparseFlow", SKY),
    "bioprune": ("BioPrune", ORANGE),
    "dash": ("DASH", BLUE),
    "imp": ("IMP", GREEN),
    "pinn": ("PINN", PURPLE),
    "pinn_mp": ("PINN + MP", RED),
    "l0": ("L0", "#999933"),
    "c_node": ("C-NODE", "#44AA99"),
    "pathreg": ("PathReg", "#882255"),
    "dst": ("DST", "#332288"),
    "synflow": ("SynFlow", "#AA4499"),
    "prior alone": ("Prior alone", BLACK),
    "regulators x all genes": ("Regulators x all genes", BLACK),
    "persistence": ("Persistence", BLACK),
}
OPTIMIZERS = {
    "adam_balanced": ("Adam (balanced)", BLUE),
    "adam_standard": ("Adam (standard)", SKY),
    "adam": ("Adam", SKY),
    "rmsprop": ("RMSProp", GREEN),
    "sgd": ("SGD", PURPLE),
    "momentum": ("SGD + momentum", "#882255"),
    "momentum_exact": ("SGD + momentum (parPE)", "#AA4499"),
    "fides": ("Fides", RED),
    "ipopt": ("Ipopt", ORANGE),
    "scipy_lbfgsb": ("L-BFGS-B", GREY),
}
KNOWN = METHODS | OPTIMIZERS

RULES = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "kinetrain",
    "savefig.dpi": 200,
}


def use_style():
    """Return a context in which figures have the house style."""
    return mpl.rc_context(RULES)


def label(name: str) -> str:
    """Return how a method or optimizer is called in figures; unknown ones keep their name, without underscores."""
    return KNOWN[name][0] if name in KNOWN else str(name).replace("_", " ")


def colour(name: str) -> str:
    """Return the colour of a method or optimizer, the same in every figure."""
    return KNOWN[name][1] if name in KNOWN else SPARE[sum(map(ord, str(name))) % len(SPARE)]


def in_order(names) -> list[str]:
    """Return distinct names in the order of the lists above, unknown ones last by name."""
    known = list(KNOWN)
    return sorted(set(names), key=lambda name: (known.index(name) if name in known else len(known), str(name)))


def panels(titles, width: float, height: float, columns: int = 3, **options):
    """Return a figure and one axes per title, in rows of at most `columns`, each of width x height inches."""
    count = len(titles)
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
    for spare in axes[count:]:
        spare.set_visible(False)
    for axis, title in zip(axes, titles, strict=False):
        axis.set_title(title)
    return figure, axes[:count]


def nothing_to_show(why: str) -> Figure:
    """Return a figure that says there is nothing to show, and why."""
    figure = Figure(figsize=(5, 1.2))
    figure.text(0.5, 0.5, f"Nothing to show: {why}", ha="center", va="center", color=GREY, fontsize=10)
    return figure


def save(figure: Figure, path) -> None:
    """Write a figure in the format of its suffix; the same figure gives the same bytes."""
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None, "ModDate": None}, "png": {"Software": None}}
    with atomic(path) as temporary:
        figure.savefig(temporary, metadata=metadata[temporary.suffix[1:]], bbox_inches="tight", facecolor="white")

"""Concatenate the parts of a result table."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="name of the result table")
    parser.add_argument("--output", required=True, help="table to write")
    parser.add_argument("--parts", nargs="*", default=[], help="tables to read, in this order")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    import pandas as pd

    from kinetrain import tables
    from kinetrain.errors import InputError

    if arguments.name not in tables.TABLES:
        raise InputError(f"no result table '{arguments.name}' (there are {', '.join(tables.TABLES)})")
    parts = [part for part in (tables.load(arguments.name, path) for path in arguments.parts) if len(part)]
    together = pd.concat(without_repeated(arguments.name, parts)) if parts else tables.empty(arguments.name)
    # whole numbers stay whole, although a column with gaps is read as floating point
    tables.save(arguments.name, together.convert_dtypes(), arguments.output)


def fits_of(part) -> set:
    """Return the fits in a part of a table, none if it is not a table of fits."""
    from kinetrain.tables import FIT

    if not set(FIT) <= set(part.columns):
        return set()
    return set(part[list(FIT)].drop_duplicates().itertuples(index=False, name=None))


def without_repeated(name, parts) -> list:
    """Return the parts of a table without those that hold the same fits as an earlier one.

    Fits of several batch sizes are the same if all of these batches hold all conditions.
    """
    import warnings

    from kinetrain.errors import InputWarning

    kept, seen = [], set()
    for part in parts:
        fits = fits_of(part)
        if fits and fits <= seen:
            problem, optimizer, schedule, size, *_ = min(fits)
            warnings.warn(
                f"{name}: {problem} has {size} conditions, so several batch sizes of {optimizer}, {schedule} are full "
                "batches: they stand in the table once",
                InputWarning,
                stacklevel=2,
            )
        else:
            kept.append(part)
        seen |= fits
    return kept


if __name__ == "__main__":
    run(main)

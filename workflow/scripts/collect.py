"""Put the parts of a result table below each other."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description="Concatenate the parts of a result table (kinetrain/tables.py).")
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
    together = pd.concat(parts) if parts else tables.empty(arguments.name)
    # whole numbers stay whole, although a column with gaps is read as floating point
    tables.save(arguments.name, together.convert_dtypes(), arguments.output)


if __name__ == "__main__":
    from command import run

    run(main)

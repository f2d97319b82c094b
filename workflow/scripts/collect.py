"""Put tables with the same meaning below each other."""

import argparse


def parse_arguments():
    parser = argparse.ArgumentParser(description="Concatenate TSV tables; a column that one of them lacks stays empty.")
    parser.add_argument("--output", required=True, help="table to write")
    parser.add_argument("--columns", nargs="+", default=[], help="columns that the table has even without any rows")
    parser.add_argument("tables", nargs="*", help="tables to read, in this order")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    import pandas as pd

    from kinetrain.files import load_table, save_table

    tables = [load_table(path) for path in arguments.tables]
    columns = list(dict.fromkeys([*arguments.columns, *(name for table in tables for name in table.columns)]))
    filled = [table for table in tables if len(table)]
    together = pd.concat(filled) if filled else pd.DataFrame(columns=columns)
    # whole numbers stay whole, although a column with gaps is read as floating point
    save_table(together.reindex(columns=columns).convert_dtypes(), arguments.output)


if __name__ == "__main__":
    from command import run

    run(main)

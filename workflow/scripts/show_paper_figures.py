"""Show which figures of the two papers a run makes again, in which file, and which not and why, as an HTML page."""

import argparse

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", help="resources/published/figures.tsv")
    parser.add_argument("--made", nargs="*", default=[], help="names of the figures that this run draws")
    parser.add_argument("--title", required=True, help="heading of the page")
    parser.add_argument("--output", required=True, help="HTML page to write")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    from kinetrain.cache import write_text
    from kinetrain.files import load_table
    from kinetrain.report.html import page

    table = load_table(arguments.figures, ["paper", "figure", "shows", "ours", "state", "remark"])
    drawn = table["ours"].isin(arguments.made)
    table["this run"] = drawn.map({True: "yes", False: "no"})
    table["file"] = ("figures/" + table["ours"] + ".svg").where(table["ours"] != "-", "")
    of_this_run = drawn.groupby(table["paper"]).transform("any")  # the paper of an arm that is not run is left out
    shown = table.loc[of_this_run, ["paper", "figure", "shows", "state", "file", "this run", "remark"]]
    write_text(arguments.output, page(shown, arguments.title))


if __name__ == "__main__":
    run(main)

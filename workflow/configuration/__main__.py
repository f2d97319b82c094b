"""Commands about configurations, run as `python workflow/configuration COMMAND`."""

import json
import sys
import warnings
from functools import reduce
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "workflow"))

USAGE = """usage: python workflow/configuration COMMAND
  check FILE... [--config KEY=VALUE...]
                     check a configuration; keys of later files, and values as of Snakemake, override those of the first
  results FILE...    print its folder of results
  manifest FILE      check a manifest of downloads
  keys               print the documentation of all keys (Markdown)
  schema [overlay]   print the JSON Schema of a configuration, or of an overlay"""


def read(words: list[str]) -> tuple[list[str], dict]:
    """Return the files that are named, and the configuration of them and of the values after `--config`."""
    import yaml

    import configuration

    files = words[: words.index("--config")] if "--config" in words else words
    values = (word.partition("=") for word in words[len(files) + 1 :])
    parts = [*map(configuration.read_yaml, files), {key: yaml.safe_load(value) for key, _, value in values}]
    return files, reduce(configuration.merge, parts, {})


def main(arguments: list[str]) -> None:
    """Run a command; wrong input ends the process with one `error:` message."""
    try:
        import configuration
        from kinetrain.errors import InputError
    except ModuleNotFoundError as missing:  # started by a Python of the user's
        sys.exit(
            f"error: this Python has no '{missing.name}', that of `make setup` has it: type `make check CONFIG=FILE`"
        )

    warnings.showwarning = lambda message, *_: print(f"warning: {message}", file=sys.stderr)
    try:
        match arguments:
            case [("check" | "results") as wanted, *paths] if paths:
                files, config = read(paths)
                if wanted == "results":
                    print((config.get("pathvars") or {}).get("results", "results"))
                    return
                manifest = configuration.load_manifest(TOP / "resources" / "datasets.tsv")
                plan = configuration.Plan(config, manifest, places=(Path(), TOP))
                tables = configuration.read_own_tables(plan)
                found = {"problems": plan.problems, "data sets": plan.datasets}
                said = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in found.items() if names)
                print(f"{' with '.join(files)}: nothing wrong found ({said or 'empty'})", *tables, sep="\n")
            case ["manifest", path]:
                configuration.load_manifest(path)
            case ["keys"]:
                print(configuration.describe(), end="")
            case ["schema", *overlay] if overlay in ([], ["overlay"]):
                print(json.dumps(configuration.schema(overlay=bool(overlay)), indent=1, ensure_ascii=False))
            case _:
                sys.exit(USAGE)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])

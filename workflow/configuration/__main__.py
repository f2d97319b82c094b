"""Commands about configurations, run as `python workflow/configuration COMMAND`."""

import json
import sys
import warnings
from functools import reduce
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "workflow"))

USAGE = """usage: python workflow/configuration COMMAND
  check FILE...      check a configuration; keys of later files override those of the first
  results FILE...    print its folder of results
  manifest FILE      check a manifest of downloads
  keys               print the documentation of all keys (Markdown)
  schema [overlay]   print the JSON Schema of a configuration, or of an overlay"""


def main(arguments: list[str]) -> None:
    """Run a command; wrong input ends the process with one `error:` message."""
    import configuration
    from kinetrain.errors import InputError

    warnings.showwarning = lambda message, *_: print(f"warning: {message}", file=sys.stderr)
    try:
        match arguments:
            case [("check" | "results") as wanted, *paths] if paths:
                config: dict = reduce(configuration.merge, map(configuration.read_yaml, paths), {})
                if wanted == "results":
                    print((config.get("pathvars") or {}).get("results", "results"))
                    return
                manifest = configuration.load_manifest(TOP / "resources" / "datasets.tsv")
                configuration.Plan(config, manifest, places=(Path(), TOP))
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

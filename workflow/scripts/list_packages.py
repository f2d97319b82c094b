"""List the packages that `import` finds in this environment, with the versions that are installed."""

import argparse
import platform
import re
import sysconfig
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

from command import run


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="list to write (JSON): python, packages, elsewhere")
    return parser.parse_args()


def list_packages() -> dict:
    """Return the version of Python, {package: version}, and {module: file} of modules that hide those of a package."""
    packages, folders = {}, {}
    for found in metadata.distributions():  # in the order in which Python looks for modules
        name = re.sub(r"[-_.]+", "-", found.name).lower()
        if name not in packages:
            packages[name], folders[name] = found.version, Path(found.locate_file("")).resolve()
    elsewhere, standard = {}, Path(sysconfig.get_path("stdlib")).resolve()
    for module, owners in metadata.packages_distributions().items():
        spec = PathFinder.find_spec(module)
        places = [folders.get(re.sub(r"[-_.]+", "-", owner).lower()) for owner in owners]
        if spec and spec.origin and Path(spec.origin).is_absolute():
            origin = Path(spec.origin).resolve()
            # The standard library goes before packages on every machine, as its `test` before that of rocrate.
            if origin.is_relative_to(standard) and "site-packages" not in origin.parts:
                continue
            if not any(place and origin.is_relative_to(place) for place in places):
                elsewhere[module] = str(origin)
    return {
        "python": platform.python_version(),
        "packages": dict(sorted(packages.items())),
        "elsewhere": dict(sorted(elsewhere.items())),
    }


def main():
    arguments = parse_arguments()
    from kinetrain.cache import write_json

    write_json(arguments.output, list_packages())


if __name__ == "__main__":
    run(main)

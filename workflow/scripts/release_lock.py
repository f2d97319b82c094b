"""Remove the lock of a killed run from this folder, unless another run is still going on.

A run holds `.snakemake/kinetrain.lock` until it ends (see the Snakefile); unlike Snakemake's own lock, a kill
releases it.
"""

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinetrain.cache import hold_lock


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    left = Path(".snakemake/locks")
    if not left.is_dir() or not any(left.iterdir()):
        return
    try:
        with hold_lock(Path(".snakemake/kinetrain.lock")):
            print("an earlier run was killed: continuing where it stopped", file=sys.stderr)
            shutil.rmtree(left)
    except BlockingIOError:
        sys.exit("error: another run is going on in this folder; wait for it, or stop it")
    except OSError:
        sys.exit(
            "error: a run is going on in this folder, or one was killed: this file system has no locks, so they look "
            "the same. If none is going on, delete the folder .snakemake/locks and run the same command again"
        )


if __name__ == "__main__":
    main()

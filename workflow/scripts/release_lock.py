"""Release the lock that a killed run has left on this folder, unless another run is still going on.

A run holds `.snakemake/kinetrain.lock` as long as it lives (see the Snakefile); unlike Snakemake's own lock, a kill
releases it.
"""

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kinetrain.cache import hold


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    left = Path(".snakemake/locks")
    if not left.is_dir() or not any(left.iterdir()):
        return
    try:
        with hold(Path(".snakemake/kinetrain.lock")):
            print("a former run was killed: going on where it stopped", file=sys.stderr)
            shutil.rmtree(left)
    except BlockingIOError:
        sys.exit("error: another run is going on in this folder; wait for it, or stop it")
    except OSError:
        sys.exit(
            "error: a run is going on in this folder, or one was killed: this file system has no locks to tell them "
            "apart. If none is going on, delete the folder .snakemake/locks and give the same command again"
        )


if __name__ == "__main__":
    main()

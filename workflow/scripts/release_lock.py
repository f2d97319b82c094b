"""Release the lock that a killed run has left on this folder, unless another run is still going on.

A run holds `.snakemake/kinetrain.lock` as long as it lives (see the Snakefile); unlike Snakemake's own lock, a kill
releases it.
"""

import argparse
import fcntl
import shutil
import sys
from pathlib import Path


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    left = Path(".snakemake/locks")
    if not left.is_dir() or not any(left.iterdir()):
        return
    with open(".snakemake/kinetrain.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("error: another run is going on in this folder; wait for it, or stop it")
        print("a former run was killed: going on where it stopped", file=sys.stderr)
        shutil.rmtree(left)


if __name__ == "__main__":
    main()

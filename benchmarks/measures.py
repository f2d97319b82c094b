"""Measures that the benchmarks share: CPU seconds, memory, the speed of large matrix products, and their table.

Run as a script, it prints the best speed of the product of two large matrices of a type: measures.py float64.
"""

import contextlib
import importlib.util
import os
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

# Variables by which a machine may hold a library of matrix products back: they name older processors or smaller caches.
HELD_BACK = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def cpu_seconds(evaluate, repeats: int = 1) -> float:
    """Return the CPU time of this process in a call of a function, the mean of `repeats`."""
    began = time.process_time()
    for _ in range(repeats):
        evaluate()
    return (time.process_time() - began) / repeats


def memory_mb(kind: str = "VmHWM") -> float:
    """Return the memory of this process in MB: VmRSS now, VmHWM at its peak (where there is no /proc, the peak).

    The peak that /proc knows is without that of the process which started this one.
    """
    with contextlib.suppress(FileNotFoundError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(kind)) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def matrix_peak(kind: str) -> float:
    """Return the best speed of the product of two large matrices (float32 or float64) in one thread, in GFLOP/s.

    Measured in a process without the variables HELD_BACK, which a library reads once, when it is loaded.
    """
    variables = {name: value for name, value in os.environ.items() if name not in HELD_BACK}
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, __file__, kind]
    return float(subprocess.run(command, env=variables | one, check=True, capture_output=True, text=True).stdout)


def finish(table, path) -> None:
    """Write the table of a benchmark, and print it."""
    from kinetrain.files import save_table

    save_table(table, path)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3g}"))


def _print_peak(kind: str) -> None:
    import numpy as np

    speeds, rng = [], np.random.default_rng(0)
    for size in (512, 1024, 1536):
        pair = rng.random((2, size, size)).astype(kind)
        products = [partial(np.matmul, *pair)]
        if importlib.util.find_spec("torch"):
            import torch

            products.append(partial(torch.mm, *torch.from_numpy(pair)))
        speeds += [2e-9 * size**3 / cpu_seconds(product) for product in products for _ in range(4)]
    print(max(speeds))


if __name__ == "__main__":
    _print_peak(sys.argv[1])

"""Networks as compressed bits: of 11,165 genes one has 16 MB of bits, and a training has dozens of them."""

import zlib
from collections.abc import Iterable

import numpy as np


def pack(bits) -> bytes:
    """Return the bits of a network, as `numpy.packbits` makes them of its pairs, compressed."""
    return zlib.compress(np.ascontiguousarray(bits, dtype=np.uint8).tobytes(), level=1)


def unpack(network: bytes) -> np.ndarray:
    """Return the bits (uint8) of which `pack` made a network."""
    return np.frombuffer(zlib.decompress(network), dtype=np.uint8)


def as_arrays(networks: Iterable[bytes]) -> dict[str, np.ndarray]:
    """Return networks one after the other as arrays for a file: edges (bytes,), and edge_bytes, the size of each."""
    networks = list(networks)
    sizes = np.array([len(one) for one in networks], dtype=np.int64)
    return {"edges": np.frombuffer(b"".join(networks), dtype=np.uint8), "edge_bytes": sizes}


def of_arrays(arrays) -> list[bytes]:
    """Return the networks that `as_arrays` made arrays of; edge_bytes may have any shape."""
    ends = np.cumsum(np.asarray(arrays["edge_bytes"]).ravel())
    parts = np.split(np.asarray(arrays["edges"], dtype=np.uint8), ends[:-1]) if len(ends) else []
    return [part.tobytes() for part in parts]

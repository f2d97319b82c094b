"""The support of models as compressed bits: which of the weights behind their effects are not zero.

The network follows from it (`effects.edge_bits`). Of 11,165 genes and 300 hidden units a support has 1.7 MB of bits, of
which pruned models leave a tenth; a network has 16 MB, and a training has dozens of them.
"""

import zlib
from collections.abc import Iterable

import numpy as np


def pack(support: dict) -> bytes:
    """Return a support, booleans by name, as compressed bits."""
    bits = np.packbits(np.concatenate([np.asarray(part, dtype=bool).ravel() for part in support.values()]))
    return zlib.compress(bits.tobytes(), level=1)


def unpack(packed: bytes, shapes: dict) -> dict[str, np.ndarray]:
    """Return the support that `pack` packed, whose parts have these shapes by name, in their order."""
    bits = np.unpackbits(np.frombuffer(zlib.decompress(packed), dtype=np.uint8)).view(bool)
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(bits, ends)  # the last one fills the last byte
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts[:-1], strict=True)}


def as_arrays(supports: Iterable[bytes]) -> dict[str, np.ndarray]:
    """Return packed supports one after the other as arrays for a file: support (bytes,), and support_bytes of each."""
    supports = list(supports)
    sizes = np.array([len(one) for one in supports], dtype=np.int64)
    return {"support": np.frombuffer(b"".join(supports), dtype=np.uint8), "support_bytes": sizes}


def of_arrays(arrays) -> list[bytes]:
    """Return the packed supports that `as_arrays` made arrays of; support_bytes may have any shape."""
    ends = np.cumsum(np.asarray(arrays["support_bytes"]).ravel())
    parts = np.split(np.asarray(arrays["support"], dtype=np.uint8), ends[:-1]) if len(ends) else []
    return [part.tobytes() for part in parts]

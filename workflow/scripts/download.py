"""Fetch one file from a local mirror or the internet, check it, and put it in place whole.

A broken transfer is tried again a few times and goes on where it stopped: the part is kept beside the output.
"""

import argparse
import hashlib
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

TRIALS = 5
CHUNK_BYTES = 1 << 20


class Refused(Exception):
    """The file cannot be had; the message says from where, why, and how to go on."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="public address of the file")
    parser.add_argument("--checksum", required=True, help="sha256:<hex>, or git-sha1:<hex> (git's blob SHA-1)")
    parser.add_argument("--bytes", type=int, help="size of the file, when known")
    parser.add_argument("--mirror", type=Path, help="the file in a local mirror; taken when it is there and right")
    parser.add_argument("--output", type=Path, required=True, help="where to put the file")
    return parser.parse_args()


def checksum(path: Path, kind: str) -> str:
    """Return the checksum of a file as `kind:hex`, where kind is sha256 or git-sha1."""
    digest = hashlib.sha256() if kind == "sha256" else hashlib.sha1(f"blob {path.stat().st_size}\0".encode())
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return f"{kind}:{digest.hexdigest()}"


def defect(path: Path, expected: str, size: int | None) -> str | None:
    """Return what is wrong with a file, or None when it is the right one."""
    if size is not None and path.stat().st_size != size:
        return f"has {path.stat().st_size} bytes instead of {size}"
    actual = checksum(path, expected.partition(":")[0])
    return None if actual == expected else f"has the checksum {actual} instead of {expected}"


def fetch(
    url: str, expected: str, size: int | None, mirror: Path | None, output: Path, pause_seconds: float = 2
) -> None:
    """Put the right file at `output`, or raise Refused and leave no file there."""
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(output.name + ".part")
    reasons = []
    if mirror is not None and mirror.is_file():
        shutil.copyfile(mirror, part)
        wrong = defect(part, expected, size)
        if wrong is None:
            os.replace(part, output)
            return
        part.unlink()
        reasons.append(f"{mirror} {wrong}")
    for trial in range(TRIALS):
        if trial:
            time.sleep(pause_seconds * 2 ** (trial - 1))
        try:
            transfer(url, part, size)
        except (OSError, ValueError) as error:
            reasons.append(f"{url}: {error}")
            print(f"trial {trial + 1} of {TRIALS}: {error}", file=sys.stderr)
            if isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404, 410):
                break  # asking again cannot help
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                part.unlink()  # the part is no beginning of this file
            continue
        wrong = defect(part, expected, size)
        if wrong is None:
            os.replace(part, output)
            return
        part.unlink()  # whole but wrong: going on from it would never end well
        reasons.append(f"{url} {wrong}")
        print(f"trial {trial + 1} of {TRIALS}: {reasons[-1]}", file=sys.stderr)
    raise Refused(
        "cannot get a file:\n"
        + "".join(f"  - {reason}\n" for reason in dict.fromkeys(reasons))
        + f"Download it by hand from {url}\nand put it at {output} (its checksum: {expected}),\n"
        "or name a folder that has it with `--config mirror=FOLDER`. All that does not need it goes on."
    )


def transfer(url: str, part: Path, size: int | None) -> None:
    """Download `url` into `part`, going on from the bytes that are already there."""
    have = part.stat().st_size if part.exists() else 0
    if size is not None and have > size:
        part.unlink()
        have = 0
    if size is not None and have == size:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=60) as response:
        resumed = have and response.status == 206
        expected = response.headers.get("Content-Length")
        with open(part, "ab" if resumed else "wb") as file:
            received = 0
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                received += len(chunk)
        if expected is not None and received < int(expected):
            raise OSError(f"the connection ended after {received} of {expected} bytes")


def main():
    arguments = parse_arguments()
    try:
        fetch(arguments.url, arguments.checksum, arguments.bytes, arguments.mirror, arguments.output)
    except Refused as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

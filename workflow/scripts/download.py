"""Download a file from a local mirror or the internet, check it, and put it in place whole.

A broken transfer is tried again a few times and continued where it stopped, from the file `<output>.part`.
"""

import argparse
import errno
import hashlib
import http.client
import os
import shutil
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

TRIALS = 5
HOPELESS_STATUS = (401, 403, 404, 410)
HOPELESS_HERE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")  # SSL_CERT_FILE is known to Python itself
CHUNK_BYTES = 1 << 20


class Refused(Exception):
    """The file cannot be downloaded; the message says from where, why, and what to do."""


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
        if (wrong := defect(part, expected, size)) is None:
            return place(part, output)
        part.unlink()
        reasons.append(f"{mirror} {wrong}")
    context = trusted() if url.startswith("https:") else None  # made once: reading the system's takes half a second
    for trial in range(TRIALS):
        if trial:
            time.sleep(pause_seconds * 2 ** (trial - 1))
        try:
            transfer(url, part, size, context)
            if (wrong := defect(part, expected, size)) is None:
                return place(part, output)
            hopeless = is_web_page(part)
            part.unlink()  # whole but wrong: continuing it cannot help
            reasons.append(f"{url} {wrong}" + (": it is a web page, of a login or a proxy?" if hopeless else ""))
        except (OSError, ValueError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                part.unlink(missing_ok=True)  # the part is no beginning of this file
            hopeless, hint = is_hopeless(error)
            reasons.append(f"{url}: {str(error) or type(error).__name__}{hint}")
        print(f"trial {trial + 1} of {TRIALS}: {reasons[-1]}", file=sys.stderr)
        if hopeless:
            break
    raise Refused(
        "cannot get a file:\n"
        + "".join(f"  - {reason}\n" for reason in dict.fromkeys(reasons))
        + f"Download it by hand from {url}\nand put it at {output} (its checksum: {expected}),\n"
        "or name a folder that has it with `--config mirror=FOLDER`. Jobs that do not need it go on."
    )


def place(part: Path, output: Path) -> None:
    """Give a file its name, once its content is on the disk."""
    with open(part, "rb") as file:
        os.fsync(file.fileno())
    os.replace(part, output)


def trusted() -> ssl.SSLContext:
    """Return the trusted certificates: the system's, and those that the variables of pip and other tools name."""
    context = ssl.create_default_context()
    for name in CERTIFICATES:
        given = os.environ.get(name)
        try:
            if given:
                context.load_verify_locations(**{"capath" if os.path.isdir(given) else "cafile": given})
        except OSError as error:
            raise Refused(f"{name}={given}: not a file or folder of certificates (PEM): {error}") from None
    return context


def is_hopeless(error: Exception) -> tuple[bool, str]:
    """Return whether trying again cannot help, and what would help."""
    if isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError):
        return True, "; name the file of the certificates that your network uses in SSL_CERT_FILE or REQUESTS_CA_BUNDLE"
    if isinstance(error, urllib.error.HTTPError):
        return error.code in HOPELESS_STATUS, ""
    return getattr(error, "errno", None) in HOPELESS_HERE, ""


def is_web_page(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(256).lstrip().lower().startswith((b"<!doctype html", b"<html"))


def transfer(url: str, part: Path, size: int | None, context: ssl.SSLContext | None) -> None:
    """Download `url` into `part`, going on from the bytes that are already there."""
    have = part.stat().st_size if part.exists() else 0
    if size is not None and have > size:
        part.unlink()
        have = 0
    if size is not None and have == size:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=60, context=context) as response:
        resumed = have and response.status == 206
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink()
            raise OSError(f"the server was asked to go on at byte {have} and sent something else")
        expected = response.headers.get("Content-Length")
        received = 0
        with open(part, "ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                received += len(chunk)
                if size is not None and received > size:
                    raise OSError(f"the server sends more than {size} bytes")
        if expected is not None and received < int(expected):
            raise OSError(f"the connection ended after {received} of {expected} bytes")


def main():
    arguments = parse_arguments()
    try:
        fetch(arguments.url, arguments.checksum, arguments.bytes, arguments.mirror, arguments.output)
    except (Refused, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

"""A file is downloaded whole and right, or not at all, and the message says what to do."""

import gzip
import hashlib
import http.server
import shutil
import ssl
import subprocess
import sys
import threading

import download
import pytest

CONTENT = bytes(range(256)) * 4000


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT, with ranges; the first `breaks` answers end in the middle."""

    breaks = 0
    ranges: list = []  # noqa: RUF012  (reset by the fixture)

    def do_GET(self):
        if self.path != "/file":
            self.send_error(404)
            return
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        Server.ranges.append(start)
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if Server.breaks:
            Server.breaks -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def url():
    Server.breaks, Server.ranges = 0, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
GIT_SHA1 = "git-sha1:" + hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()


@pytest.mark.parametrize("checksum", [SHA256, GIT_SHA1])
def test_a_file_is_downloaded_and_checked(url, tmp_path, checksum):
    download.fetch(f"{url}/file", checksum, len(CONTENT), None, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_truncated_download_goes_on_where_it_stopped(url, tmp_path):
    Server.breaks = 1
    download.fetch(f"{url}/file", SHA256, len(CONTENT), None, tmp_path / "file", pause_seconds=0)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert Server.ranges == [0, len(CONTENT) // 2]


def test_a_part_left_by_a_killed_download_is_continued(url, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:1000])
    download.fetch(f"{url}/file", SHA256, None, None, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert Server.ranges == [1000]


def test_a_wrong_checksum_leaves_no_file_and_is_reported(url, tmp_path):
    with pytest.raises(download.Refused, match=r"has the checksum sha256:.* instead of sha256:0000"):
        download.fetch(f"{url}/file", "sha256:" + "0" * 64, None, None, tmp_path / "file", pause_seconds=0)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_nowhere_names_its_url_and_where_to_put_it(url, tmp_path):
    with pytest.raises(download.Refused) as refused:
        download.fetch(f"{url}/absent", SHA256, None, tmp_path / "mirror" / "file", tmp_path / "file")
    assert f"Download it by hand from {url}/absent\nand put it at {tmp_path / 'file'}" in str(refused.value)


def test_the_mirror_is_used_first(url, tmp_path):
    mirror = tmp_path / "mirrored"
    mirror.write_bytes(CONTENT)
    download.fetch(f"{url}/file", SHA256, len(CONTENT), mirror, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT and Server.ranges == []


def test_a_wrong_file_in_the_mirror_is_passed_over(url, tmp_path):
    mirror = tmp_path / "mirrored"
    mirror.write_bytes(CONTENT[:-1])
    download.fetch(f"{url}/file", SHA256, len(CONTENT), mirror, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT and Server.ranges == [0]


class Unreliable(http.server.BaseHTTPRequestHandler):
    """Misbehaves at the first request of every path, as the path says; then serves CONTENT without ranges."""

    protocol_version = "HTTP/1.1"
    asked: dict = {}  # noqa: RUF012  (reset by the fixture)

    def do_GET(self):
        kind = self.path[1:]
        Unreliable.asked[kind] = Unreliable.asked.get(kind, 0) + 1
        first, half, self.close_connection = Unreliable.asked[kind] == 1, CONTENT[: len(CONTENT) // 2], True
        if kind == "not_http" and first:
            self.wfile.write(b"garbage not http\r\n\r\n")
        elif kind == "silent" and first:
            return
        elif kind == "chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            size = b"%x\r\n" % len(CONTENT)
            self.wfile.write(size + (half if first else CONTENT + b"\r\n0\r\n\r\n"))
        elif kind == "chunk_without_size" and first:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"no size\r\n")
        elif kind == "wrong_range" and self.headers.get("Range"):
            self.answer(CONTENT, status=206)
        elif kind == "page":
            self.answer(b"\n<!DOCTYPE html><html>please log in</html>")
        elif kind == "packed":
            self.answer(gzip.compress(CONTENT), **{"Content-Encoding": "gzip"})
        elif kind == "endless" and first:
            self.answer(CONTENT * 3)
        else:
            self.answer(CONTENT, cut=first and kind in ("breaks", "wrong_range"))

    def answer(self, body, status=200, cut=False, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def unreliable():
    Unreliable.asked = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unreliable)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("size", [len(CONTENT), None])
@pytest.mark.parametrize(
    "kind", ["breaks", "chunked", "chunk_without_size", "not_http", "silent", "wrong_range", "endless"]
)
def test_a_server_that_misbehaves_once_or_twice_still_gives_the_file(unreliable, tmp_path, kind, size):
    download.fetch(f"{unreliable}/{kind}", SHA256, size, None, tmp_path / "file", pause_seconds=0)
    assert (tmp_path / "file").read_bytes() == CONTENT and [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("kind", "said", "trials"),
    [
        ("page", "it is a web page, of a login or a proxy?", 1),
        ("packed", f"bytes instead of {len(CONTENT)}", 5),
        ("not_http", "garbage not http", 5),
    ],
)
def test_a_server_that_always_misbehaves_is_refused_in_words(unreliable, tmp_path, monkeypatch, kind, said, trials):
    if kind == "not_http":
        monkeypatch.setattr(Unreliable, "asked", type("Always", (dict,), {"get": lambda *_: 0})())
    with pytest.raises(download.Refused) as refused:
        download.fetch(f"{unreliable}/{kind}", SHA256, len(CONTENT), None, tmp_path / "file", pause_seconds=0)
    assert said in str(refused.value) and list(tmp_path.iterdir()) == []
    if kind != "not_http":
        assert Unreliable.asked[kind] == trials


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """An https server whose certificate nobody knows, as (address, file of the certificate)."""
    if shutil.which("openssl") is None:
        pytest.skip("the program 'openssl' makes the certificate of this test, and is not there")
    folder = tmp_path_factory.mktemp("certificate")
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run([*words.split(), *files], check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("localhost", 0), Server)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/file", folder / "certificate.pem"
    server.shutdown()


def test_an_unknown_certificate_is_refused_at_once_with_what_to_do(secure, tmp_path):
    with pytest.raises(download.Refused, match=r"certificate verify failed.*SSL_CERT_FILE or REQUESTS_CA_BUNDLE"):
        download.fetch(secure[0], SHA256, None, None, tmp_path / "file", pause_seconds=1e6)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", *download.CERTIFICATES])
def test_certificates_of_the_network_are_known_by_the_usual_variables(secure, tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, str(secure[1]))
    download.fetch(secure[0], SHA256, None, None, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_file_of_certificates_that_is_none_is_named(tmp_path, monkeypatch):
    for content in (None, "no certificate"):
        if content:
            (tmp_path / "ca.pem").write_text(content)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        with pytest.raises(
            download.Refused, match=r"REQUESTS_CA_BUNDLE=.*ca\.pem: not a file or folder of certificates"
        ):
            download.trusted()


def test_a_place_that_cannot_be_written_to_is_reported_in_one_line(unreliable, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    script = [sys.executable, download.__file__, "--url", f"{unreliable}/x", "--checksum", SHA256]
    process = subprocess.run([*script, "--output", tmp_path / "file" / "x"], capture_output=True, text=True)
    assert process.returncode == 1 and process.stderr.startswith("error: ") and process.stderr.count("\n") == 1

"""A file is downloaded whole and right, or not at all, and the user is told how to go on."""

import hashlib
import http.server
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


def test_a_wrong_checksum_leaves_no_file_and_is_told(url, tmp_path):
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

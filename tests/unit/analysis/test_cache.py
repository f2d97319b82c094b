"""The cache of a user is whole, checked by checksums, and works without locks."""

import errno
import fcntl
import os
import stat
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinetrain import cache
from kinetrain.files import load_checkpoint, save_checkpoint

FILES = {"library.so": b"\x7fELF" + bytes(range(256)), "module/code.py": b"answer = 42\n", "module/empty.txt": b""}


class Maker:
    """Fills a folder with FILES, and counts how often."""

    def __init__(self):
        self.calls = 0

    def __call__(self, folder):
        self.calls += 1
        for name, content in FILES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)


def damages(content: bytes):
    """Ways in which a crash, a full disk or a stray edit leave a file; None: it is gone."""
    middle = len(content) // 2
    yield from (None, b"", content[:middle], content + b"\0")
    yield content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def damage(path: Path, content):
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["library.so", "module/code.py", cache.CHECKSUMS])
def test_a_damaged_file_is_found_and_all_is_made_anew(tmp_path, name, capsys):
    make = Maker()
    folder = cache.cached(tmp_path / "entry", make)
    assert cache.cached(folder, make) == folder and make.calls == 1
    for number, content in enumerate(damages((folder / name).read_bytes()), start=2):
        damage(folder / name, content)
        cache.cached(folder, make)
        assert make.calls == number and "was damaged and is made again" in capsys.readouterr().err
        assert all((folder / file).read_bytes() == content for file, content in FILES.items())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entry", "entry.lock"]


def test_what_fails_while_it_is_made_leaves_nothing(tmp_path):
    def fails(folder):
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.cached(tmp_path / "entry", fails)
    assert [path.name for path in tmp_path.iterdir()] == ["entry.lock"]


def test_contents_reach_the_disk_before_their_names_do(tmp_path, monkeypatch):
    """Else a crash of the machine leaves whole names of empty files."""
    done, sync, replace, rename = [], os.fsync, os.replace, Path.rename

    def flushed(handle):
        done.append(("flush", Path(os.readlink(f"/proc/self/fd/{handle}"))))
        sync(handle)

    def replaced(source, target):
        done.append(("name", Path(source)))
        replace(source, target)

    def renamed(source, target):
        done.append(("name", Path(source)))
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(Path, "rename", renamed)
    cache.write_text(tmp_path / "a.txt", "a")
    save_checkpoint(tmp_path / "checkpoint.npz", "run", x=np.zeros(3))
    cache.cached(tmp_path / "kept", Maker())
    named = [(place, path) for place, (what, path) in enumerate(done) if what == "name"]
    flushes = [{path for what, path in done[:place] if what == "flush"} for place, _ in named]
    assert len(named) == 4  # the text, the checkpoint, the checksums of the folder, the folder
    assert all(path in before for (_, path), before in zip(named[:3], flushes, strict=False))
    assert {named[3][1] / name for name in FILES} <= flushes[3]


def test_a_file_system_without_locks_can_be_used(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    make = Maker()
    assert cache.is_intact(cache.cached(tmp_path / "entry", make)) and make.calls == 1


@pytest.mark.parametrize("variables", [{"HOME": "/dev/null"}, {"XDG_CACHE_HOME": "/dev/null/cache"}, {}])
def test_without_a_home_all_processes_share_a_temporary_folder_of_the_user(tmp_path, monkeypatch, variables):
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", os.environ.get("HOME", "~")))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = cache.cache_folder()
    assert folder == cache.cache_folder() == tmp_path / f"kinetrain-{os.getuid()}" / "kinetrain"
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_a_temporary_folder_that_others_can_write_to_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    trap = tmp_path / f"kinetrain-{os.getuid()}"
    trap.mkdir()
    trap.chmod(0o777)
    assert cache.temporary_folder() != trap


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_checkpoint_is_reported_and_never_read_wrong(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("checkpoint") / "state"
    state = {"weights": np.arange(6.0).reshape(2, 3), "text": np.array("a text"), "epoch": np.array(7)}
    save_checkpoint(path, "run", **state)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    path.write_bytes(
        whole[:at] if cut else whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    )
    found = load_checkpoint(path, "run")
    assert found is None or all(np.array_equal(found[name], value) for name, value in state.items())


def test_a_checkpoint_that_cannot_be_used_is_reported(tmp_path, capsys, monkeypatch):
    path = tmp_path / "state"
    save_checkpoint(path, "run", epoch=3)
    assert load_checkpoint(path, "run")["epoch"] == 3 and capsys.readouterr().err == ""
    assert load_checkpoint(path, "another run") is None
    monkeypatch.setattr("kinetrain.files._library_checksum", lambda: "changed code")
    assert load_checkpoint(path, "run") is None
    assert capsys.readouterr().err.count("is of other settings, data or code: starting from the beginning") == 2
    for content in damages(path.read_bytes()):
        if content is not None:
            path.write_bytes(content)
            assert load_checkpoint(path, "run") is None
            assert "is damaged: starting from the beginning" in capsys.readouterr().err

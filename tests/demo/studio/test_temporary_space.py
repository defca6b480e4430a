"""How much disk visitors may take, and that what nobody needs goes by itself."""

import os
import tempfile
import threading
import time
from pathlib import Path

import pytest

from demo.janitor import Janitor
from demo.plain_routes import Refusal
from demo.settings import Settings
from demo.studio.session_store import SessionStore
from demo.studio.temporary_space import TemporarySpace
from demo.visitor_folders import sweep_by_age

SETTINGS = Settings(temporary_bytes=1000, temporary_bytes_per_client=600)


@pytest.fixture
def space(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "cache").mkdir()
    store = SessionStore(SETTINGS)
    yield TemporarySpace(SETTINGS, store, tmp_path / "cache")
    store.close()


def test_what_lies_on_the_disk_counts_for_its_client_and_for_all(space, tmp_path):
    space._store.take("a").new_upload().write_bytes(b"x" * 500)
    space.check("a", 500)  # nobody looked yet
    space.measure()
    with pytest.raises(Refusal, match="pictures from this address") as refused:
        space.check("a", 100)
    assert refused.value.status == 507
    space.check("b", 400)
    (tmp_path / "cache" / "result.png").write_bytes(b"x" * 100)
    space.measure()
    with pytest.raises(Refusal, match="no room for more"):
        space.check("b", 400)
    space.check("b", 399)


def test_files_on_their_way_count_at_once_and_until_the_next_look(space):
    with space.reserved("a", 500):
        with pytest.raises(Refusal):
            space.check("a", 100)
        space.measure()
        with pytest.raises(Refusal):
            space.check("a", 100)
    with pytest.raises(Refusal):
        space.check("a", 100)
    space.measure()
    space.check("a", 599)


def test_what_an_address_brings_to_the_api_counts_as_its_own_until_it_is_deleted(space, tmp_path):
    now = [0.0]
    space._clock = lambda: now[0]
    with space.reserved("a", 400, in_cache=True):
        pass
    (tmp_path / "cache" / "upload").write_bytes(b"x" * 400)
    space.measure()
    with pytest.raises(Refusal, match="pictures from this address"):
        space.check("a", 200)
    space.check("b", 200)
    with pytest.raises(Refusal, match="no room for more"):  # half of all is the pages'
        space.check("b", 100, in_cache=True)
    (tmp_path / "cache" / "upload").unlink()
    space.measure()
    now[0] = SETTINGS.file_seconds + 1
    space.check("a", 599)


def test_files_go_by_age_and_take_their_empty_folders_along(tmp_path):
    old, new, private = tmp_path / "api-1" / "old.png", tmp_path / "api-2" / "new.png", tmp_path.parent / "private.png"
    for file in (old, new, private):
        file.parent.mkdir(exist_ok=True)
        file.write_text("a photo")
    (tmp_path / "link.png").symlink_to(private)
    hour_ago = time.time() - 3600
    for path in (old, old.parent, private):
        os.utime(path, (hour_ago, hour_ago))
    os.utime(tmp_path / "link.png", (hour_ago, hour_ago), follow_symlinks=False)
    sweep_by_age(tmp_path, 1800)
    assert new.exists() and private.exists() and not old.exists() and not (tmp_path / "link.png").is_symlink()
    os.utime(old.parent, (hour_ago, hour_ago))  # it was written to a moment ago, when the file went
    sweep_by_age(tmp_path, 1800)
    assert [path.name for path in tmp_path.iterdir()] == ["api-2"]
    sweep_by_age(tmp_path / "nowhere", 1800)


def test_one_thread_does_all_chores_again_and_again_though_one_fails():
    done, twice = [], threading.Event()

    def fail():
        done.append(threading.current_thread())
        if len(done) == 2:
            twice.set()
        raise OSError("the disk is away")

    before = threading.active_count()
    janitor = Janitor(0.05, fail)
    assert threading.active_count() == before + 1 and twice.wait(30) and len(set(done)) == 1
    janitor.close()
    done[0].join(30)
    assert not done[0].is_alive()


def test_pages_that_leave_start_no_threads(space, tmp_path):
    store, before = space._store, threading.active_count()
    for number in range(20):
        session = store.take(str(number))
        session.new_upload().write_text("a photo")
        store.leave(session.name, session.key, "page")
    assert threading.active_count() == before and len(list(Path(tmp_path).glob("iph-studio-*/"))) == 20

"""Where the cache is and how big it may be, as the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from twomass_nb import TwomassError, cache


def test_the_folder_is_the_one_named_or_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path))
    assert cache.cache_folder() == tmp_path
    monkeypatch.delenv("TWOMASS_NB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache.cache_folder() == tmp_path / "xdg" / "twomass_nb"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache.cache_folder() == Path.home() / "Library" / "Caches" / "twomass_nb"


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [("20 GB", 20 * 10**9), ("1.5g", 15 * 10**8), ("700MiB", 7 * 10**8), ("5k", 5000), ("0", 0)],
)
def test_sizes_are_read_as_people_write_them(monkeypatch, text, n_bytes):
    monkeypatch.setenv("TWOMASS_NB_CACHE_SIZE", text)
    assert cache.cache_limit() == n_bytes


@pytest.mark.parametrize("text", ["much", "-1 GB", "1 2", "GB", "1e9", "nan"])
def test_what_is_no_size_is_refused(monkeypatch, text):
    monkeypatch.setenv("TWOMASS_NB_CACHE_SIZE", text)
    with pytest.raises(TwomassError, match="is no size: write it as '20 GB'"):
        cache.cache_limit()


def test_what_is_in_the_cache_is_known_however_it_is_written(monkeypatch, tmp_path):
    monkeypatch.setenv("TWOMASS_NB_CACHE", "cache")
    monkeypatch.chdir(tmp_path)
    assert cache.in_cache(tmp_path / "cache" / "archive" / "a")
    assert cache.in_cache(Path("cache/a"))
    assert not cache.in_cache(tmp_path / "cache")
    assert not cache.in_cache(tmp_path / "cached")

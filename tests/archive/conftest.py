"""What the tests of fetching share: an own cache, haste instead of patience, and servers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

#: Between two tries a test waits for milliseconds. Time limits stay above what a busy machine
#: needs; a test of them shortens them.
HASTE = {
    "connect": 5.0,
    "silence": 5.0,
    "slow_for": 5.0,
    "back_off": 0.002,
    "interval": 0.0,
}


@pytest.fixture
def own_cache(tmp_path, monkeypatch) -> Path:
    """An empty cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(folder))
    return folder


@pytest.fixture
def network(monkeypatch) -> None:
    """A network that is allowed, without the proxies of whoever runs the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("TWOMASS_NB_OFFLINE", raising=False)


@pytest.fixture
def haste(monkeypatch) -> Callable[..., None]:
    """Times made short; call it to change some more of our manners."""
    from twomass_nb.archive import remote_manners

    def change(**some: Any) -> None:
        monkeypatch.setattr(remote_manners, "MANNERS", replace(remote_manners.MANNERS, **some))

    change(**HASTE)
    return change


@pytest.fixture
def serve(network, haste) -> Iterator[Callable[..., Any]]:
    """Start servers on the loopback that stop with the test; see `servers.Server`."""
    from servers import served

    with ExitStack() as running:
        yield lambda **how: running.enter_context(served(**how))

"""A stand-in scan for every test of the explorers that needs no real one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def scan(tmp_path):
    """A scan in memory with J and Ks files beside it, and no H."""
    from standins import Scan

    return Scan("j", "jk", tmp_path).touch_files()

"""The house: imports point down the flow, and importing the package stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import twomass_nb

PACKAGE = Path(twomass_nb.__file__).parent
#: From the ground up; a room may use the floors below its own. Rooms on a floor are strangers.
FLOORS = (
    {"errors"},
    {"files"},
    {"cache"},
    {"scan"},
    {"array"},
    {"tables", "atlas"},
    {"locate", "raw"},
    {"simulate", "night"},
    {"archive", "calibrate"},
    {"sources"},
    {"astrometry"},
    {"coadd"},
    {"reduce"},
    {"explore"},
    {"plugin"},
    {"cli"},
    {"__main__"},
)
FLOOR_OF = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _rooms_imported(path: Path) -> set[str]:
    """Rooms of this package that a file imports, at the top or anywhere inside."""
    module = ("twomass_nb", *path.relative_to(PACKAGE).with_suffix("").parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(module[: -node.level]) if node.level else []
            stem = ".".join(base + ([node.module] if node.module else []))
            names = [f"{stem}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "twomass_nb" and len(parts) > 1 and parts[1] in FLOOR_OF:
                found.add(parts[1])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down_the_flow(path):
    room = _room(path)
    assert room in FLOOR_OF, f"{room} has no floor: give it one in this test and in docs/house.md"
    for other in _rooms_imported(path) - {room}:
        assert FLOOR_OF[other] < FLOOR_OF[room], f"{path.name} of {room} imports {other}"


def test_the_test_sees_imports():
    assert "scan" in _rooms_imported(PACKAGE / "array" / "geometry.py")


def test_importing_the_package_is_light():
    heavy = ("bokeh", "astroquery", "matplotlib", "astropy", "healpy", "ipywidgets")
    code = (
        "import sys, twomass_nb; twomass_nb.ScanId('2000-05-29', 's', 63);"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_reader_works_without_a_notebook():
    code = (
        "import sys, twomass_nb; twomass_nb.open_scan, twomass_nb.ScanLocator;"
        "print([m for m in ('bokeh', 'ipywidgets', 'anywidget', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    for name in twomass_nb.__all__:
        assert getattr(twomass_nb, name) is not None

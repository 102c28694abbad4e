"""The archive's converter, played by small scripts, well-behaved and not."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from twomass_nb import Layout, convert, open_scan
from twomass_nb.errors import LayoutError
from twomass_nb.raw.layout import AXES
from twomass_nb.raw.wordorder import converter as seam
from twomass_nb.raw.wordorder.converter import convert_with
from twomass_nb.raw.wordorder.remember import remembered

ORDER = Layout("Y b f r X y x", high_first=False)
CONVERTS = """
lengths = dict(f=len(data) // 262144, r=2, Y=2, y=128, X=2, x=128, b=2)
given = np.frombuffer(data, np.uint8).reshape([lengths[a] for a in "YbfrXyx"])
data = given.transpose(["YbfrXyx".index(a) for a in "frYyXxb"]).tobytes()
"""
UNHEARD_OF = CONVERTS + "data = data[:100_000:-1] + data[:100_001]\n"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Install a converter: what it does with the bytes of standard input."""

    def install(does="", before=""):
        path = tmp_path / "rds2rdo"
        path.write_text(
            f"#!{sys.executable}\nimport sys, time, os\nimport numpy as np\n{before}\n"
            f"data = sys.stdin.buffer.read()\n{does}\nsys.stdout.buffer.write(data)\n"
        )
        path.chmod(0o755)
        monkeypatch.setenv("TWOMASS_NB_RDS2RDO", str(path))
        return path

    return install


@pytest.fixture
def dark(write, simulated):
    """A file whose own content does not tell its order, alone in its folder."""
    return write("k1186995.rds.gz", simulated("k", 16, 32, "dark"), ORDER)


def test_it_teaches_the_order_and_what_it_taught_is_remembered(program, dark, simulated):
    program(CONVERTS)
    scan = open_scan(dark)
    assert scan.layout == ORDER
    assert "rds2rdo" in scan.layout_source
    np.testing.assert_array_equal(scan.frames, simulated("k", 16, 32, "dark"))
    (learnt,) = remembered()
    assert learnt.layout == ORDER
    assert "rds2rdo (the converter" in learnt.evidence.teacher
    assert learnt.evidence.files[0].name == dark.name


def test_it_is_not_run_where_the_order_is_known_otherwise(program, write, science):
    program("sys.exit('I must not be run')")
    assert open_scan(write("k1186063.rds.gz", science, ORDER)).layout == ORDER


def test_what_no_order_explains_is_taken_as_it_converts(program, dark):
    from twomass_nb.raw.inflate import read_content
    from twomass_nb.raw.wordorder.choose import choose

    program(UNHEARD_OF)
    content = read_content(dark)
    choice = choose(dark, content, None)
    assert choice.layout.axes == AXES
    assert choice.content is not None
    assert choice.content.n_frames == 16
    assert choice.source.startswith("converted by rds2rdo")
    assert remembered() == []
    made = convert(dark, dark.with_name("k1186995.rdo")).read_bytes()
    np.testing.assert_array_equal(np.frombuffer(made, np.uint8), choice.content.data)


@pytest.mark.parametrize(
    ("does", "before", "message"),
    [
        ("sys.exit('no such order')", "", "status 1, saying 'no such order'"),
        ("os.kill(os.getpid(), 9)", "", "status -9"),
        ("data = data[:-1]", "", "returned 4194303 bytes for 4194304"),
        ("data = b''", "", "returned 0 bytes"),
        ("data += b'x'", "", "more than the 4194304 bytes"),
        ("", "while True: os.write(1, bytes(65536))", "more than the 4194304 bytes"),
        ("", "sys.exit(3)", "status 3"),
    ],
)
def test_a_converter_that_misbehaves(program, dark, does, before, message):
    program(does, before)
    with pytest.raises(LayoutError, match=message) as info:
        open_scan(dark)
    assert "TWOMASS_NB_RDS2RDO" in str(info.value)
    assert "\n" not in str(info.value)
    assert remembered() == []


@pytest.mark.parametrize("where", ["before", "after", "child"])
def test_a_converter_that_hangs_is_ended(program, dark, monkeypatch, where):
    monkeypatch.setattr(seam, "_TIMEOUT", 0.7)
    hang = "time.sleep(600)"
    if where == "child":
        program("import subprocess; subprocess.Popen(['sleep', '600']); sys.exit()")
    elif where == "before":
        program(before=hang)
    else:
        program("sys.stdout.buffer.write(data); sys.stdout.close(); " + hang)
    start = time.monotonic()
    with pytest.raises(LayoutError, match="did not finish"):
        open_scan(dark)
    assert time.monotonic() - start < 60


def test_one_that_is_not_there(monkeypatch, dark, tmp_path):
    monkeypatch.setenv("TWOMASS_NB_RDS2RDO", str(tmp_path / "nowhere"))
    with pytest.raises(LayoutError, match="there is no such file"):
        open_scan(dark)


def test_one_that_may_not_be_executed(program, dark):
    program().chmod(0o644)
    with pytest.raises(LayoutError, match=r"may not be executed|cannot be run"):
        open_scan(dark)


def test_one_that_is_no_program(program, dark):
    program().write_bytes(b"\0\0\0\0")
    with pytest.raises(LayoutError, match="cannot be run"):
        open_scan(dark)


def test_it_sees_no_shell(tmp_path, monkeypatch, dark):
    path = tmp_path / "rds2rdo; touch broken"
    monkeypatch.setenv("TWOMASS_NB_RDS2RDO", str(path))
    with pytest.raises(LayoutError, match="no such file"):
        open_scan(dark)


def test_one_for_other_files_is_refused(program, dark):
    program(CONVERTS.replace("YbfrXyx", "rfYyxXb"))
    with pytest.raises(LayoutError, match=r"makes of k1186995.rds.gz is no camera's"):
        open_scan(dark)


def test_bytes_of_any_kind_pass(program):
    path = program("data = data[::-1]")
    data = np.random.default_rng(0).integers(0, 256, 3_000_000, np.uint8)
    np.testing.assert_array_equal(convert_with(path, data, "x"), data[::-1])

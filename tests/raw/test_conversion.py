from __future__ import annotations

import gzip
import importlib

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import twomass_nb as tm
from twomass_nb.errors import LayoutError, RawFileError, TwomassError
from twomass_nb.raw.layout import AXES

LAYOUT = tm.Layout("f b r Y X y x")
module = importlib.import_module("twomass_nb.raw.conversion")
layouts = st.builds(
    tm.Layout,
    st.permutations(AXES).map("".join),
    st.booleans(),
    st.sampled_from([None, 1, 2, 16]),
    st.sampled_from(["", "r", "-r", "f", "x", "Yy", "r -Xx"]),
)


def content(path):
    data = path.read_bytes()
    return gzip.decompress(data) if path.name.endswith(".gz") else data


@given(layouts, st.integers(1, 3), st.integers(0, 99))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_there_and_back_is_byte_exact(tmp_path, layout, n, seed):
    frames = np.random.default_rng(seed).integers(0, 65536, (n, 2, 256, 256), np.uint16)
    rds, rdo, back = (tmp_path / name for name in ("a.rds", "a.rdo", "b.rds"))
    rds.write_bytes(layout.encode(frames))
    tm.convert(rds, rdo, layout, overwrite=True)
    assert rdo.read_bytes() == tm.Layout(AXES, layout.high_first).encode(frames)
    tm.convert(rdo, back, layout, overwrite=True)
    assert back.read_bytes() == rds.read_bytes()


@pytest.mark.parametrize("src", ["j1186063.rds", "j1186063.rds.gz"])
@pytest.mark.parametrize("dst", ["new.rdo", "new.rdo.gz", "new.rds", "new.rds.gz"])
def test_packed_and_not(write, science, src, dst):
    src = write(src, science[:2], LAYOUT)
    made = tm.convert(src, src.with_name(dst), LAYOUT)
    wanted = tm.Layout.RDO if ".rdo" in dst else LAYOUT
    assert content(made) == wanted.encode(science[:2])


def test_the_order_is_found_as_the_reader_finds_it(write, science):
    src = write("k1186063.rds.gz", science, LAYOUT)
    assert content(tm.convert(src, src.with_name("k1186063.rdo"))) == tm.Layout.RDO.encode(science)


def test_to_write_rds_an_order_is_needed(write, science):
    src = write("k1186063.rdo", science[:1])
    with pytest.raises(LayoutError, match="order must be given"):
        tm.convert(src, src.with_name("k1186063.rds"))


def test_what_is_there_stays_unless_told(write, science):
    src = write("k1186063.rds", science[:1], LAYOUT)
    dst = src.with_name("k1186063.rdo")
    dst.write_text("mine")
    with pytest.raises(TwomassError, match="exists already"):
        tm.convert(src, dst, LAYOUT)
    assert dst.read_text() == "mine"
    tm.convert(src, dst, LAYOUT, overwrite=True)
    assert dst.stat().st_size == src.stat().st_size


def test_onto_itself(write, science):
    src = write("k1186063.rds", science[:1], LAYOUT)
    with pytest.raises(TwomassError):
        tm.convert(src, src, LAYOUT)
    with pytest.raises(RawFileError, match="onto itself"):
        tm.convert(src, src, LAYOUT, overwrite=True)
    assert src.read_bytes() == LAYOUT.encode(science[:1])


@pytest.mark.parametrize("name", ["k1186063.fits", "k1186063", "k1186063.gz"])
def test_names_that_say_nothing(write, science, name):
    src = write("k1186063.rds", science[:1], LAYOUT)
    with pytest.raises(RawFileError, match="by its name"):
        tm.convert(src, src.with_name(name), LAYOUT)


def test_a_cut_file_is_not_copied_as_if_whole(write, science):
    src = write("k1186063.rds.gz", science[:3], LAYOUT)
    src.write_bytes(src.read_bytes()[:-1000])
    with pytest.raises(RawFileError, match="cut off"):
        tm.convert(src, src.with_name("k1186063.rdo"), LAYOUT)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("old", [True, False])
def test_nothing_is_left_behind(write, science, monkeypatch, error, old):
    src = write("k1186063.rds", science[:1], LAYOUT)
    dst = src.with_name("k1186063.rdo.gz")
    if old:
        dst.write_text("old")
    before = {path.name: path.read_bytes() for path in src.parent.iterdir()}

    def fails(*_, **__):
        yield b"some of it"
        raise error

    monkeypatch.setattr(module, "packed", fails)
    with pytest.raises((TwomassError, type(error))):
        tm.convert(src, dst, LAYOUT, overwrite=True)
    assert {path.name: path.read_bytes() for path in src.parent.iterdir()} == before


def test_a_simulation_stays_one(write, science):
    src = write("k1186063.rds", science[:1], LAYOUT)
    src.with_name("k1186063.par").write_text("SIMULATE = T\n")
    made = tm.convert(src, src.with_name("k1186064.rdo"), LAYOUT)
    assert tm.open_scan(made).simulated


# Simulated stays simulated ----------------------------------------------------------------


@pytest.fixture
def night_of_none(tmp_path):
    """A small simulated scan in a night's folder."""
    layout = tm.Layout("f b r Y X y x")
    return tm.simulate.scan(
        tmp_path / "made", "000529s063", "k", n_frames=9, darks=0, twilights=0, layout=layout
    )


def test_a_simulated_file_alone_still_says_so(night_of_none, tmp_path):
    alone = tmp_path / "000529s" / "k1186063.rds.gz"
    alone.parent.mkdir()
    alone.write_bytes((night_of_none / alone.name).read_bytes())
    scan = tm.open_scan(alone, layout="f b r Y X y x")
    assert scan.simulated
    assert "SIMULATED" in repr(scan)
    assert fits.getheader(scan.to_fits(0, "r1", tmp_path))["SIMULATE"] is True


def test_a_copy_of_a_simulated_file_says_so(night_of_none, tmp_path):
    src = night_of_none / "k1186063.rds.gz"
    for name in ("k1186063.rdo.gz", "k1186063.rdo"):
        copy = tm.convert(src, tmp_path / "000529s" / name, layout="f b r Y X y x")
        assert tm.open_scan(copy).simulated


def test_a_copy_of_a_simulated_file_without_its_parameters_says_so_too(night_of_none, tmp_path):
    alone = tmp_path / "000529s" / "k1186063.rds.gz"
    alone.parent.mkdir()
    alone.write_bytes((night_of_none / alone.name).read_bytes())
    for beside in (None, "TELNAME = 'CTIO'\n"):  # one that does not say so is no mark
        if beside:
            alone.with_name("k1186063.par").write_text(beside)
        folder = tmp_path / ("none" if beside is None else "other")
        copy = tm.convert(alone, folder / "k1186063.rdo", layout="f b r Y X y x")
        assert tm.open_scan(copy).simulated


def test_real_and_simulated_do_not_share_a_parameter_file(night_of_none, tmp_path, write, science):
    real = write("k1186063.rds.gz", science[:2], LAYOUT)
    beside = real.with_name("k1186064.par")
    beside.write_text("FN_PRFX = k1186064\n")
    with pytest.raises(RawFileError, match="of a real scan"):
        tm.convert(night_of_none / "k1186063.rds.gz", beside.with_suffix(".rds"))
    with pytest.raises(RawFileError, match="of a simulated scan"):
        tm.convert(real, night_of_none / "k1186063.rds")
    assert not beside.with_suffix(".rds").exists()


def test_an_interrupted_copy_leaves_no_parameter_file_either(night_of_none, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tm.convert(night_of_none / "k1186063.rds.gz", tmp_path / "x" / "k1186063.rds")
    assert list((tmp_path / "x").iterdir()) == []

"""A simulated night has the archive's files, and real sky observed again lies where it must."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from astropy.stats import sigma_clipped_stats
from isal import igzip
from photutils.centroids import centroid_quadratic
from photutils.detection import DAOStarFinder

from twomass_nb.array.geometry import ArrayGeometry
from twomass_nb.array.track import ScanTrack
from twomass_nb.atlas import AtlasImage, find_coadds, track_of
from twomass_nb.errors import AtlasError, NotFoundError, RawFileError, ScanNameError
from twomass_nb.raw import Layout
from twomass_nb.scan import ScanId
from twomass_nb.simulate import reobserve, scan
from twomass_nb.simulate.camera import Camera
from twomass_nb.simulate.files import LAYOUT
from twomass_nb.tables.par import read_par

SCAN = ScanId("2000-05-29", "s", 63)


def frames_of(path, layout=LAYOUT):
    content = igzip.decompress(path.read_bytes())
    return layout.decode(content, len(content) // 262_144)


def difference(frames, i):
    return frames[i, 1].astype(float) - frames[i, 0]


def digests(folder):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def track_and_geometry(par):
    track = ScanTrack(par["TRK_RA"], par["TRK_DEC"], par["TRK_PA"], par["TRK_STEP"], par["NUMFRMS"])
    return track, ArrayGeometry(par["TRK_SCAL"], par["TRK_ROT"])


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    return scan(tmp_path_factory.mktemp("night"), SCAN, n_frames=30, twilights=1)


def test_a_night_has_the_files_of_the_archive(night):
    assert night.name == "000529s"
    stems = {f"{b}1186{n}" for b in "jhk" for n in ("063", "990", "995")}
    names = {p.name for p in night.iterdir()}
    assert names == (
        {f"{stem}.{end}" for stem in stems for end in ("rds.gz", "par")}
        | {f"{b}1186995.rdo.gz" for b in "jhk"}
        | {"000529s.lgo", "s063"}
    )
    assert not list(night.rglob("*.part"))


def test_frames_are_what_the_par_file_says(night):
    for band, number, n, kind in (
        ("j", 63, 30, "sci"),
        ("h", 990, 53, "flt"),
        ("k", 995, 48, "dar"),
    ):
        stem = ScanId("2000-05-29", "s", number).stem(band)
        frames = frames_of(night / f"{stem}.rds.gz")
        par = read_par(night / f"{stem}.par")
        assert frames.shape == (n, 2, 256, 256)
        assert par.simulated
        assert par.unknown == []
        assert (par["NUMFRMS"], par["TYPE"], par["SCANNO"]) == (n, kind, number)
        assert (par["FN_PRFX"], par["DAYNUM"], par["ORDATE"]) == (stem, "1186", "000529")
        assert (par["TIMER0"], par["TIMER1"], par["FILTER"]) == (52, 1298, band)
        assert "simulated" in par.raw.splitlines()[0].lower()
        assert not any(word in par.raw for word in ("Layout", "f b r", "high byte"))


def test_log_has_the_lines_of_the_night(night):
    lines = (night / "000529s.lgo").read_text().splitlines()
    assert "\\CHAR Simulate = T" in lines
    header = next(line for line in lines if line.startswith("|Scn|"))
    rows = [line for line in lines if line.startswith(" ")]
    assert [row.split()[0] for row in rows] == ["063", "990", "995"]
    for row in rows:
        assert len(row) <= len(header)
        assert row.endswith("SIMULATED")
        assert row.split()[-4] == {"063": "030", "990": "053", "995": "048"}[row.split()[0]]


def test_dark_pair_holds_the_same_frames(night):
    rds, rdo = (night / f"h1186995.{end}.gz" for end in ("rds", "rdo"))
    assert np.array_equal(frames_of(rds), frames_of(rdo, Layout.RDO))


def test_twilight_grows_darker_and_a_dark_has_no_sky(night):
    levels = [np.median(difference(frames_of(night / "k1186990.rds.gz"), i)) for i in (0, 26, 52)]
    assert levels[0] > levels[1] > levels[2] > 3000
    assert abs(np.median(difference(frames_of(night / "k1186995.rds.gz"), 5))) < 10


def test_coadds_agree_with_the_frames(night):
    par = read_par(night / "h1186063.par")
    track, geometry = track_and_geometry(par)
    frames = frames_of(night / "h1186063.rds.gz")
    paths = find_coadds(night, SCAN, "h")
    assert len(paths) == 3
    off = []
    for path in paths:
        image = AtlasImage.open(path)
        assert image.simulated
        assert (image.scan_id, image.band) == (SCAN, "h")
        assert f"i063{image.coadd:04d}" in path.name
        assert image.rotation.value == pytest.approx(par["TRK_ROT"], abs=1e-4)
        assert image.track.dec == pytest.approx(track.dec, abs=0.05 / 3600)
        assert image.track.ra == pytest.approx(track.ra, abs=0.05 / 3600)
        assert abs(image.track.step - track.step) * (image.coadd - 1) < 0.51 * abs(track.step)
        meteor = round(0.45 * 29)
        off += residuals(image, track, geometry, frames, Camera.of(SCAN, "h"), skip={meteor})
    assert len(off) > 20
    assert np.median(off) < 0.2
    assert np.max(off) < 1.0


def residuals(image, track, geometry, frames, camera, skip=(), most=25):
    """Distances (pixels) of bright, lonely stars from where the coadd and the track put them.

    Each star is looked for in the first, the best and the last frame predicted to see it.
    """
    data = np.nan_to_num(image.data, nan=float(np.nanmedian(image.data)))
    _, level, noise = sigma_clipped_stats(data, sigma=2.5)
    found = DAOStarFinder(threshold=15 * noise, fwhm=2.9)(data - level)
    names = [n for n in found.colnames if n.endswith("centroid")]
    x, y = (np.asarray(found[n]) for n in sorted(names))
    lonely = [np.sum(np.hypot(x - a, y - b) < 18) == 1 for a, b in zip(x, y, strict=True)]
    good = np.array(lonely) & (found["peak"] < 4000) & (found["peak"] > 60 * noise)
    good &= (x > 15) & (x < 497) & (y > 15) & (y < 1009)
    order = np.argsort(-np.asarray(found["flux"])[good])[:most]
    bad = (camera.dark_rate > 20) | (camera.responsivity == 0)
    off = []
    for a, b in zip(x[good][order], y[good][order], strict=True):
        sky = image.wcs.pixel_to_world(a, b)
        first, last, best, _, _ = track.frames_seeing(sky.ra.deg, sky.dec.deg, geometry)
        for i in {int(first), int(best), int(last)} - {-1, *skip}:
            px, py = (float(v) for v in track.pixel(i, sky, geometry))
            if not (7 < px < 248 and 7 < py < 248):
                continue
            x0, y0 = round(px) - 3, round(py) - 3
            at = (slice(y0, y0 + 7), slice(x0, x0 + 7))
            cut = difference(frames, i)[at]
            cut = cut - np.median(np.r_[cut[0], cut[-1], cut[:, 0], cut[:, -1]])
            if cut.max() < 400 or abs(py - 127.5) < 12 or bad[at].any():
                continue  # too faint for one frame, in the reset decay, or on a bad pixel
            cx, cy = centroid_quadratic(cut[1:-1, 1:-1], fit_boxsize=3)
            off.append(np.hypot(cx + 1 + x0 - px, cy + 1 + y0 - py))
    return off


@pytest.fixture(scope="module")
def m17_paths(real_data):
    return sorted((real_data / "atlas").glob("*990502s135*"))


def test_real_stars_are_at_the_predicted_pixels_of_the_predicted_frames(m17_paths, tmp_path):
    images = [AtlasImage.open(path) for path in m17_paths]
    path = reobserve(images, tmp_path, n_frames=104, twilights=0, darks=0)
    assert path == tmp_path / "990502s" / "k0793135.rds.gz"
    par = read_par(path.with_name("k0793135.par"))
    assert all(p.name in par.raw for p in m17_paths)
    track, geometry = track_and_geometry(par)
    predicted = track_of(images)
    assert track.step == pytest.approx(predicted.step, abs=1e-9)
    assert track.dec == pytest.approx(predicted.dec, abs=1e-9)
    frames = frames_of(path)
    camera = Camera.of(images[0].scan_id, "k")
    off = [r for im in images for r in residuals(im, track, geometry, frames, camera)]
    assert len(off) > 40
    assert np.median(off) < 0.15
    assert np.max(off) < 1.0
    # off the images there is sky and noise
    level = np.median(difference(frames, 20))
    assert level == pytest.approx(641 * 1.9839**2, rel=0.08)


def test_a_whole_scan_of_real_sky_with_its_darks_and_twilights(real_data, tmp_path):
    paths = sorted((real_data / "atlas").glob("*990502s142*"))
    path = reobserve(paths, tmp_path, darks=1, twilights=1)
    assert len(frames_of(path)) == 274
    par = read_par(path.with_name("k0793142.par"))
    assert par["SCANDIR"] == "s"
    assert par["TRK_STEP"] < 0
    assert par["TRK_ROT"] == pytest.approx(-0.1374, abs=1e-3)
    kinds = {read_par(p)["TYPE"] for p in path.parent.glob("*.par")}
    assert kinds == {"sci", "dar", "flt"}
    images = [AtlasImage.open(one) for one in paths]
    camera = Camera.of(images[0].scan_id, "k")
    seen = (*track_and_geometry(par), frames_of(path), camera)
    off = [r for image in images for r in residuals(image, *seen)]
    assert len(off) > 40
    assert np.median(off) < 0.15
    assert np.max(off) < 1.0


def test_reobserve_refuses_a_mix(real_data, tmp_path):
    atlas = real_data / "atlas"
    with pytest.raises(AtlasError, match="several scans"):
        reobserve([*atlas.glob("*s1350080*"), *atlas.glob("*s1420186*")], tmp_path)
    with pytest.raises(AtlasError, match="bands h, j, k"):
        reobserve(list(atlas.glob("*001022s*")), tmp_path)
    with pytest.raises(AtlasError, match="at least one"):
        reobserve([], tmp_path)
    with pytest.raises(NotFoundError, match="274 frames"):
        reobserve(list(atlas.glob("*s1350080*")), tmp_path, n_frames=275)
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    made = [
        scan(tmp_path / name, SCAN, bands, seed, n_frames=6, twilights=1)
        for name, bands, seed in (("a", "jk", 4), ("b", "jk", 4), ("c", "jk", 5), ("d", "k", 4))
    ]
    a, b, c, d = (digests(folder) for folder in made)
    assert a == b
    assert a.keys() == c.keys()
    assert not any(a[name] == c[name] for name in a if ".rds" in name or ".fits" in name)
    assert all(a[name] == d[name] for name in d)  # a band alone is the same as with others


def test_the_word_order_is_the_callers_to_choose(tmp_path):
    layout = Layout("X r y f b x Y", high_first=False)
    folders = [
        scan(tmp_path / name, SCAN, "h", n_frames=3, twilights=0, darks=0, layout=order)
        for name, order in (("a", None), ("b", layout))
    ]
    one = frames_of(folders[0] / "h1186063.rds.gz")
    other = frames_of(folders[1] / "h1186063.rds.gz", layout)
    assert np.array_equal(one, other)


def test_a_night_grows_by_scans_but_never_over_a_real_one(tmp_path):
    for number in (3, 4):
        folder = scan(tmp_path, f"000529s{number:03d}", "j", n_frames=2, twilights=0, coadds=False)
    log = (folder / "000529s.lgo").read_text()
    assert [line[1:4] for line in log.splitlines() if line.startswith(" ")] == ["003", "004", "995"]
    (folder / "000529s.lgo").write_text(log.replace("Simulate", "Observer"))
    with pytest.raises(RawFileError, match="not simulated"):
        scan(tmp_path, "000529s005", "j", n_frames=2)
    (folder / "000529s.lgo").unlink()
    scan(tmp_path, "000529s005", "j", n_frames=2, twilights=0, coadds=False)
    (folder / "000529s.lgo").unlink()
    (folder / "k1186001.rds.gz").write_bytes(b"real")
    with pytest.raises(RawFileError, match="not simulated"):
        scan(tmp_path, "000529s006", "j", n_frames=2)


def test_an_interrupt_leaves_no_partial_file(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Layout, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scan(tmp_path, SCAN, "j", n_frames=2, twilights=0, coadds=False)
    names = [p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert all(name.endswith(".par") for name in names)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"bands": "jx"}, ScanNameError, "not a 2MASS band"),
        ({"bands": ""}, ScanNameError, "no band"),
        ({"n_frames": 0}, NotFoundError, "cannot be simulated"),
        ({"direction": "e"}, NotFoundError, "direction"),
        ({"darks": 9}, NotFoundError, "darks"),
        ({"scan_id": "nonsense"}, ScanNameError, "nonsense"),
    ],
)
def test_bad_words_are_one_clear_line(tmp_path, arguments, error, words):
    with pytest.raises(error, match=words) as caught:
        scan(tmp_path, **{"scan_id": SCAN, **arguments})
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []

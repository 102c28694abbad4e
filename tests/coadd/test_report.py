"""The report needs nothing but itself, says what was found, and is whole or not there."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

import twomass_nb as tm
from twomass_nb.coadd import report
from twomass_nb.coadd.comparison import compare_images
from twomass_nb.errors import ExistsError, NotFoundError


@pytest.fixture(scope="module")
def comparison(real_data):
    """The lower part of a real image, and the same blurred, a little noisier and too bright."""
    real = tm.AtlasImage.open(real_data / "atlas/aK_asky_990502s1350080.fits.gz")
    data = real.data[:300]
    level = np.nanmedian(data)
    ours = gaussian_filter(np.where(np.isfinite(data), data, level), 1.0)
    ours += np.random.default_rng(0).normal(0, 1.0, data.shape)
    ours = level + 1.03 * (ours - level)
    ours[~np.isfinite(data)] = np.nan
    header = real.header.copy()
    header["SIMULATE"], header["DARK1"], header["TWI1"] = True, "990502s995", "990502s990"
    header["HISTORY"] = "coadded by <nobody> & co"
    return compare_images(
        tm.AtlasImage(ours.astype(np.float32), header),
        tm.AtlasImage(data, real.header, real.path),
    )


@pytest.fixture(scope="module")
def page(comparison, tmp_path_factory):
    path = report.write(comparison, tmp_path_factory.mktemp("report") / "m17.html")
    return path.read_text()


class Reader(HTMLParser):
    """Collects tags, and holds that they are closed in the order they were opened."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_it_is_whole_and_needs_no_network(page):
    reader = Reader(page)
    assert not re.findall(r"https?://|url\(|@import", page)
    assert {tag for tag, _ in reader.tags}.isdisjoint({"script", "link", "iframe"})
    assert ("html", {"lang": "en"}) in reader.tags
    pictures = [attrs for tag, attrs in reader.tags if tag == "img"]
    assert len(pictures) == 2
    for picture in pictures:
        assert len(picture["alt"]) > 60
        head, content = picture["src"].split(",")
        assert head == "data:image/png;base64"
        image = Image.open(io.BytesIO(base64.b64decode(content)))
        assert image.width > 700
        assert np.asarray(image.convert("L")).std() > 20
    assert len(page) < 2_000_000


def test_it_says_what_the_comparison_says(page, comparison):
    words = " ".join(Reader(page).words)
    for check in comparison.checks:
        assert check.what in words
    for row in comparison.by_magnitude:
        assert f"{row['from']} to {row['to']}" in words
    assert comparison.verdict[1:] in words
    assert not comparison.ok()
    assert "photometry, offset of all" in comparison.verdict
    assert "SIMULATED" in words
    for made in ("990502s995", "990502s990", "<nobody> & co", comparison.real.path.name):
        assert made in words
    assert tm.__version__ in words
    assert "nan" not in words.lower().split()


def test_several_are_listed_on_top(comparison, tmp_path):
    page = report.write([comparison, comparison], tmp_path / "two.html").read_text()
    reader = Reader(page)
    links = [attrs["href"][1:] for tag, attrs in reader.tags if tag == "a"]
    sections = [attrs["id"] for tag, attrs in reader.tags if tag == "section"]
    assert links == sections == ["c0", "c1"]


def test_no_file_is_lost(comparison, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(ExistsError, match="exists already"):
        report.write(comparison, path)
    assert path.read_text() == "mine"
    report.write(comparison, path, overwrite=True)
    assert path.read_text().startswith("<!DOCTYPE html>")
    with pytest.raises(NotFoundError, match="no comparison"):
        report.write([], path, overwrite=True)
    assert [*tmp_path.iterdir()] == [path]


def test_a_chance_passes_from_its_limit_up(comparison, page):
    bounds = {check.what: check.bound for check in comparison.checks}
    assert bounds["photometry, rms about the offset"] == "≤ 0.02"
    assert bounds["trends, chance of the least likely"] == "≥ 0.01"
    assert {"≤ 0.02", "≥ 0.01"} <= set(Reader(page).words)

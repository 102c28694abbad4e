"""What the server answers for raw files: to whom, for which files, and the reader's own numbers."""

from __future__ import annotations

import json
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.plugin.scans import OpenScans

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
import jupyter_driver as driver


@pytest.fixture(scope="module")
def server(tmp_path_factory, short_sample):
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(short_sample / "000529s", root / "night")
    whole = (root / "night" / "h1186063.rds.gz").read_bytes()
    (root / "cut").mkdir()
    (root / "cut" / "h1186063.rds.gz").write_bytes(whole[: len(whole) // 2])
    (root / "cut" / "j1186063.rds.gz").write_bytes(b"\x1f\x8b not gzip at all")
    (root / "cut" / "notes.txt").write_text("no raw file")
    (root.parent / "outside.rds").write_bytes(bytes(262144))
    (root / ".hidden.rds").write_bytes(bytes(262144))
    with driver.serve(root) as running:
        yield running


def ask(server, route, token=driver.TOKEN, **words):
    """Status, headers and content of the server's answer."""
    url = f"http://127.0.0.1:{server.port}/twomass-nb/{route}?{urllib.parse.urlencode(words)}"
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_a_scan_is_described(server, short_sample):
    status, _, content = ask(server, "scan", path="night/j1186063.rds.gz")
    scan = tm.open_scan(short_sample / "000529s" / "j1186063.rds.gz")
    said = json.loads(content)
    assert status == 200
    assert (said["scan"], said["band"], said["frames"]) == ("000529s063", "j", scan.n_frames)
    assert said["simulated"]
    assert not said["truncated"]
    assert str(scan.layout) in said["layout"]


@pytest.mark.parametrize("read", ["r1", "r2", "r2-r1"])
def test_a_frame_has_the_readers_numbers(server, short_sample, read):
    scan = tm.open_scan(short_sample / "000529s" / "k1186063.rdo.gz")
    _, headers, content = ask(server, "frame", path="night/k1186063.rds.gz", frame=7, read=read)
    kind = np.dtype(headers["X-Array-Type"]).newbyteorder("<")
    shape = tuple(map(int, headers["X-Array-Shape"].split(",")))
    expected = {"r1": scan.r1, "r2": scan.r2, "r2-r1": scan.difference}[read](7)
    assert headers["Cache-Control"] == "no-store"
    np.testing.assert_array_equal(np.frombuffer(content, kind).reshape(shape), expected)


def test_nobody_reads_without_the_token(server):
    for route in ("scan", "frame", "notebook"):
        status, _, content = ask(server, route, token="guess", path="night/j1186063.rds.gz")
        assert status == 403
        assert b"frames" not in content


@pytest.mark.parametrize(
    "path",
    ["../outside.rds", "/../outside.rds", "night/../../outside.rds", ".hidden.rds", "gone.rds"],
)
def test_only_files_below_the_root_and_not_hidden(server, path):
    assert ask(server, "scan", path=path)[0] == 404
    assert ask(server, "frame", path=path)[0] == 404


def test_what_cannot_be_shown_is_said_in_a_sentence(server):
    for path, status, words in (
        ("cut/j1186063.rds.gz", 415, "j1186063.rds.gz"),
        ("cut/notes.txt", 415, "no raw"),
        ("night", 404, ""),
    ):
        code, _, content = ask(server, "scan", path=path)
        assert (code, words in json.loads(content)["message"]) == (status, True)
    for words in ({"frame": 40}, {"frame": 0, "read": "r3"}):
        code, _, content = ask(server, "frame", path="night/j1186063.rds.gz", **words)
        assert code == 404
        assert "there is no" in json.loads(content)["message"]
    assert ask(server, "frame", path="night/j1186063.rds.gz", frame="-1")[0] == 400
    assert ask(server, "notebook", kind="cake")[0] == 404


def test_a_cut_file_says_so_and_shows_its_whole_frames(server):
    said = json.loads(ask(server, "scan", path="cut/h1186063.rds.gz")[2])
    assert said["truncated"]
    assert 0 < said["frames"] < 40
    assert any(f"last whole frame is {said['frames'] - 1}" in text for text in said["warnings"])
    last = {"path": "cut/h1186063.rds.gz", "frame": said["frames"] - 1, "read": "r2"}
    whole = {**last, "path": "night/h1186063.rds.gz"}
    assert ask(server, "frame", **last)[2] == ask(server, "frame", **whole)[2]


def test_notebooks_are_jupyters_own_format(server):
    import nbformat

    for words in ({"kind": "scan", "path": "j1186063.rds.gz", "frame": 3}, {"kind": "locator"}):
        notebook = nbformat.reads(ask(server, "notebook", **words)[2].decode(), as_version=4)
        nbformat.validate(notebook)
    # a path is a text in the code, whatever it holds
    odd = "it's {frame} \"\\\n.rds"
    notebook = json.loads(ask(server, "notebook", kind="scan", path=odd)[2])
    assert f"tm.open_scan({odd!r})" in notebook["cells"][1]["source"]


def test_scans_are_opened_once_and_anew_when_the_file_is_another(tmp_path, short_sample):
    path = tmp_path / "j1186063.rdo"
    frames = tm.open_scan(short_sample / "000529s" / "j1186063.rdo.gz").frames
    path.write_bytes(tm.Layout.RDO.encode(frames[:3]))
    scans = OpenScans(limit=2)
    assert scans.get(path)[0] is scans.get(path)[0]
    np.testing.assert_array_equal(scans.pixels(path, 1, "r2"), frames[1, 1])
    new = tmp_path / "new"
    new.write_bytes(tm.Layout.RDO.encode(frames[5:9]))
    new.replace(path)
    np.testing.assert_array_equal(scans.pixels(path, 1, "r2"), frames[6, 1])
    assert scans.describe(path)["frames"] == 4

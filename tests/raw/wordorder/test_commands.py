"""The command ``layout``: learn, detect, list, forget."""

from __future__ import annotations

import json

import pytest

from twomass_nb import Layout
from twomass_nb.cli import main

LAYOUT = Layout("b r f Y X y x", high_first=False)


def answer(capsys, *words):
    assert main(["layout", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_learn_list_forget(capsys, pair, science):
    rds, rdo = pair(science[:4], LAYOUT)
    assert main(["layout", "learn", str(rds), str(rdo)]) == 0
    out, err = capsys.readouterr()
    assert out == f"{LAYOUT}\n"
    assert err.startswith("all 1048576 bytes of 4 frames agree; remembered as ")
    name = err.split()[-1]
    listed = answer(capsys, "list")
    assert listed.startswith(f"{name}  {LAYOUT}\n")
    assert "j1186063.rdo  1048576 bytes  SHA-256 " in listed
    assert answer(capsys, "forget", name) == f"forgot {name}  {LAYOUT}\n"
    assert answer(capsys, "list").startswith("none:")
    assert main(["layout", "forget", name]) == 1
    assert answer(capsys, "forget", "--all") == ""


def test_learn_json(capsys, pair, science):
    said = json.loads(answer(capsys, "learn", *pair(science[:4], LAYOUT), "--json"))
    assert said["layout"] == str(LAYOUT)
    assert said["evidence"]["n_frames"] == 4
    assert [one["name"] for one in json.loads(answer(capsys, "list", "--json"))] == [said["name"]]


def test_learn_that_finds_nothing_says_what_it_tried(capsys, pair, science):
    rds, rdo = pair(science[:4], LAYOUT)
    rdo.write_bytes(rdo.read_bytes()[::-1])
    assert main(["layout", "learn", str(rds), str(rdo), "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["layout"] is None
    assert len(json.loads(out)["tried"]) == 5
    assert err.count("\n") == 1


def test_detect_json(capsys, write, science):
    path = write("k1186063.rds.gz", science, LAYOUT)
    said = json.loads(answer(capsys, "detect", path, "--json"))
    assert said["layout"] == str(LAYOUT)
    assert 0 < said["confidence"] <= 1


def test_forget_needs_to_know_what(capsys):
    with pytest.raises(SystemExit) as info:
        main(["layout", "forget"])
    assert info.value.code == 2

"""Word orders learnt before: kept with their evidence, whole or not at all, never blurred."""

from __future__ import annotations

import json
import multiprocessing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twomass_nb import Layout, learn_layout
from twomass_nb.errors import LayoutError, NotFoundError, TwomassWarning
from twomass_nb.raw.layout import AXES
from twomass_nb.raw.wordorder.remember import (
    Evidence,
    FileSeen,
    Learnt,
    forget,
    remember,
    remembered,
)

texts = st.text(max_size=20)
layouts = st.builds(
    Layout,
    st.permutations(AXES).map("".join),
    st.booleans(),
    st.one_of(st.none(), st.integers(2, 9)),
    st.sampled_from(["", "r", "-Xx", "f y"]),
)
files = st.builds(FileSeen, texts, st.integers(0, 10**9), texts)
evidences = st.builds(
    Evidence,
    files=st.tuples(files, files),
    n_frames=st.integers(1, 999),
    bytes_compared=st.integers(1, 10**9),
    tried=st.lists(texts, max_size=3).map(tuple),
    simulated=st.booleans(),
    teacher=texts,
    swapped=st.booleans(),
    date=texts,
    software=texts,
)


def some(k=0, layout=Layout.RDO):
    seen = FileSeen(f"j1186{k:03d}.rds.gz", 72, "0f"), FileSeen(f"j1186{k:03d}.rdo", 71, "a1")
    evidence = Evidence(seen, 1, 2, ("all",), False, "", False, f"2026-01-{k + 1:02d}", "0")
    files = (FileSeen(seen[0].name, 72, f"{k:02d}"), seen[1])
    return Learnt(layout, Evidence(files, *list(vars(evidence).values())[1:]))


@given(st.builds(Learnt, layouts, evidences))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_there_and_back(cache, learnt):
    assert Learnt.from_json(json.loads(json.dumps(learnt.as_json()))) == learnt
    remember(learnt)
    assert learnt in remembered()
    forget(learnt.name)
    assert remembered() == []


def test_a_pair_is_remembered_with_its_evidence(pair, science, cache):
    layout = Layout("b r f Y X y x", high_first=False)
    rds, _ = pair(science[:3], layout)
    learn_layout(rds, rds.with_suffix(".rdo"))
    (learnt,) = remembered()
    assert learnt.layout == layout
    assert [file.name for file in learnt.evidence.files] == ["j1186063.rds", "j1186063.rdo"]
    assert learnt.evidence.software.startswith("twomass_nb ")
    assert learnt.evidence.date.startswith("20")
    (path,) = (cache / "layouts").iterdir()
    kept = json.loads(path.read_text())
    assert kept["layout"] == str(layout)
    assert {len(file["sha256"]) for file in kept["evidence"]["files"]} == {64}
    learn_layout(rds, rds.with_suffix(".rdo"))
    assert len(remembered()) == 1


def test_the_latest_comes_first_and_one_can_be_forgotten():
    for k in (1, 3, 2):
        remember(some(k))
    assert [one.evidence.date[-1] for one in remembered()] == ["4", "3", "2"]
    assert forget(some(3).name) == [some(3)]
    assert len(remembered()) == 2
    with pytest.raises(NotFoundError, match="layout list"):
        forget(some(3).name)
    assert len(forget()) == 2
    assert remembered() == []


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"layout": 3}', '{"layout": "f", "evidence": {}}', "\xff\xfe"],
)
def test_files_that_are_none_are_passed_over(cache, text):
    remember(some())
    (cache / "layouts" / "broken.json").write_bytes(text.encode("latin-1"))
    assert remembered() == [some()]


def test_a_file_that_was_changed_by_hand_is_passed_over(cache):
    remember(some())
    (path,) = (cache / "layouts").iterdir()
    path.write_text(path.read_text().replace("f r Y y X x b", "f r b Y y X x"))
    assert remembered() == []


def test_what_is_no_memory_is_an_error():
    with pytest.raises(LayoutError, match="no remembered word order"):
        Learnt.from_json({"layout": "f r b Y y X x", "evidence": {"files": [{"name": "x"}]}})


def test_a_cache_that_cannot_be_written_is_a_warning(cache):
    (cache / "layouts").write_text("a file in the way")
    with pytest.warns(TwomassWarning, match="cannot be remembered"):
        remember(some())
    assert remembered() == []


def _write_many(k):
    for n in range(20):
        remember(some(n % 5))
        remembered()
    return k


def test_many_processes_at_once():
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(_write_many, range(3)) == [0, 1, 2]
    assert len(remembered()) == 5

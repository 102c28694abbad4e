"""The kernel's half of the bridge: what it sends, once and to whom (the page's: tests/browser)."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path

import bokeh
import numpy as np
import pytest
from bokeh.events import Tap
from bokeh.plotting import figure

from twomass_nb.explore.bridge import BokehView


class Page:
    """Stands for the pages a view is on: keeps what the view sends."""

    def __init__(self, view, monkeypatch):
        self.view = view
        self.sent = []
        monkeypatch.setattr(
            view, "send", lambda content, buffers=None: self.sent.append((content, buffers))
        )

    def say(self, buffers=(), **message):
        self.view._receive(self.view, message, list(buffers))

    def kinds(self):
        return [content["kind"] for content, _ in self.sent]


@pytest.fixture
def plot():
    plot = figure(width=200, height=200)
    plot.image([np.zeros((4, 4), np.uint16)], x=0, y=0, dw=1, dh=1, name="image")
    return plot


@pytest.fixture
def page(plot, monkeypatch):
    return Page(BokehView(plot), monkeypatch)


def test_bokehjs_is_the_installed_one_and_sent_once_a_page(page):
    for page_name in ("page-a", "page-a", "page-b"):
        page.say(kind="need-bokehjs", page=page_name + str(id(page)))
    assert page.kinds() == ["bokehjs", "bokehjs"]
    static = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    assert gzip.decompress(page.sent[0][1][0]) == static.read_bytes()


def test_nothing_is_sent_while_nobody_looks(page, plot):
    plot.title.text = "new"
    assert page.sent == []


def test_a_change_goes_to_the_page_with_arrays_as_buffers(page, plot):
    page.say(kind="open", view="v")
    source = plot.select_one("image").data_source
    data = np.arange(16, dtype=np.uint16).reshape(4, 4)
    source.data["image"] = [data]
    assert page.kinds() == ["document", "patch"]
    message, buffers = page.sent[-1]
    assert bytes(buffers[0]) == data.tobytes()
    assert message["ids"][0] in message["content"]
    (event,) = json.loads(message["content"])["events"]
    assert event["kind"] == "ColumnDataChanged"


def test_a_batch_is_one_message(page, plot):
    page.say(kind="open", view="v")
    with page.view.batch(), page.view.batch():
        plot.title.text = "one"
        plot.x_range.start = 3
    assert page.kinds() == ["document", "patch"]
    assert len(json.loads(page.sent[-1][0]["content"])["events"]) == 2


def _change(model, attr, new):
    event = {"kind": "ModelChanged", "model": {"id": model.id}, "attr": attr, "new": new}
    return json.dumps({"events": [event]})


def test_a_change_in_the_page_arrives_and_is_not_sent_back(page, plot):
    page.say(kind="open", view="v")
    seen = []
    plot.x_range.on_change("start", lambda attr, old, new: seen.append(new))
    page.say(kind="patch", view="v", ids=[], content=_change(plot.x_range, "start", 0.25))
    assert plot.x_range.start == 0.25
    assert seen == [0.25]
    assert page.kinds() == ["document"]


def test_other_views_of_the_widget_follow(page, plot):
    page.say(kind="open", view="v")
    page.say(kind="open", view="w")
    page.say(kind="patch", view="v", ids=[], content=_change(plot.x_range, "start", 0.25))
    assert page.kinds() == ["document", "document", "patch"]
    assert page.sent[-1][0]["origin"] == "v"  # v itself leaves it
    page.say(kind="close", view="w")
    page.say(kind="patch", view="v", ids=[], content=_change(plot.x_range, "start", 0.5))
    assert len(page.sent) == 3


def test_arrays_come_back_as_buffers(page, plot):
    page.say(kind="open", view="v")
    source = plot.select_one("image").data_source
    array = {
        "type": "ndarray", "shape": [2, 2], "dtype": "uint16", "order": "little",
        "array": {"type": "bytes", "data": {"id": "js0"}},
    }  # fmt: skip
    data = {"type": "map", "entries": [["image", [array]]]}
    sent = np.array([[1, 2], [3, 4]], "<u2")
    page.say(
        [memoryview(sent.tobytes())],
        kind="patch", view="v", ids=["js0"], content=_change(source, "data", data),
    )  # fmt: skip
    assert (source.data["image"][0] == sent).all()


def test_events_run_callbacks(plot, monkeypatch):
    taps = []
    plot.on_event(Tap, lambda event: taps.append((event.x, event.y)))
    page = Page(BokehView(plot), monkeypatch)
    page.say(kind="open", view="v")
    values = {"type": "map", "entries": [["model", {"id": plot.id}], ["x", 1.5], ["y", 2.5]]}
    tap = {"type": "event", "name": "tap", "values": values}
    event = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": tap}
    page.say(kind="patch", view="v", ids=[], content=json.dumps({"events": [event]}))
    assert taps == [(1.5, 2.5)]


def test_a_failing_callback_is_told_to_the_page(page, plot):
    page.say(kind="open", view="v")

    def fail(attr, old, new):
        raise ValueError("no such thing")  # noqa: EM101

    plot.x_range.on_change("start", fail)
    with pytest.raises(ValueError, match="no such thing"):
        page.say(kind="patch", view="v", ids=[], content=_change(plot.x_range, "start", 1.0))
    message, _ = page.sent[-1]
    assert message == {"kind": "failed", "reason": "ValueError: no such thing"}


def test_threads_do_not_mix_their_batches(page, plot):
    # JupyterLab may handle widget messages in another thread than cells
    page.say(kind="open", view="v")

    def work(axis):
        for i in range(50):
            with page.view.batch():
                axis.start = i + 0.5
                axis.end = i + 1.5

    threads = [threading.Thread(target=work, args=(axis,)) for axis in (plot.x_range, plot.y_range)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for message, _ in page.sent[1:]:
        models = {event["model"]["id"] for event in json.loads(message["content"])["events"]}
        assert len(models) == 1


def test_a_closed_view_is_silent(page, plot):
    page.say(kind="open", view="v")
    page.view.close()
    plot.title.text = "late"
    assert page.kinds() == ["document"]

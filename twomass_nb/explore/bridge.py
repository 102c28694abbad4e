"""How a Bokeh document lives in a notebook page: the only file that knows the bridge's messages.

A `BokehView` shows one Bokeh root in JupyterLab, Notebook 7 or Voila with no
``output_notebook()``, no CDN and no second port. BokehJS travels once a page, gzipped, as a binary
buffer over the widget's own comm, from the files of the installed bokeh package; changes then
travel both ways as Bokeh's own patches, arrays as binary buffers. Nothing of this is kept in the
notebook file.

Messages (``kind``): the page sends ``need-bokehjs``, ``open``, ``patch``, ``close``; the kernel
sends ``bokehjs``, ``document``, ``patch``, ``failed``. A view is one place on the page where the
widget is drawn; a widget displayed twice, or in two browser tabs, has several.
"""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import anywidget
import bokeh
import traitlets
from bokeh.core.json_encoder import serialize_json
from bokeh.core.serialization import Buffer, Serialized
from bokeh.document import Document
from bokeh.document.events import DocumentPatchedEvent
from bokeh.protocol import Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bokeh.models import LayoutDOM

__all__ = ["BokehView"]

_PAGES_SERVED: set[str] = set()  # pages this kernel has sent BokehJS to


@lru_cache(maxsize=1)
def bokehjs() -> bytes:
    """Return BokehJS of the installed bokeh package, gzipped (350 kB for 1.27 MB of script)."""
    path = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)


class BokehView(anywidget.AnyWidget):
    """A Bokeh figure or layout as a widget, in step with Python both ways.

    Properties changed in Python appear in the page; ranges, selections and events such as a tap
    come back and run the ``on_change`` and ``on_event`` callbacks of the Bokeh models.

    Parameters
    ----------
    root : `bokeh.models.LayoutDOM`
        Figure or layout; it must not belong to a document yet, and its ``on_event`` callbacks
        must be set before (Bokeh notes them when a model joins a document). Only models of
        BokehJS's core are in the page: no Bokeh widgets, no data tables.
    """

    # The text, not the path: for a path anywidget would keep every view for ever, to reload it.
    _esm = (Path(__file__).parent / "bridge.js").read_text(encoding="utf-8")
    bokeh_version = traitlets.Unicode(bokeh.__version__, help="BokehJS it needs").tag(sync=True)

    def __init__(self, root: LayoutDOM, **kwargs) -> None:
        self._views: set[str] = set()
        self._held: list[DocumentPatchedEvent] | None = None
        # JupyterLab 4.4+ with ipykernel 7 handles messages of widgets in a thread of their own,
        # while a cell may be changing the same document.
        self._lock = RLock()
        self.root = root
        self.document = Document()
        self.document.add_root(root)
        super().__init__(**kwargs)
        self.document.on_change_dispatch_to(self)
        self.on_msg(self._receive)

    def close(self) -> None:
        """Close the widget and let go of the document; a second time does nothing."""
        if self.comm is not None:
            self.document.remove_on_change(self)
        super().close()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Send everything changed inside the block as one message, so that the page paints once.

        Only one thread at a time is inside.
        """
        with self._lock:
            if self._held is not None:  # already inside a batch
                yield
                return
            self._held = []
            try:
                yield
            finally:
                events, self._held = self._held, None
                if events:
                    self._send_patch(events)

    def _document_patched(self, event: DocumentPatchedEvent) -> None:
        # Bokeh calls this for every change of the document (on_change_dispatch_to).
        with self._lock:
            if not self._views:
                return
            if self._held is not None and event.setter is None:
                self._held.append(event)
            else:
                self._send_patch([event], origin=event.setter)

    def _send_patch(self, events: list[DocumentPatchedEvent], origin: str | None = None) -> None:
        if origin is not None and self._views == {origin}:
            return  # the only view is the one that made the change
        message = Protocol().create("PATCH-DOC", events)
        self._post("patch", message.content_json, message.buffers, origin=origin)

    def _post(self, kind: str, content: str, buffers: list[Buffer], **more) -> None:
        ids = [buffer.id for buffer in buffers]
        self.send(
            {"kind": kind, "content": content, "ids": ids, **more},
            [buffer.data for buffer in buffers],
        )

    def _receive(self, _widget, message: dict, buffers: list) -> None:
        try:
            with self._lock:
                self._answer(message, buffers)
        except Exception as error:
            self.send({"kind": "failed", "reason": f"{type(error).__name__}: {error}"})
            raise

    def _answer(self, message: dict, buffers: list) -> None:
        kind, view = message.get("kind"), message.get("view")
        if kind == "need-bokehjs":
            if message["page"] not in _PAGES_SERVED:
                _PAGES_SERVED.add(message["page"])
                self.send({"kind": "bokehjs"}, [bokehjs()])
        elif kind == "open":
            self._views.add(view)
            document = self.document.to_json()
            self._post("document", serialize_json(document), document.buffers, view=view)
        elif kind == "patch":
            data = [Buffer(name, bytes(b)) for name, b in zip(message["ids"], buffers, strict=True)]
            patch = Serialized(json.loads(message["content"]), data)
            with self.batch():
                self.document.apply_json_patch(patch, setter=view)
        elif kind == "close":
            self._views.discard(view)

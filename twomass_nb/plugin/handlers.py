"""What the server answers for a raw file: its description as JSON, a frame as raw bytes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from ..errors import LayoutError, NotFoundError, RawFileError, TwomassError
from .notebooks import notebook
from .scans import OpenScans

__all__ = ["handlers"]

_STATUS = {NotFoundError: 404, RawFileError: 415, LayoutError: 422}


class _Handler(APIHandler):
    """Only for those who may read the server's files, and only for files below its root."""

    auth_resource = "contents"

    def initialize(self, scans: OpenScans) -> None:
        self.scans = scans

    async def file(self) -> Path:
        """Return the file that is asked for, found as Jupyter itself finds it.

        It is checked by the contents manager: that it is below the root, there, and not hidden.
        """
        asked = self.get_query_argument("path").strip("/")
        manager = self.contents_manager
        if not hasattr(manager, "_get_os_path"):
            raise web.HTTPError(501, reason="The files of this server are not on its own disk")
        hidden = await ensure_async(manager.is_hidden(asked)) and not manager.allow_hidden
        if hidden or not await ensure_async(manager.file_exists(asked)):
            raise web.HTTPError(404, reason="There is no such file")
        return Path(manager._get_os_path(asked))  # noqa: SLF001 (the only door Jupyter offers)

    async def answer(self, function: Any, *args: Any) -> Any:
        """Call what may take a second apart from the server's loop; errors become one sentence."""
        try:
            return await asyncio.to_thread(function, *args)
        except TwomassError as error:
            status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), 400)
            self.set_status(status)
            self.finish(json.dumps({"message": " ".join(str(error).split())}))
            raise web.Finish from error

    def whole_number(self, name: str) -> int:
        text = self.get_query_argument(name, "0")
        if not text.isdecimal():
            raise web.HTTPError(400, reason=f"{name} is no whole number")
        return int(text)


class _Scan(_Handler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Describe a raw file."""
        path = await self.file()
        self.finish(json.dumps(await self.answer(self.scans.describe, path)))


class _Frame(_Handler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Send one read of one frame: little-endian words, row 0 (south) first."""
        path, frame = await self.file(), self.whole_number("frame")
        read = self.get_query_argument("read", "r2-r1")
        pixels = await self.answer(self.scans.pixels, path, frame, read)
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("X-Array-Shape", ",".join(map(str, pixels.shape)))
        self.set_header("X-Array-Type", pixels.dtype.name)
        self.set_header("Cache-Control", "no-store")  # the file may change
        self.finish(pixels.tobytes())


class _Notebook(_Handler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Send the notebook that a button or a launcher card opens."""
        kind, path = self.get_query_argument("kind"), self.get_query_argument("path", "")
        self.finish(json.dumps(await self.answer(notebook, kind, path, self.whole_number("frame"))))


def handlers(base_url: str) -> list[tuple[str, type[_Handler], dict[str, Any]]]:
    """Return the routes of the plugin, all below ``twomass-nb/``."""
    shared = {"scans": OpenScans()}
    routes = {"scan": _Scan, "frame": _Frame, "notebook": _Notebook}
    return [
        (url_path_join(base_url, "twomass-nb", name), handler, shared)
        for name, handler in routes.items()
    ]

"""The JupyterLab plugin: raw files open with a double click, frame by frame, without a kernel.

A server extension (`handlers`) that answers for the files below the server's root, and a
prebuilt front end (``frontend/``) that is plain JavaScript: nothing is compiled, no Node needed.
"""

from __future__ import annotations

from typing import Any

__all__: list[str] = []


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "twomass_nb.plugin"}]


def _load_jupyter_server_extension(server_app: Any) -> None:
    from .handlers import handlers

    web_app = server_app.web_app
    web_app.add_handlers(".*$", handlers(web_app.settings["base_url"]))

"""As an app: the manifest a phone installs from, and the worker with what it is to keep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from dianku_console.assets import Assets

ICON_SIZES = (192, 512)
_LATER = ("/vendor/", "/scan/camera.js", "/scan/reader.js", "/scan/worker.js")
"""Left to be kept when they are used: the camera's reader alone is a megabyte."""


def manifest(assets: Assets, *, name: str, short_name: str, language: str) -> bytes:
    """`/console/app.webmanifest` in the reader's language."""
    icons = [
        {"src": assets.address(f"console/icon-{size}.png"), "sizes": f"{size}x{size}"}
        for size in ICON_SIZES
    ]
    said: Mapping[str, object] = {
        "id": "/console/",
        "name": name,
        "short_name": short_name,
        "lang": language,
        "start_url": "/console/",
        "scope": "/console/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#2f4bd0",
        "icons": [{**icon, "type": "image/png", "purpose": "any"} for icon in icons]
        + [{**icons[-1], "type": "image/png", "purpose": "maskable"}],
    }
    return json.dumps(said, ensure_ascii=False).encode()


def worker(assets: Assets, *, pages: Sequence[str]) -> bytes:
    """`/console/sw.js`: another text whenever any file is another, so browsers notice."""
    kept = [
        assets.address(name)
        for name in assets.names()
        if name.endswith((".css", ".js", "icons.svg"))
        and (name.endswith(("icons.svg", "htmx.js")) or not any(part in name for part in _LATER))
    ]
    head = f"const VERSION = {json.dumps(assets.digest)};\n"
    head += f"const ASSETS = {json.dumps(kept)};\nconst PAGES = {json.dumps(list(pages))};\n"
    return head.encode() + assets.content("console/js/offline/worker.js")

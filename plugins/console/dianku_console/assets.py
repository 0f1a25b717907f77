"""Styles, scripts and pictures: read once, under an address that changes with their content.

`/console/assets/<digest>/<plugin>/<file>` may be kept by a browser for ever, and modules that
import each other by relative paths stay of one version. A plugin's files lie in its `assets`.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from dianku.api import Call, Content, refuse

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What is served, by the end of its name; anything else beside them is not."""
FOR_EVER = "public, max-age=31536000, immutable"
WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
"""A worker lives by the policy of its script, not of its page: ours read pictures and queue."""
_PACKED = frozenset({".png", ".woff2"})


@frozen
class Asset:
    """One file as it is sent, plain and packed."""

    content: bytes
    media_type: str
    packed: bytes | None = field(repr=False)


class Assets:
    """The files of every plugin that has a folder `assets`, and what is made at start."""

    def __init__(self, folders: Mapping[str, Path], *, made: Mapping[str, bytes]) -> None:
        found = dict(made)
        for plugin, folder in sorted(folders.items()):
            for path in sorted((folder / "assets").rglob("*")):
                if path.suffix in TYPES and path.is_file():
                    found[f"{plugin}/{path.relative_to(folder / 'assets').as_posix()}"] = (
                        path.read_bytes()
                    )
        self._files = {name: _asset(name, content) for name, content in found.items()}
        digest = hashlib.sha256()
        for name, content in sorted(found.items()):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        self.digest = digest.hexdigest()[:12]

    def address(self, name: str) -> str:
        """Where a file is had; `name` is `plugin/file`.

        Raises:
            KeyError: there is none.
        """
        if name not in self._files:
            raise KeyError(f"no asset {name!r}")
        return f"/console/assets/{self.digest}/{name}"

    def names(self) -> list[str]:
        """Every file there is."""
        return sorted(self._files)

    def content(self, name: str) -> bytes:
        """A file as it lies there. Raises `KeyError` where there is none."""
        return self._files[name].content

    def serve(self, call: Call, name: str) -> Content:
        """One file, packed for who takes it so.

        Raises:
            Refused: `not_found`.
        """
        asset = self._files.get(name)
        if asset is None:
            raise refuse("not_found", what="path", name=name[:200])
        current = call.path.get("digest") == self.digest
        headers = {"Cache-Control": FOR_EVER if current else "no-cache", "Vary": "Accept-Encoding"}
        if asset.media_type == TYPES[".js"]:
            headers["Content-Security-Policy"] = WORKER_POLICY
        if asset.packed is not None and "gzip" in call.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Content(asset.packed, asset.media_type, headers=headers)
        return Content(asset.content, asset.media_type, headers=headers)


def _asset(name: str, content: bytes) -> Asset:
    end = Path(name).suffix
    packed = None if end in _PACKED else gzip.compress(content, 9, mtime=0)
    return Asset(content, TYPES[end], packed)

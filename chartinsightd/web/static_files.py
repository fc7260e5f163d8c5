"""The files of the page /radar/: read once, served from memory, each with the hash of what it holds."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web

from chartinsightd.control.problems import Refused, problem

PAGE = "/radar/"
_INDEX = "index.html"
_TYPES: Mapping[str, str] = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
}
_PLAIN_NAMES = frozenset({"LICENSE", "NOTICE"})
_NOT_SMALLER = frozenset({"png", "woff2"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """One file."""

    type: str
    body: bytes
    packed: bytes | None
    """With gzip; None where that makes it no smaller."""
    tag: str

    @property
    def transferred(self) -> int:
        """Bytes that a browser loads."""
        return len(self.body if self.packed is None else self.packed)

    def answer(self, request: web.Request) -> web.Response:
        """Return the file, or 304 where the browser has it."""
        # No long life in a cache: names carry no hash, since modules import each other by name.
        headers = {"Cache-Control": "no-cache", "ETag": f'"{self.tag}"', "Vary": "Accept-Encoding"}
        if any(one.value == self.tag for one in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = self.type
        if self.packed is None or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=self.body, headers=headers)
        return web.Response(body=self.packed, headers=headers | {"Content-Encoding": "gzip"})


class StaticFiles:
    """The files of the package's folder `web/static`, by their path below it."""

    def __init__(self, folder: Traversable | None = None) -> None:
        folder = folder or files("chartinsightd.web").joinpath("static")
        self.files = {path: _file(path, found.read_bytes()) for path, found in _below(folder)}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a path below /radar/.

        Raises:
            Refused: there is no such file.
        """
        found = self.files.get(request.match_info["path"] or _INDEX)
        if found is None:
            raise Refused(problem(404, f"{request.method} {request.path}"))
        return found.answer(request)


def _below(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield path and file of everything that is served; other files are none of the page's."""
    for one in sorted(folder.iterdir(), key=lambda found: found.name):
        if one.is_dir():
            yield from _below(one, f"{prefix}{one.name}/")
        elif one.name in _PLAIN_NAMES or one.name.rpartition(".")[2] in _TYPES:
            yield f"{prefix}{one.name}", one


def _file(path: str, body: bytes) -> StaticFile:
    suffix = path.rpartition(".")[2]
    packed = None if suffix in _NOT_SMALLER else gzip.compress(body, 9, mtime=0)
    return StaticFile(
        type=_TYPES.get(suffix, _TYPES["txt"]),
        body=body,
        packed=packed if packed is not None and len(packed) < len(body) else None,
        tag=hashlib.sha256(body).hexdigest()[:32],
    )

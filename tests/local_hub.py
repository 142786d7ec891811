"""A server of a folder that answers as the Hugging Face hub does when files of a data set are listed and read."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

DATASET = "org/name"
GATED = "org/gated"
_COMMIT = "0" * 40


@contextmanager
def local_hub(folder: Path) -> Iterator[str]:
    """Serve a folder as the data set `DATASET`, beside one that is gated, and yield the address of the hub."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"folder": folder}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    folder: Path

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path)
        data, tree = f"/datasets/{DATASET}/resolve/main/", f"/api/datasets/{DATASET}/tree/main"
        if path.startswith(data):
            self._send_file(self.folder / path.removeprefix(data))
        elif path.startswith(tree):
            recursive = parse_qs(address.query).get("recursive") == ["true"]
            self._send_tree(self.folder / path.removeprefix(tree).strip("/"), recursive=recursive)
        elif path.startswith(f"/api/datasets/{DATASET}"):
            self._send_json({"id": DATASET, "sha": _COMMIT, "siblings": []})
        elif path.startswith(f"/api/datasets/{GATED}"):
            self._send_json({"error": "Access is restricted"}, 403, {"X-Error-Code": "GatedRepo"})
        else:
            self._send_json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})

    def _send_file(self, path: Path) -> None:
        content = path.read_bytes()
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        part = content[int(first) : int(last or len(content)) + 1]
        self._send(206, part, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": _COMMIT})

    def _send_tree(self, folder: Path, *, recursive: bool) -> None:
        if not folder.is_dir():
            self._send_json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        entries = []
        for path in sorted(folder.rglob("*") if recursive else folder.iterdir()):
            oid = hashlib.sha1(path.read_bytes() if path.is_file() else b"").hexdigest()
            kind = {"type": "file", "size": path.stat().st_size} if path.is_file() else {"type": "directory"}
            entries.append({"path": path.relative_to(self.folder).as_posix(), "oid": oid, **kind})
        self._send_json(entries)

    def _send_json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(status, orjson.dumps(value), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass

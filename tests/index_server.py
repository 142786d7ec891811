"""An index counted by plain loops, and a server that answers of it as the documentation of infini-gram's API says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from tokenizers import Tokenizer

INDEX = "v4_tiny_llama"
_SEPARATOR = -1


@dataclass
class SlowIndex:
    """Documents as token ids, looked through one token after another."""

    documents: Sequence[Sequence[int]]

    @property
    def flat(self) -> list[int]:
        """All tokens, each document behind a separator, as the engine lays them out."""
        return [token for document in self.documents for token in (_SEPARATOR, *document)]

    def places(self, ids: Sequence[int]) -> list[int]:
        """Return where a sequence of tokens begins; of none, every place."""
        flat, wanted = self.flat, list(ids)
        return [place for place in range(len(flat)) if flat[place : place + len(wanted)] == wanted]

    def near(self, clauses: Sequence[Sequence[Sequence[int]]], most: int) -> int:
        """Count occurrences of the rarer clause with the other in reach, but for those whose reach leaves a document.

        The nearest occurrence on either side is taken where it is in reach, and what lies from the one to the other
        must be of one document: the engine drops an occurrence where only one of the two is.
        """
        found = ([place for ids in clause for place in self.places(ids)] for clause in clauses)
        rarer, other = sorted(found, key=len)
        flat, count = self.flat, 0
        for place in rarer:
            before = max((one for one in other if place - most <= one < place), default=None)
            after = min((one for one in other if place <= one <= place + most), default=None)
            low, high = (place if end is None else end for end in (before, after))
            count += (before is not None or after is not None) and _SEPARATOR not in flat[low:high]
        return count


def write_index(folder: Path, documents: Sequence[Sequence[int]], width: int = 2) -> Path:
    """Write an index as the package's indexer does: suffixes sorted by their bytes, one after another."""
    folder.mkdir(parents=True)
    content, offsets = b"", []
    for document in documents:
        offsets.append(len(content))
        content += np.array([2 ** (8 * width) - 1, *document], dtype=f"<u{width}").tobytes()
    pointer = int(np.ceil(np.log2(len(content)) / 8))
    places = sorted(range(0, len(content), width), key=lambda place: content[place:])
    (folder / "tokenized.0").write_bytes(content)
    (folder / "offset.0").write_bytes(np.array(offsets, dtype="<u8").tobytes())
    (folder / "table.0").write_bytes(b"".join(place.to_bytes(pointer, "little") for place in places))
    return folder


@dataclass
class Failure:
    """What the server does in place of an answer."""

    status: int = 200
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Server:
    """A running server.

    Attributes:
        address: Where it is.
        asked: Every payload that was sent, in order.
        failures: What happens to the next queries, the first one first; None in it lets one through.
        seconds: How long an answer takes.
    """

    index: SlowIndex
    tokenizer: Tokenizer
    address: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Failure | None] = field(default_factory=list)
    seconds: float = 0.0
    approx: bool = False

    def answer(self, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and content, as the public server does."""
        query = payload.get("query_ids")
        known = {"index", "query_type", "query_ids", "max_clause_freq", "max_diff_tokens"}
        if payload.get("index") != INDEX:
            return 400, {"error": f"[Flask] Invalid index: {payload.get('index')}"}
        if payload.get("query_type") != "count" or not isinstance(query, list) or set(payload) - known:
            return 500, {"error": "[Flask] Internal server error"}
        if all(isinstance(one, int) for one in query):
            if len(payload) > 3:  # it hands on what it does not know of, and fails
                return 500, {"error": "[Flask] Internal server error: unexpected keyword argument"}
            tokens = [self.tokenizer.id_to_token(one) for one in query]
            count = len(self.index.places(query))
            return 200, {"count": count, "approx": False, "latency": 0.7, "token_ids": query, "tokens": tokens}
        if any(len(clause) > 4 for clause in query):
            return 200, {"error": "Please enter at most 4 terms in each disjunctive clause!"}
        if not (1 <= payload["max_diff_tokens"] <= 1000 and 1 <= payload["max_clause_freq"] <= 500_000):
            return 200, {"error": "max_diff_tokens must be an integer in [1, 1000]!"}
        tokens = [[[self.tokenizer.id_to_token(one) for one in ids] for ids in clause] for clause in query]
        count = self.index.near(query, payload["max_diff_tokens"])
        return 200, {"count": count, "approx": self.approx, "latency": 7.0, "token_ids": query, "tokens": tokens}


@contextmanager
def index_server(index: SlowIndex, tokenizer: Tokenizer) -> Iterator[Server]:
    """Serve an index under the name `INDEX`."""
    state = Server(index, tokenizer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    state.address = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: Server

    def do_POST(self) -> None:
        payload = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/json"
        self.state.asked.append(payload)
        failure = self.state.failures.pop(0) if self.state.failures else None
        time.sleep(failure.seconds if failure else self.state.seconds)
        if failure is not None and failure.status == 0:
            self.close_connection = True  # hangs up without a word
            return
        status, found = self.state.answer(payload) if failure is None else (failure.status, {})
        content = orjson.dumps(found) if failure is None or failure.content is None else failure.content
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in (failure.headers if failure else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):  # whoever asked has given up
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass

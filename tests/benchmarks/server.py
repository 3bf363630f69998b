"""Serves the benchmark's pages on loopback: nginx where it is installed, else a small server of our own.

``python -m tests.benchmarks.server FOLDER PORT`` is the small one. All files lie there as ``.gz`` and are sent so.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

_NGINX = """
daemon off; user {user}; worker_processes 1; pid {state}/pid; error_log {state}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type text/plain;
  types {{ text/html html; }} charset utf-8;
  client_body_temp_path {state}/t1; proxy_temp_path {state}/t2; fastcgi_temp_path {state}/t3;
  uwsgi_temp_path {state}/t4; scgi_temp_path {state}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}; gzip_static always; }}
}}
"""


class Server(NamedTuple):
    """A running server."""

    name: str
    address: str


@contextmanager
def serving(folder: Path, *, own: bool = False) -> Iterator[Server]:
    """The folder, served for as long as the block runs; ``own`` leaves nginx aside."""
    nginx = None if own else shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    port = _free_port()
    with TemporaryDirectory() as state:
        command = [sys.executable, "-m", "tests.benchmarks.server", str(folder), str(port)]
        if nginx:
            config = Path(state, "nginx.conf")
            config.write_text(
                _NGINX.format(user=getuser(), state=state, folder=folder.resolve(), port=port), encoding="ascii"
            )
            command = [nginx, "-e", f"{state}/error.log", "-c", str(config)]
        with subprocess.Popen(command) as process:
            try:
                _await(port)
                yield Server("nginx" if nginx else "own server", f"http://127.0.0.1:{port}")
            finally:
                process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _await(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server does not answer")


async def _serve(folder: Path, port: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readuntil(b"\r\n\r\n"):
            writer.write(_response(folder, request))
            await writer.drain()

    server = await asyncio.start_server(lambda *streams: _until_closed(answer(*streams)), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


async def _until_closed(answering: asyncio.Future[None] | object) -> None:
    try:
        await answering  # type: ignore[misc]
    except (asyncio.IncompleteReadError, ConnectionError):
        return


def _response(folder: Path, request: bytes) -> bytes:
    path = folder / (request.split()[1].decode("ascii").lstrip("/") + ".gz")
    if not path.is_file():
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    body = path.read_bytes()
    etag = b'"' + hashlib.sha256(body).hexdigest()[:16].encode() + b'"'
    if etag in request:
        return b"HTTP/1.1 304 Not Modified\r\nETag: " + etag + b"\r\n\r\n"
    kind = b"text/html; charset=utf-8" if path.name.endswith(".html.gz") else b"text/plain"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Encoding: gzip\r\nETag: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (kind, etag, len(body)) + body


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))

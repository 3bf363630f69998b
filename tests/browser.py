"""A headless Chromium for the tests that must know how a page lies on a screen, and a server that notes who asks."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

_QUIET = [
    "--headless",
    "--no-sandbox",  # as root, as in containers, Chromium does not start with one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    # Nothing of its own goes out: tests talk to loopback alone.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def serve(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """``folder`` on a loopback port: its address, and the list of the paths asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def dump(url: str, *flags: str) -> str:
    """The page's document as it stands once it has loaded and its own scripts have run."""
    assert CHROMIUM
    with tempfile.TemporaryDirectory() as profile:
        command = [CHROMIUM, *_QUIET, *flags, f"--user-data-dir={profile}", "--dump-dom", url]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def measure(folder: Path, width: int, paths: list[str], script: str, *flags: str) -> tuple[list[str], list[str]]:
    """Run ``script`` (an expression of ``d``, the document) in each page of ``folder`` on a screen ``width`` px wide.

    Returns the results as text, and every path that was asked of the server. The pages lie in frames, since a window
    of Chromium is never as narrow as a phone, and since pages that forbid scripts can be measured from outside.
    """
    frames = "".join(f'<iframe src="{path}" style="width:{width}px;height:844px"></iframe>' for path in paths)
    probe = f"""<!doctype html>{frames}<script>onload = () => {{ document.body.innerHTML = Array.from(
      document.querySelectorAll("iframe"), f => {{ const d = f.contentDocument; return {script} }}
    ).map(r => "<p>" + String(r).replace(/&/g, "&amp;").replace(/</g, "&lt;") + "</p>").join("") }}</script>"""
    (folder / "probe.html").write_text(probe, "utf-8")
    try:
        with serve(folder) as (address, asked):
            found = re.findall(r"<p>(.*?)</p>", dump(f"{address}/probe.html", *flags), re.DOTALL)
    finally:
        (folder / "probe.html").unlink()
    return [unescape(result) for result in found], asked

"""Programs of a test run without their start: a process that has imported everything forks for each of them.

``python -m tests.warm N`` serves the socket N. Of two seconds that a small crawl takes, more than one goes to imports;
a fork has them behind it, and is the same program in all else: arguments, environment, folder, streams, signals, exit
code, the interpreter's own end. Tests that kill, measure or look at the start itself begin real processes.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PACKAGES = (
    "crawler",
    "spiders",
    "pipelines",
    "scrapy.commands",
    "scrapy.downloadermiddlewares",
    "scrapy.spidermiddlewares",
)
MODULES = (
    "_strptime",
    "pypinyin",
    "rich.console",
    "rich.table",
    "scrapy.__main__",
    "scrapy.extensions.logstats",
    "scrapy.extensions.telnet",
    "tldextract",
    "twisted.internet.asyncioreactor",
)
"""What a run imports only once it is under way."""

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Call:
    """A module that is run as ``python -m`` would."""

    module: str
    words: Sequence[str]
    folder: str
    environment: Mapping[str, str]

    def become(self, streams: Sequence[int]) -> None:
        """Be that program, from here to this process's end; ``streams``: its stdout and stderr."""
        for number, stream in enumerate(streams, 1):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        time.tzset()
        sys.argv = [self.module, *self.words]
        sys.path[0] = self.folder
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for name in (self.module, f"{self.module}.__main__"):
            sys.modules.pop(name, None)  # a program is no import of itself
        runpy.run_module(self.module, run_name="__main__", alter_sys=True)


class Warm:
    """The serving process as its users see it; it ends when they do. One call at a time."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [sys.executable, "-m", "tests.warm", str(there.fileno())]
        self._server = subprocess.Popen(
            words, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, pass_fds=[there.fileno()]
        )
        there.close()
        self._busy = threading.Lock()

    def run(self, call: Call, seconds: float) -> Done | None:
        """What ``subprocess.run`` would give, and raise; None while another call is served."""
        if not self._busy.acquire(blocking=False):
            return None
        try:
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                code = self._code(call, (out, err), seconds)
                return Done([call.module, *call.words], code, _text(out), _text(err))
        finally:
            self._busy.release()

    def close(self) -> None:
        """End the serving process."""
        self._here.close()
        self._server.wait()

    def _code(self, call: Call, streams: Sequence[IO[bytes]], seconds: float) -> int:
        socket.send_fds(self._here, [json.dumps(vars(call)).encode()], [one.fileno() for one in streams])
        pid = int(self._here.recv(64))
        self._here.settimeout(seconds)
        try:
            return int(self._here.recv(64))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)  # nobody has waited for it: the number is still its own
            self._here.settimeout(None)
            self._here.recv(64)
            raise subprocess.TimeoutExpired([call.module, *call.words], seconds) from None
        finally:
            self._here.settimeout(None)


def _text(stream: IO[bytes]) -> str:
    """As ``text=True`` reads it."""
    stream.seek(0)
    return stream.read().decode().replace("\r\n", "\n").replace("\r", "\n")


def load() -> None:
    """Import what programs import; what cannot be imported is theirs to say. No reactor: each program makes its own."""
    for name in (*modules(), *MODULES):
        with suppress(Exception):
            importlib.import_module(name)
    assert "twisted.internet.reactor" not in sys.modules
    gc.collect()
    gc.freeze()


def modules() -> Iterator[str]:
    """Every module of the packages, but for those that are for the wheel."""
    for package in map(importlib.import_module, PACKAGES):
        found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.", lambda name: None)
        yield from (one.name for one in found if "launcher" not in one.name)


def serve(asking: socket.socket) -> tuple[Call, Sequence[int]] | None:
    """Fork for each call that comes; in the fork what it is to be, at the end None."""
    while True:
        told, streams, _, _ = socket.recv_fds(asking, 1 << 20, 2)
        if not told:
            return None
        pid = os.fork()
        if pid == 0:
            return Call(**json.loads(told)), streams
        for stream in streams:
            os.close(stream)
        asking.send(b"%d" % pid)
        asking.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def main() -> None:
    """Until the socket is closed; a fork leaves as the program that it became."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted test run closes the socket
    load()
    with socket.socket(fileno=int(sys.argv[1])) as asking:
        given = None
        with suppress(ConnectionError):  # whoever asked is gone
            given = serve(asking)
    if given:
        call, streams = given
        call.become(streams)


if __name__ == "__main__":
    main()

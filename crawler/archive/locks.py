"""One run at a time: advisory locks on the archive's and the state's folders, freed by the kernel whatever happens."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Busy(RuntimeError):
    """Another run holds the lock."""


class Lock:
    """flock(2) on folders themselves: no lock file is left behind, and a killed run frees it."""

    def __init__(self, *folders: Path) -> None:
        """Raises Busy, naming the folder, where another process holds one of them; OSError for one that is missing."""
        self._held: list[int] = []
        for folder in dict.fromkeys(one.resolve() for one in folders):
            try:
                self._held.append(os.open(folder, os.O_RDONLY))
                fcntl.flock(self._held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self.release()
                raise Busy(f"another run is active in {folder}; nothing was touched") from error
            except OSError:
                self.release()
                raise

    @classmethod
    def of_those_there(cls, *folders: Path) -> Lock:
        """A lock on those folders that exist: before the first run there is no state. Raises Busy."""
        return cls(*(one for one in folders if one.is_dir()))

    def release(self) -> None:
        """Give all folders free."""
        while self._held:
            os.close(self._held.pop())

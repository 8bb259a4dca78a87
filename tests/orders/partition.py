"""A line between one process and the database's socket that may be cut: nothing comes through, nobody is told."""

import socket
import threading
from pathlib import Path
from typing import Self

PIECE = 1 << 16


class Line:
    """Serves at `path` while entered. While it is cut, what either side says is held, as by a network that is away."""

    def __init__(self, path: Path, server: str) -> None:
        self.path = path
        self.held = 0  # times that somebody said something into the dark
        self._server = server
        self._asks, self._answers = threading.Event(), threading.Event()  # while set, each comes through
        self.heal()
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(self.path))
        self._door.listen()
        self._start(self._serve)
        return self

    def __exit__(self, *_: object) -> None:
        self.heal()
        for each in (self._door, *self._ends):
            _shut(each)
        for thread in self._threads:
            thread.join()
        for each in (self._door, *self._ends):
            each.close()

    def cut(self) -> None:
        self._asks.clear()
        self._answers.clear()

    def cut_answers(self) -> None:
        """What the process says still arrives."""
        self._answers.clear()

    def heal(self) -> None:
        self._asks.set()
        self._answers.set()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:  # it was shut
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._server)
            self._ends += [near, far]
            self._start(self._carry, near, far, self._asks)
            self._start(self._carry, far, near, self._answers)

    def _start(self, call: object, *args: object) -> None:
        thread = threading.Thread(target=call, args=args)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _carry(self, this: socket.socket, that: socket.socket, whole: threading.Event) -> None:
        """Until either side ends."""
        while piece := _received(this):
            if not whole.is_set():
                self.held += 1
                whole.wait()
            try:
                that.sendall(piece)
            except OSError:
                break
        for each in (this, that):
            _shut(each)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(PIECE)
    except OSError:
        return b""


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was first

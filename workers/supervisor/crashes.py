"""Reads from supervisord's log which process does not stay up."""

import re
from collections import defaultdict, deque

MOST = 5  # exits within the window that nobody asked for: more is not bad luck
WINDOW_S = 60.0

_EXIT = re.compile(r"exited: (\S+) \(.*not expected\)")
_GAVE_UP = re.compile(r"gave up: (\S+) entered FATAL state")


class Crashes:
    """supervisord itself gives up only on a process that ends within two seconds of its start, time after time."""

    def __init__(self) -> None:
        self._exits: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=MOST))

    def note(self, line: str, now_s: float) -> str | None:
        """The name of the process that this line of the log makes hopeless."""
        if gave_up := _GAVE_UP.search(line):
            return gave_up[1]
        if exited := _EXIT.search(line):
            exits = self._exits[exited[1]]
            exits.append(now_s)
            if len(exits) == MOST and now_s - exits[0] <= WINDOW_S:
                return exited[1]
        return None

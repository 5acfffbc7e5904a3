"""When a process that ended is started again, and when that is given up."""

from __future__ import annotations

# Seconds.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 60.0
# A process that ends so often without having been well in between will not be well.
MOST_FAILURES = 6


class Restarts:
    """The restarts of one process.

    Pauses double from half a second to half a minute: 0.5, 1, 2, 4, 8 s before the farm gives up on a process that was
    never well. They begin anew once it has run for a minute.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._pause = FIRST_PAUSE

    def well(self) -> None:
        """Note that the process does what it is for."""
        self._failures = 0

    def pause_after(self, ran: float) -> float | None:
        """Seconds to wait before the next start, after a run of ``ran`` seconds. None: do not start it again."""
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            return None
        if ran >= HEALTHY_AFTER:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause

"""Ceilings: what an endpoint bears, found by growing until it refuses and shrinking when it does.

    window, rate = Window(most=128), Rate()
    window.size(now)                             # requests that may be in flight
    window.strays.refused(level)                 # True where a refusal says nothing about load
    window.refused(in_flight, now)               # True where this begins a storm
    rate.wait_s(now)                             # until the next may be sent

Some endpoints bear so many requests at a time, others so many in a second. The window finds the first, and mostly also
the second; the rate takes over where the window is plainly not the point. Both grow back as CUBIC does (Ha, Rhee, Xu
2008): fast far below the last refusal, hardly at all near it, and beyond it ever faster, since the endpoint may have
got stronger. Refusals that have nothing to do with load change neither (`Strays`). Pure arithmetic; the clock is handed
in.
"""

from __future__ import annotations

OPENING = 8
DOUBLING_S = 0.025
"""The window opens from 8 and doubles every 25 ms, so that a busy endpoint is not met by hundreds at once."""
OPENING_STEP_S = 0.002
MAX_STEP_S = 0.005
"""Time in which this process got no turn does not count: a refusal may have come meanwhile."""
SHRINK = 0.75
SHRINK_AGAIN = 0.9
"""Where the ceiling is met again that was met before."""
SAME = 0.8
"""A flight of which less than this is borne than of the one before has met another ceiling."""
NEAR = 0.95
"""Of the ceiling: up to here growth is fast."""
SLOW = 64
"""Answers that near the ceiling add one to a window, at least; a larger one waits for as many as it holds."""
SAFE = 0.9
"""Of the ceiling: an endpoint that bears so many at a time refuses nothing below."""
STRAY = 0.125
"""Share of refusals that may be strays; what refuses more is at its limit, wherever that is."""
ALIKE = 4
"""How many times the share of strays below is still that of strays near the ceiling."""
MEMORY = 64
"""Requests by which these shares are measured."""
BESIDE = 0.5
"""A rate that has been lowered to this part of the first one, and is refused all the same, is not the point."""
DEAR = 4
"""Where a refusal halts everybody, for so many times what could have been answered meanwhile."""


class Strays:
    """Tells refusals that have nothing to do with load by where they come.

    A gateway in front of several servers, one of which is busy, refuses a share of all requests however few there are.
    To slow down for those helps nobody and ends at a crawl. They come below the ceiling too, where load refuses
    nothing; how many do is what is to be expected near it.
    """

    def __init__(self) -> None:
        self._safe = 0.0
        self._share_below = self._share_near = 0.0

    def begin(self, safe: float) -> None:
        """Learn up to how many in flight load refuses nothing; 0 where the number in flight is not the point."""
        self._safe = safe
        if not safe:
            self._share_below = self._share_near = 0.0

    def sent(self, level: int) -> None:
        """Count a request that is sent as the last of so many in flight."""
        if level > self._safe:
            self._share_near *= 1 - 1 / MEMORY
        else:
            self._share_below *= 1 - 1 / MEMORY

    def refused(self, level: int) -> bool:
        """Count a refusal of what was sent at that level, and tell whether it is a stray."""
        if level <= self._safe:
            self._share_below += 1 / MEMORY
            return self._share_below <= STRAY
        self._share_near += 1 / MEMORY
        return self._share_near <= min(STRAY, ALIKE * self._share_below)


class Window:
    """How many requests may be in flight: additive increase, multiplicative decrease."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.is_opening = most > OPENING
        self.is_the_point = True
        """Whether fewer at a time is what helps: False where most of a flight was refused, or ever fewer are borne."""
        self._size = float(min(OPENING, most))
        self._ceiling = float(most)
        self._slow = float(SLOW)
        self._stepped_at: float | None = None
        self._shrunk_at = -1.0
        self._in_storm = False
        self._flight = self._refused = 0
        self._borne_before = 0
        self.strays = Strays()

    def size(self, now: float) -> int:
        """Return how many may be in flight now."""
        if self.is_opening:
            passed = 0.0 if self._stepped_at is None else min(now - self._stepped_at, MAX_STEP_S)
            self._stepped_at = now
            self._size *= 2.0 ** (passed / DOUBLING_S)
            if self._size >= self.most:
                self._size, self.is_opening = float(self.most), False
        return int(self._size)

    def answered(self, sent_at: float, in_flight: int) -> None:
        """Grow after an answer, where the window was in use. What was sent before it shrank tells nothing new."""
        if self.is_opening or sent_at <= self._shrunk_at:
            return
        self._in_storm = False
        if self._size >= self.most or in_flight < int(self._size):
            return
        if self._size < NEAR * self._ceiling:
            self._size += 0.5
        else:
            self._size += max(1.0, self._size - self._ceiling) / max(self._size, self._slow)
        self._size = min(self._size, float(self.most))

    def refused(self, in_flight: int, now: float) -> bool:
        """Shrink after a refusal; return whether it begins a new storm. `in_flight` counts the refused one.

        A storm lasts until a request that was sent after its beginning is answered.
        """
        is_new = not self._in_storm
        if is_new:
            self._borne_before = self._flight - self._refused
            self._in_storm, self.is_opening = True, False
            self._shrunk_at, self._flight, self._refused = now, in_flight, 0
        self._refused += 1
        borne = self._flight - self._refused
        is_mild = 2 * borne >= self._flight
        is_same = 0 < SAME * self._borne_before <= borne <= self._borne_before / SAME
        if is_mild:
            self._ceiling = float(max(1, borne))
            self._size = max(1.0, (SHRINK_AGAIN if is_same else SHRINK) * borne)
        else:
            self._ceiling = max(1.0, self._flight / 2)
            self._size = 1.0
        self.is_the_point = is_mild and borne >= SAME * self._borne_before
        self.strays.begin(SAFE * self._ceiling if self.is_the_point else 0.0)
        return is_new

    def reopen(self) -> None:
        """Grow as if nothing had been refused yet: neither fewer at a time nor fewer in a second has helped."""
        self.is_the_point = True
        self._ceiling = float(self.most)
        self.strays.begin(SAFE * self._ceiling)

    def halted(self, num_answers: float) -> None:
        """Learn what a refusal costs: probe for more the less often the more answers its halt prevents."""
        self._slow = max(SLOW, DEAR * num_answers) if self.is_the_point else float(SLOW)


class Rate:
    """How many requests may be sent in a second: no limit until refusals show one."""

    PROBE = 50
    """Answers, and three halts, in which the rate goes from a little below the last ceiling to a little beyond."""
    ENOUGH = 16
    """Answers between two storms that say something about the rate."""
    CAREFUL = 0.98
    FREE = 100
    """Times the ceiling, from where on the rate is as good as unlimited."""
    SAVED_S = 1.0
    """What was not sent while everybody had to wait is sent later, up to what this time allows, at double speed."""
    EVENLY = 1.5
    """How much faster than evenly a window may be sent, once there was a refusal: a burst may be what is refused."""

    def __init__(self) -> None:
        self.per_s: float | None = None
        self.measured = 0.0
        """Answers a second, outside of halts, between the last two storms."""
        self._ceiling = self._first = 0.0
        self._since: float | None = None
        self._num_answered = 0
        self._halted_s = self._halt_s = 0.0
        self._took_s = 0.0
        self._saved = self._ready = 0.0
        self._at = 0.0

    def answered(self, took_s: float) -> None:
        """Count an answer, and how long it took."""
        self._num_answered += 1
        self._took_s += 0.1 * (took_s - self._took_s)

    def refused(self, now: float, halted_s: float, limits: bool) -> bool:
        """Begin a storm. What was answered since the last one is what the endpoint bears; `limits` puts that to use.

        At the start of a storm the endpoint has nothing left to give. What it gave since the last one is what came in
        meanwhile: in all the time, where it saves up while everybody is halted, or only in the rest of it. It bears no
        less than the first and no more than the second, nor than what was sent; the geometric mean is taken.

        Returns True where slower and slower has not helped: the rate is not the point, and is no longer limited.
        """
        self._halted_s += halted_s
        if self._since is not None and self._num_answered < self.ENOUGH:
            return False
        if self._since is not None:
            passed = max(1e-3, now - self._since)
            self.measured = self._num_answered / max(1e-3, passed - self._halted_s)
            if limits or self.per_s is not None:
                most = self.measured if self.per_s is None else min(self.measured, self.per_s)
                self._ceiling = (most * self._num_answered / passed) ** 0.5
                self._first = self._ceiling if self.per_s is None else self._first
                self.per_s = self.CAREFUL * self._ceiling
                self._saved = self._ready = 0.0
        self._since, self._num_answered, self._halted_s = now, 0, 0.0
        if self.per_s is None or self._ceiling >= BESIDE * self._first:
            return False
        self.per_s = None
        return True

    def halted(self, halt_s: float) -> None:
        """Learn how long a refusal halts everybody: the longer, the less often is it worth one."""
        self._halt_s = halt_s

    def wait_s(self, now: float, window: int) -> float:
        """Return how long until the next may be sent, with so many in flight at a time."""
        if self._since is None:
            return 0.0
        passed, self._at = now - self._at, now
        evenly = self.EVENLY * window / max(1e-3, self._took_s)
        wait_s = 0.0
        if self.per_s is not None:
            evenly = min(evenly, 2 * self.per_s)
            self._saved = min(self._saved + passed * self.per_s, max(1.0, self.SAVED_S * self.per_s))
            wait_s = (1.0 - self._saved) / self.per_s
            beyond = max(self.per_s - self._ceiling, 0.01 * self._ceiling)
            self.per_s += 2 * beyond * passed / max(self.PROBE / self.per_s, 3 * self._halt_s)
            if self.per_s > self.FREE * self._ceiling:
                self.per_s = None
        self._ready = min(self._ready + passed * evenly, max(1.0, 0.01 * evenly))
        return max(0.0, wait_s, (1.0 - self._ready) / evenly)

    def take(self) -> None:
        """Count one that is sent."""
        self._saved -= 1.0
        self._ready -= 1.0

"""How long a region has to rest before it is sent, learned from what became of the answers.

People pause for all sorts of reasons, and no fixed wait tells the end of a thought from a look at the keyboard. So the
wait is multiplied when an answer came too late for its code, and shrinks a little with each that did not: it comes to
rest where about one answer in twelve is for nothing, or at half a minute. Saving and going on elsewhere end the wait,
as ever.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_SECONDS = 30.0
_GROWTH = 1.5
_DECAY = 1.04


@dataclass(slots=True)
class Pace:
    """The pace of an author. `factor` multiplies the setting `review.settle_ms`."""

    factor: float = 1.0

    def settle_seconds(self, setting: float) -> float:
        """How long a region has to rest, for a setting in seconds; never less than that."""
        return max(setting, min(setting * self.factor, LONGEST_SECONDS))

    def answered(self, setting: float, *, in_time: bool) -> None:
        """Learn from an answer; `in_time` when its code still stood as it had been sent."""
        if in_time:
            self.factor = max(1.0, self.factor / _DECAY)
        elif setting > 0:
            most = max(1.0, LONGEST_SECONDS / setting)  # more of it is not waited, but takes as long to wear off
            self.factor = min(self.factor, most) * _GROWTH

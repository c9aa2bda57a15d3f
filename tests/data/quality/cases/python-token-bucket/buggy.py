from dataclasses import dataclass


@dataclass
class TokenBucket:
    """Lets through `rate` requests a second on average, and up to `capacity` at once."""

    rate: float
    capacity: float
    tokens: float = 0.0
    updated: float = 0.0

    def allow(self, now: float, cost: float = 1.0) -> bool:
        """Take `cost` tokens if there are so many at the time `now` (seconds of a clock that never goes back)."""
        self.tokens = min(self.capacity, self.tokens + (now - self.updated) * self.rate)
        if self.tokens < cost:
            return False
        self.updated = now
        self.tokens -= cost
        return True

    def wait_time(self, now: float, cost: float = 1.0) -> float:
        """Seconds from `now` until `cost` tokens will be there; `cost` is at most `capacity`."""
        missing = cost - (self.tokens + (now - self.updated) * self.rate)
        return max(0.0, missing / self.rate)

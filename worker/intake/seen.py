"""The numbers that a campaign already has, so that nobody gets it twice: exact, and small for millions.

A table of open addressing over machine integers: 11 to 22 bytes a number, where a `set` of Python's integers takes 64
to 105.
"""

from array import array

_FEWEST_PLACES = 1 << 10
_SPREAD = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio: neighbours land far apart


class SeenNumbers:
    """A set of positive 64-bit integers that only grows."""

    def __init__(self) -> None:
        """Start empty."""
        self._count = 0
        self._allocate(_FEWEST_PLACES)

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return self._count

    def add(self, number: int) -> bool:
        """Add a number; return whether it was new."""
        places, mask = self._places, self._mask
        place = (number * _SPREAD >> 20) & mask
        while found := places[place]:
            if found == number:
                return False
            place = (place + 1) & mask
        places[place] = number
        self._count += 1
        if self._count > self._most:
            self._grow()
        return True

    def _allocate(self, places: int) -> None:
        self._places = array("Q", bytes(8 * places))
        self._mask = places - 1
        self._most = places * 3 // 4

    def _grow(self) -> None:
        numbers = self._places
        self._allocate(2 * len(numbers))
        places, mask = self._places, self._mask
        for number in filter(None, numbers):
            place = (number * _SPREAD >> 20) & mask
            while places[place]:
                place = (place + 1) & mask
            places[place] = number

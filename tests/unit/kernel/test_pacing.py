"""What is held, and for how long."""

from __future__ import annotations

import pytest

from deepnote_kernel.kernel.pacing import Pacer, pieces


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_burst_within_the_window_is_not_held() -> None:
    """Twenty thousand lines, a megabyte or so, pass at once."""
    pacer = Pacer(800_000, clock=Clock())
    assert [pacer.delay_s(200_000) for _ in range(12)] == [0.0] * 12


def test_a_flood_is_held_to_the_rate() -> None:
    """Once the window is full, the next piece waits until the first has left it."""
    clock = Clock()
    pacer = Pacer(100, window_s=3.0, clock=clock)
    assert pacer.delay_s(200) == 0.0
    clock.now += 1.0
    assert pacer.delay_s(100) == 0.0
    assert pacer.delay_s(100) == 2.0
    assert pacer.delay_s(100) == 2.0
    assert pacer.delay_s(100) == 3.0


def test_messages_are_counted_whatever_their_size() -> None:
    """Tiny messages are held too: the server counts them."""
    pacer = Pacer(messages_per_s=1, window_s=3.0, clock=Clock())
    assert [pacer.delay_s() for _ in range(4)] == [0.0, 0.0, 0.0, 3.0]


def test_a_piece_larger_than_the_window_passes_alone() -> None:
    """What can never fit is not held for ever."""
    pacer = Pacer(10, clock=Clock())
    assert pacer.delay_s(1000) == 0.0


def test_a_rate_of_zero_never_holds() -> None:
    """Whoever has no Jupyter server between may switch it off."""
    pacer = Pacer(0, clock=Clock())
    assert [pacer.delay_s(10**9) for _ in range(3)] == [0.0] * 3


def test_an_interrupt_ends_all_waiting() -> None:
    """Whoever stops a cell wants the end of it."""
    pacer = Pacer(10, clock=Clock())
    pacer.delay_s(1000)
    pacer.release()
    assert pacer.delay_s(1000) == 0.0


@pytest.mark.parametrize(
    "text",
    ["", "short", "x" * 500_000, ("line " * 20 + "\n") * 5_000],
    ids=["empty", "short", "one long line", "many lines"],
)
def test_pieces_lose_nothing(text: str) -> None:
    """The pieces of a text are the text."""
    assert "".join(pieces(text)) == text


def test_pieces_end_with_lines() -> None:
    """A long text is cut between lines, so that each message ends with one."""
    text = ("line " * 20 + "\n") * 5_000
    assert all(piece.endswith("\n") for piece in list(pieces(text))[:-1])
    assert len(list(pieces(text))) > 1

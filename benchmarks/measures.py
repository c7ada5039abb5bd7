"""What is measured, how, and what it should come to.

A measure takes a few samples of one target and returns them. Goals are for live cells, as ratios to
another target's median or, where they name none, as bare numbers.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import psutil

from benchmarks.frontend import JSON, run_together
from benchmarks.targets import DIRECT, IPYKERNEL, LIVE, POST, Kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.targets import Target

__all__ = ["DISTANT", "NEAR", "ROUND_TRIP_S", "Goal", "Measure"]

ROUND_TRIP_S = 0.04
"""Of the network between kernel and server, in seconds, where there is one."""

_SETTLE_S = 0.3
_PATIENCE_S = 10.0

_SLEEP, _SPIN = "time.sleep(100)", "while True: pass"
_KERNELS = (IPYKERNEL, LIVE, DIRECT)
_RICH = (IPYKERNEL, LIVE)  # a direct cell has no comms, and a direct session no answers meanwhile
_ALL = (IPYKERNEL, POST, LIVE, DIRECT)

_counter = itertools.count()


@dataclass(frozen=True)
class Goal:
    """What a measure of live cells should come to."""

    limit: float
    than: str = ""
    """The target whose median the limit multiplies; empty where it is in the measure's unit."""

    is_least: bool = False
    """Whether more is better."""

    def is_reached(self, value: float) -> bool:
        """Tell whether a value is within the limit."""
        return value >= self.limit if self.is_least else value <= self.limit


@dataclass(frozen=True)
class Measure:
    """One line of the table."""

    name: str
    take: Callable[[Target], list[float]]
    unit: str = "ms"
    targets: tuple[str, ...] = _ALL
    goals: tuple[Goal, ...] = ()
    rounds: int = 15
    """How often the targets take turns."""


def ms(seconds: list[float]) -> list[float]:
    """Return milliseconds."""
    return [1000 * value for value in seconds]


def trivial(target: Target) -> list[float]:
    """Time ``1+1`` from the request until reply and idle status."""
    return ms([target.run("1+1").elapsed_s for _ in range(5)])


def short(target: Target) -> list[float]:
    """Time what a cell of 50 ms takes beyond those."""
    return ms([target.run("time.sleep(0.05)").elapsed_s - 0.05 for _ in range(3)])


def stream(target: Target) -> list[float]:
    """Time each printed line from the print to the front end."""
    code = "for _ in range(10):\n    print(time.monotonic(), flush=True); time.sleep(0.07)"
    cell = target.run(code)
    return ms([at - float(line) for at, text in cell.prints for line in text.split()])


def lines(target: Target) -> list[float]:
    """Time a cell that prints 20,000 lines."""
    cell = target.run("for i in range(20_000): print(i)")
    if cell.text.split() != [str(i) for i in range(20_000)]:
        raise RuntimeError("lines are missing")
    return ms([cell.elapsed_s])


def picture(target: Target) -> list[float]:
    """Time the display of a PNG of 8.4 million bytes."""
    return ms([target.run("display(Image(picture))").elapsed_s])


def computing(target: Target) -> list[float]:
    """Time, by its own clock, a cell that computes in Python."""
    code = (
        "begin, x = time.perf_counter(), 0\n"
        "for i in range(3_000_000): x += i\n"
        "print(time.perf_counter() - begin)"
    )
    return ms([float(target.run(code).text)])


def completing(target: Target) -> list[float]:
    """Time a completion."""
    return ms([_complete(cast("Kernel", target)) for _ in range(3)])


def inspecting(target: Target) -> list[float]:
    """Time an inspection."""
    return ms([_inspect(cast("Kernel", target)) for _ in range(3)])


def completing_meanwhile(target: Target) -> list[float]:
    """Time a completion while a cell runs."""
    return ms(_meanwhile(cast("Kernel", target), _complete))


def inspecting_meanwhile(target: Target) -> list[float]:
    """Time an inspection while a cell runs."""
    return ms(_meanwhile(cast("Kernel", target), _inspect))


def interrupting_sleep(target: Target) -> list[float]:
    """Time from the interrupt to the end of a cell that sleeps."""
    return ms([_interrupt(cast("Kernel", target), _SLEEP)])


def interrupting_loop(target: Target) -> list[float]:
    """Time from the interrupt to the end of a cell that spins."""
    return ms([_interrupt(cast("Kernel", target), _SPIN)])


def echoing(target: Target) -> list[float]:
    """Time a comm message there and back."""
    kernel = cast("Kernel", target)
    return ms([kernel.echo({"n": next(_counter)}) for _ in range(3)])


def starting(target: Target) -> list[float]:
    """Time from starting the kernel's process to its first ``kernel_info_reply``."""
    return ms([cast("Kernel", target).start()])


def first_cell(target: Target) -> list[float]:
    """Time the first cell of a fresh kernel, which starts a session."""
    return ms([target.run_first()])


def memory(target: Target) -> list[float]:
    """Read the resident memory, in MiB, of a kernel's process that has run one cell."""
    with cast("Kernel", target).fresh() as front_end:
        front_end.run("1")
        return [psutil.Process(front_end.pid).memory_info().rss / 2**20]


def together(target: Target) -> list[float]:
    """Count the trivial cells a second that four kernels run at once."""
    front_ends = cast("Kernel", target).front_ends(4)
    return [4 * 50 / run_together(front_ends, "1+1", 50)]


def _complete(kernel: Kernel) -> float:
    code = "import os; os.path.joi"
    content = {"code": code, "cursor_pos": len(code)}

    def is_right(reply: JSON) -> bool:
        return any(match.endswith("join") for match in reply["matches"])

    return _answered(kernel, "complete", content, is_right)


def _inspect(kernel: Kernel) -> float:
    content = {"code": "os.path.join", "cursor_pos": 12, "detail_level": 0}
    return _answered(kernel, "inspect", content, lambda reply: bool(reply["found"]))


def _answered(kernel: Kernel, kind: str, content: JSON, is_right: Callable[[JSON], bool]) -> float:
    """Ask until the answer is there: a kernel that cannot say in time says nothing."""
    begin = time.monotonic()
    while not is_right(kernel.front_end.ask(kind, content)):
        if time.monotonic() - begin > _PATIENCE_S:
            raise RuntimeError(f"no answer to {kind} within {_PATIENCE_S:g} s")
    return time.monotonic() - begin


def _meanwhile(kernel: Kernel, ask: Callable[[Kernel], float]) -> list[float]:
    if kernel.name == IPYKERNEL:
        return [ask(kernel) for _ in range(3)]  # it answers between cells only
    cell = kernel.front_end.begin(_SLEEP)
    time.sleep(_SETTLE_S)
    elapsed_s = [ask(kernel) for _ in range(3)]
    kernel.front_end.interrupt()
    kernel.front_end.finish(cell)
    return elapsed_s


def _interrupt(kernel: Kernel, code: str) -> float:
    cell = kernel.front_end.begin(code)
    time.sleep(_SETTLE_S)
    begin = time.monotonic()
    kernel.front_end.interrupt()
    kernel.front_end.finish(cell)
    if cell.reply.get("ename") != "KeyboardInterrupt":
        raise RuntimeError(f"the cell was not interrupted: {cell.reply}")
    return cell.ended_at - begin


def _at_most(ratio: float, than: str = IPYKERNEL) -> Goal:
    return Goal(ratio, than)


def _at_least(ratio: float) -> Goal:
    return Goal(ratio, IPYKERNEL, is_least=True)


def _over_network(extra_ms: float) -> Goal:
    return Goal(1000 * ROUND_TRIP_S + extra_ms)


NEAR = (
    Measure("kernel memory", memory, "MiB", _KERNELS, (_at_most(1.3),), rounds=3),
    Measure("trivial cell", trivial, goals=(_at_most(1.7), _at_most(1.3, POST)), rounds=30),
    Measure("50 ms cell, overhead", short, goals=(_at_most(2.0),)),
    Measure("print to front end", stream, targets=_KERNELS, goals=(Goal(30.0),), rounds=7),
    Measure("20,000 lines", lines, goals=(_at_most(1.2),)),
    Measure("8.4 MB picture", picture, goals=(_at_most(2.5),)),
    Measure("computing", computing, goals=(_at_most(1.03),)),
    Measure("completion", completing, targets=_KERNELS, goals=(_at_most(1.5),)),
    Measure("inspection", inspecting, targets=_KERNELS, goals=(_at_most(2.0),)),
    Measure("completion in a cell", completing_meanwhile, targets=_RICH, goals=(_at_most(1.5),)),
    Measure("inspection in a cell", inspecting_meanwhile, targets=_RICH, goals=(_at_most(2.0),)),
    Measure("interrupt a sleep", interrupting_sleep, targets=_KERNELS, goals=(_at_most(2.0),)),
    Measure("interrupt a loop", interrupting_loop, targets=_KERNELS, goals=(_at_most(2.0),)),
    Measure("comm echo", echoing, targets=_RICH, goals=(_at_most(10.0),)),
    Measure("process start to reply", starting, targets=_KERNELS, goals=(_at_most(1.3),)),
    Measure("session start to cell", first_cell, targets=(POST, LIVE, DIRECT), rounds=5),
    Measure("4 kernels at once", together, "cells/s", _KERNELS, (_at_least(0.5),), rounds=5),
)

DISTANT = (
    Measure("trivial cell", trivial, goals=(_over_network(10),)),
    Measure("50 ms cell, overhead", short),
    Measure("print to front end", stream, targets=_KERNELS, goals=(_over_network(100),), rounds=5),
    Measure("20,000 lines", lines, rounds=7),
    Measure("8.4 MB picture", picture, rounds=7),
    Measure("completion", completing, targets=_KERNELS, rounds=7),
    Measure("inspection", inspecting, targets=_KERNELS, rounds=7),
    Measure("completion in a cell", completing_meanwhile, targets=_RICH, rounds=7),
    Measure("interrupt a sleep", interrupting_sleep, targets=_KERNELS, goals=(_over_network(15),)),
    Measure("interrupt a loop", interrupting_loop, targets=_KERNELS, goals=(_over_network(15),)),
    Measure("comm echo", echoing, targets=_RICH, rounds=7),
)

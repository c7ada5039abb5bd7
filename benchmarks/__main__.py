"""Measure what a remote cell costs: ``python -m benchmarks``. See README.md beside this file."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measures import DISTANT, NEAR, ROUND_TRIP_S
from benchmarks.network import distant
from benchmarks.report import Result, as_json, table
from benchmarks.targets import DIRECT, IPYKERNEL, LIVE, POST, ExecuteCall, Kernel
from tests.integration.conftest import run_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measures import Measure
    from benchmarks.targets import Target
    from tests.integration.conftest import Server

_QUICK_ROUNDS = 3
_COUNTED = 20
_REQUESTS = "requests"
# What calls cost is measured here, not how a budget spaces them.
_CALLS_PER_MINUTE = "60000"
_QUIET = "--log-level=ERROR"  # ipykernel warns at each start that loopback is not encrypted
_PACKAGES = ("ipykernel", "ipython", "jupyter-client", "greenlet", "httpx", "uvicorn")


def main() -> None:
    """Run the measures asked for and print what they came to."""
    options = _options()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(run_server(stack.enter_context(_isolated())))
        report: dict[str, Any] = {"machine": _machine()}
        print("  ".join(f"{name} {value}" for name, value in report["machine"].items()))
        for title, round_trip_s, measures in (
            ("loopback", 0.0, NEAR),
            (f"{1000 * ROUND_TRIP_S:g} ms between kernel and server", ROUND_TRIP_S, DISTANT),
        ):
            wanted = [m for m in measures if _is_wanted(m.name, options.only)]
            targets = _targets(server, round_trip_s, stack)
            if wanted:
                results = [_measured(m, targets, is_quick=options.quick) for m in wanted]
                print(f"\n{title}\n{table(results)}", flush=True)
                for failure in (text for r in results for text in r.failures.values()):
                    print(failure)
                report[title] = as_json(results)
            if not round_trip_s and _is_wanted(_REQUESTS, options.only):
                report[_REQUESTS] = _requests(server, targets)
                counts = ", ".join(f"{name} {n:g}" for name, n in report[_REQUESTS].items())
                print(f"\nrequests a trivial cell, of which the goal is 1: {counts}")
        report["machine"]["load at the end"] = _load()
        if options.json:
            options.json.write_text(json.dumps(report, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: a look, not a result")
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        default=[],
        help=f"only measures whose name contains this, or {_REQUESTS}; may be repeated",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every number here too")
    return parser.parse_args()


def _is_wanted(name: str, only: list[str]) -> bool:
    return not only or any(part.lower() in name.lower() for part in only)


@contextlib.contextmanager
def _isolated() -> Iterator[Path]:
    """Keep the person's settings, history and records away; yield a folder to write to."""
    with tempfile.TemporaryDirectory(prefix="deepnote-benchmarks-") as name:
        for variable in [v for v in os.environ if v.startswith(("DEEPNOTE_", "JUPYTER_"))]:
            del os.environ[variable]
        for variable in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
            os.environ[variable] = f"{name}/{variable}"
        os.environ |= {"JUPYTER_PLATFORM_DIRS": "1", "IPYTHONDIR": f"{name}/ipython"}
        yield Path(name)


def _machine() -> dict[str, str]:
    packages = {name: version(name) for name in _PACKAGES}
    cores = str(os.cpu_count())
    return {"Python": platform.python_version(), **packages, "cores": cores, "load": _load()}


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _targets(server: Server, round_trip_s: float, stack: contextlib.ExitStack) -> dict[str, Target]:
    url = stack.enter_context(distant(server.url, round_trip_s)) if round_trip_s else server.url

    def kernel(name: str, **environ: str) -> Kernel:
        def new_environ() -> dict[str, str]:
            return {
                "DEEPNOTE_BASE_URL": url,
                "DEEPNOTE_TOKEN": server.token,
                "DEEPNOTE_NOTEBOOK_ID": server.new_notebook(),
                "DEEPNOTE_CALLS_PER_MINUTE": _CALLS_PER_MINUTE,
                **environ,
            }

        argv = [sys.executable, "-m", "deepnote_kernel", _QUIET]
        return Kernel(name, argv, stack=stack, new_environ=new_environ, interrupt_mode="message")

    plain = [sys.executable, "-m", "ipykernel_launcher", _QUIET]
    return {
        IPYKERNEL: Kernel(IPYKERNEL, plain, stack=stack),
        POST: ExecuteCall(POST, server, url, stack),
        LIVE: kernel(LIVE, DEEPNOTE_MODE="live"),
        DIRECT: kernel(DIRECT, DEEPNOTE_MODE="direct"),
    }


def _measured(measure: Measure, targets: dict[str, Target], *, is_quick: bool) -> Result:
    """Let the targets of a measure take turns, in another order each round."""
    print(f"{measure.name} …", file=sys.stderr, flush=True)
    result = Result(measure, {name: [] for name in measure.targets})
    rounds = min(measure.rounds, _QUICK_ROUNDS) if is_quick else measure.rounds
    order = list(measure.targets)
    for number in range(rounds + 1):
        for name in [name for name in order if name not in result.failures]:
            try:
                turn = statistics.median(measure.take(targets[name]))
            except RuntimeError as error:
                result.fail(name, f"{measure.name}, {name}: {error}")
                continue
            if number:  # what a target does but once, such as starting, it did in round 0
                result.turns[name].append(turn)
        order = order[1:] + order[:1]
    return result


def _requests(server: Server, targets: dict[str, Target]) -> dict[str, float]:
    """Let the server count the requests that trivial cells take, a cell."""
    counts = {}
    with server.client() as client:
        for name in (POST, LIVE, DIRECT):
            targets[name].run("1+1")
            client.post("/faults", json={"effect": "count"}).raise_for_status()
            for _ in range(_COUNTED):
                targets[name].run("1+1")
            (fault,) = client.get("/faults").json()["faults"]
            client.delete("/faults").raise_for_status()
            counts[name] = fault["matched"] / _COUNTED
    return counts


if __name__ == "__main__":
    main()

"""What a person does with a kernel that runs: interrupt, restart, leave and come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from deepnote_kernel.session.record import Records
from tests.browser.lab import Notebook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.lab import Lab
    from tests.integration.conftest import Server

pytestmark = pytest.mark.timeout(180)

WAIT = """\
import pathlib, time

print("begun")
while not pathlib.Path("{gate}").exists():
    time.sleep(0.05)
print("done")
"""


@pytest.mark.parametrize(
    "code", ["import time; time.sleep(600)", "while True: pass"], ids=["sleep", "loop"]
)
def test_interrupt(
    open_notebook: Callable[..., Notebook], shot: Callable[..., None], code: str
) -> None:
    """The interrupt button ends a cell, and keeps what there was before it."""
    notebook = open_notebook("before = 1", f"print('begun')\n{code}", "before")
    notebook.run(0)
    notebook.start(1)
    expect(notebook.output(1)).to_contain_text("begun")
    notebook.toolbar("Interrupt the kernel").click()
    expect(notebook.output(1)).to_contain_text("KeyboardInterrupt")
    notebook.run(2)
    expect(notebook.output(2)).to_contain_text("1")
    shot(notebook.page)


def test_restart(open_notebook: Callable[..., Notebook], shot: Callable[..., None]) -> None:
    """The restart button empties the namespace; cells number from 1 again."""
    notebook = open_notebook("x = 1", "x")
    notebook.run(0)
    notebook.toolbar("Restart the kernel").first.click()
    shot(notebook.page, "asked")
    notebook.page.get_by_role("button", name="Confirm Kernel Restart").click()
    notebook.wait_until_ready()
    notebook.run(1)
    expect(notebook.prompt(1)).to_have_text("[1]:")
    expect(notebook.output(1)).to_contain_text("NameError: name 'x' is not defined")
    shot(notebook.page)


def test_two_notebooks(
    open_notebook: Callable[..., Notebook], tmp_path: Path, shot: Callable[..., None]
) -> None:
    """While a notebook runs a cell, another has its own kernel, and runs its cells."""
    busy = open_notebook(WAIT.format(gate=tmp_path / "gate"), path="first.ipynb")
    other = open_notebook("'time' in dir()", path="second.ipynb")
    busy.start(0)
    expect(busy.output(0)).to_contain_text("begun")
    other.run(0)
    expect(other.output(0)).to_contain_text("False")
    expect(busy.prompt(0)).to_have_text("[*]:")
    (tmp_path / "gate").touch()
    expect(busy.output(0)).to_contain_text("done")
    shot(busy.page)


def test_come_back(
    open_notebook: Callable[..., Notebook],
    lab: Lab,
    tmp_path: Path,
    shot: Callable[..., None],
) -> None:
    """A cell goes on while its page is closed; whoever opens it again has what the cell made."""
    code = WAIT.format(gate=tmp_path / "gate") + "result = 42"
    left = open_notebook(code, "result")
    left.start(0)
    expect(left.output(0)).to_contain_text("begun")
    left.page.keyboard.press("Control+s")
    expect(left.page.locator(".jp-mod-dirty")).to_have_count(0)
    page = left.page.context.new_page()
    left.page.close()
    page.goto(lab.address("come_back.ipynb"))
    again = Notebook(page)
    expect(page.get_by_text("| Busy")).to_be_visible()
    shot(page, "busy")
    again.start(1)
    (tmp_path / "gate").touch()
    expect(again.output(1)).to_contain_text("42")
    shot(page)
    page.close()


def test_expired_session(
    open_notebook: Callable[..., Notebook],
    lab: Lab,
    server: Server,
    shot: Callable[..., None],
) -> None:
    """A session that has ended is said once, with what to type; typed, it helps."""
    notebook = open_notebook("x = 1", "x", "%deepnote start", "x = 2\nx")
    notebook.run(0)
    owner = f"kernel-{lab.kernel_id('expired_session.ipynb')}.json"
    (session_id,) = (record.id for record in Records().all() if record.owner == owner)
    with server.client() as client:
        client.post(f"/faults/sessions/{session_id}/expire_session").raise_for_status()
    notebook.run(1)
    expect(notebook.output(1)).to_contain_text("SessionGoneError")
    expect(notebook.output(1)).to_contain_text("%deepnote start")
    notebook.run(2)
    notebook.run(3)
    expect(notebook.output(3)).to_contain_text("2")
    shot(notebook.page)

"""What a cell looks like to a front end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Notebook, Server


def test_printed_text(notebook: Notebook) -> None:
    """What a cell prints arrives as a stream."""
    ran = notebook.run("print('hello')")
    assert ran.status == "ok"
    assert ran.text() == "hello\n"


def test_a_result_carries_the_number_of_its_cell(notebook: Notebook) -> None:
    """``Out[n]`` stands below ``In[n]``, wherever the cell ran."""
    numbers: list[int] = []

    def note(message: dict[str, Any]) -> None:
        if message["msg_type"] in {"execute_input", "execute_result"}:
            numbers.append(message["content"]["execution_count"])

    for code in ("6 * 7", "%%local\n6 * 7", "6 * 7"):
        ran = notebook.run(code, on_message=note)
        assert ran.result == "42"
        numbers.append(ran.reply["execution_count"])
    first = numbers[0]
    assert numbers == [first] * 3 + [first + 1] * 3 + [first + 2] * 3


def test_an_error_is_an_error(notebook: Notebook) -> None:
    """The error, its traceback and the reply are those of the far side."""
    ran = notebook.run("def f():\n    1 / 0\nf()")
    assert ran.types == ["error"]
    assert (ran.status, ran.reply["ename"]) == ("error", "ZeroDivisionError")
    assert "f()" in ran.traceback
    assert "deepnote_kernel" not in ran.traceback


def test_an_error_stops_run_all(notebook: Notebook) -> None:
    """Cells that wait behind a failed one are aborted."""
    sent = [notebook.client.execute(code) for code in ("1 / 0", "print('no')", "print('no')")]
    status: dict[str, str] = {}
    while not status.keys() >= {*sent}:  # the replies alone: messages on iopub may overtake them
        reply = notebook.client.get_shell_msg(timeout=30)
        status[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
    assert [status[msg_id] for msg_id in sent] == ["error", "aborted", "aborted"]


def test_variables_stay(notebook: Notebook) -> None:
    """Cells share the namespace of the session, and not that of this process."""
    notebook.run("answer = 42")
    assert notebook.run("answer").result == "42"
    assert notebook.run("%%local\n'answer' in globals()").result == "False"


def test_local_and_remote_are_two_processes(notebook: Notebook) -> None:
    """``%%local`` runs in the kernel's process, other cells do not."""
    here = notebook.run("%%local\nimport os\nos.getpid()").result
    there = notebook.run("import os\nos.getpid()").result
    assert here == str(notebook.pid)
    assert there != here


def test_lines_of_a_mixed_cell_run_in_order(notebook: Notebook) -> None:
    """``%deepnote`` lines on top run here, what follows remotely, under one number."""
    ran = notebook.run("where = %deepnote status\n%deepnote status\nprint('there')\n7 * 6")
    assert ran.status == "ok"
    assert ran.types == ["execute_result", "stream", "execute_result"]
    assert ran.result == "42"
    assert notebook.run("%%local\nwhere.state").result == "'idle'"


def test_a_mixed_cell_stops_at_its_first_error(notebook: Notebook) -> None:
    """What follows a failed ``%deepnote`` line does not run."""
    ran = notebook.run("%deepnote nonsense\nprint('no')")
    assert (ran.status, ran.types) == ("error", ["error"])
    assert ran.reply["ename"] == "UsageError"


def test_a_traceback_of_a_mixed_cell_names_the_right_line(notebook: Notebook) -> None:
    """Lines keep their numbers although the first ran here."""
    ran = notebook.run("x = %deepnote status\n\n1 / 0")
    assert "line 3" in ran.traceback


def test_shell_lines_and_magics_are_remote(notebook: Notebook) -> None:
    """``!`` and ``%`` mean the remote machine."""
    assert notebook.run("%env WHERE=there\n!echo $WHERE").text().splitlines()[-1] == "there"


def test_display_updates_in_place(notebook: Notebook) -> None:
    """A display that is updated keeps its id on the way."""
    ran = notebook.run("h = display('a', display_id=True)\nh.update('b')")
    assert ran.types == ["display_data", "update_display_data"]
    ids = [message["content"]["transient"]["display_id"] for message in ran.messages]
    assert ids[0] == ids[1]


def test_output_is_cleared(notebook: Notebook) -> None:
    """``clear_output`` reaches the front end."""
    ran = notebook.run("from IPython.display import clear_output\nclear_output(wait=True)")
    assert ran.contents("clear_output") == [{"wait": True}]


def test_user_expressions_are_evaluated_there(notebook: Notebook) -> None:
    """Front ends may ask for values with a cell."""
    notebook.run("answer = 42")
    ran = notebook.run("pass", user_expressions={"a": "answer"})
    assert ran.reply["user_expressions"]["a"]["data"]["text/plain"] == "42"


def test_a_silent_cell_is_silent(notebook: Notebook) -> None:
    """It publishes nothing and counts for nothing."""
    before = notebook.run("1").reply["execution_count"]
    assert notebook.run("quiet = 1; quiet", silent=True, store_history=False).messages == []
    assert notebook.run("quiet").reply["execution_count"] == before + 1


def test_history_has_what_the_person_wrote(notebook: Notebook) -> None:
    """Arrow-up in a console finds remote, local and mixed cells alike."""
    cells = ["print('far')", "%%local\nprint('near')", "%deepnote status\nprint('both')"]
    for code in cells:
        notebook.run(code)
    content = notebook.client.history(hist_access_type="tail", n=3, reply=True, timeout=10)
    assert [entry[2] for entry in content["content"]["history"]] == cells


def test_twenty_megabytes_arrive(notebook: Notebook) -> None:
    """A huge result arrives whole."""
    ran = notebook.run("from IPython.display import HTML, display\ndisplay(HTML('x' * 20_000_000))")
    assert len(ran.contents("display_data")[0]["data"]["text/html"]) == 20_000_000


def test_many_lines_arrive_in_order(notebook: Notebook) -> None:
    """Nothing is lost of a flood of lines."""
    ran = notebook.run("for i in range(20_000): print(i)")
    assert ran.text() == "".join(f"{i}\n" for i in range(20_000))


def test_a_huge_text_comes_in_pieces(notebook: Notebook) -> None:
    """No message is so large that a Jupyter server would drop it; together they are the text."""
    ran = notebook.run("print('x' * 1_000_000)")
    sizes = [len(content["text"]) for content in ran.contents("stream")]
    assert sum(sizes) == 1_000_001
    assert max(sizes) <= 200_000


def test_a_cell_of_three_megabytes(notebook: Notebook) -> None:
    """Pasted data is not too much for a cell."""
    assert notebook.run(f"len({'x' * 3_000_000!r})").result == "3000000"


def test_bytes_that_are_no_text(notebook: Notebook) -> None:
    """A program that prints invalid UTF-8 does not break its cell."""
    ran = notebook.run(r"!printf 'a\377b\n'")
    assert ran.status == "ok"
    assert ran.text().startswith("a")


def test_direct_mode(start_kernel: Callable[..., Notebook], server: Server) -> None:
    """A cell in direct mode looks the same."""
    notebook = start_kernel("deepnote", server, DEEPNOTE_MODE="direct")
    ran = notebook.run("print('hello')\n6 * 7")
    assert (ran.status, ran.text(), ran.result) == ("ok", "hello\n", "42")
    assert notebook.run("1 / 0").reply["ename"] == "ZeroDivisionError"

"""Comms and widgets: messages both ways, while idle, while a cell runs, after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.notebook import JSON, Notebook

TARGET = """
def opened(comm, message):
    def echo(message):
        print('got', message['content']['data'], [bytes(b) for b in message['buffers']])
        comm.send({'echo': message['content']['data']}, buffers=[b'back'])
    comm.on_msg(echo)
    comm.send({'opened': message['content']['data']})
get_ipython().kernel.comm_manager.register_target('test', opened)
"""


def send(notebook: Notebook, kind: str, buffers: list[bytes] | None = None, **content: Any) -> str:
    """Send a comm message as a front end does; return its id."""
    message = notebook.client.session.msg(kind, content)
    notebook.client.session.send(notebook.client.shell_channel.socket, message, buffers=buffers)
    return str(message["header"]["msg_id"])


def texts(messages: list[JSON]) -> str:
    """Return all that was printed."""
    return "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")


def comm_data(messages: list[JSON]) -> list[JSON]:
    """Return what comm messages carried."""
    return [m["content"]["data"] for m in messages if m["msg_type"] == "comm_msg"]


def test_a_comm_is_opened_and_answers(live: Notebook) -> None:
    """The front end opens a comm; data and buffers go both ways, and a callback may print."""
    live.run(TARGET)
    send(live, "comm_open", comm_id="c1", target_name="test", data={"a": 1})
    opened = comm_data(live.later(comm_data))
    assert opened == [{"opened": {"a": 1}}]
    msg_id = send(live, "comm_msg", [b"there"], comm_id="c1", data={"b": 2})
    found = live.later(lambda messages: comm_data(messages) and texts(messages))
    assert comm_data(found) == [{"echo": {"b": 2}}]
    assert [bytes(b) for m in found for b in m["buffers"]] == [b"back"]
    printed = [m for m in found if m["msg_type"] == "stream"]
    assert texts(printed) == "got {'b': 2} [b'there']\n"
    assert {m["parent_header"]["msg_id"] for m in printed} == {msg_id}
    assert "c1" in live.ask("comm_info_request", {"target_name": "test"})["comms"]
    send(live, "comm_close", comm_id="c1", data={})


def test_a_comm_answers_while_a_cell_runs(live: Notebook) -> None:
    """The cell waits for what only the front end can tell it."""
    live.run(TARGET + "\nimport time\nheard = []")
    send(live, "comm_open", comm_id="c2", target_name="test", data={})
    live.later(comm_data)
    live.run(
        "comm = get_ipython().kernel.comm_manager.comms['c2']\n"
        "comm.on_msg(lambda message: heard.append(message['content']['data']))"
    )
    code = "print('ready')\nwhile not heard:\n    time.sleep(0.01)\nheard"

    def speak(_: str, content: JSON) -> None:
        if "ready" in str(content):
            send(live, "comm_msg", comm_id="c2", data={"x": 1})

    assert live.run(code, on_message=speak).value == "[{'x': 1}]"


def test_a_comm_does_not_end_the_cell_that_runs(live: Notebook) -> None:
    """What IPython does after a cell, such as showing its figures, waits until the cell is over."""
    live.run(TARGET + "\nimport time\norder, heard = [], []\nend = lambda: order.append('end')")
    send(live, "comm_open", comm_id="c3", target_name="test", data={})
    live.later(comm_data)
    code = (
        "get_ipython().kernel.comm_manager.comms['c3'].on_msg(heard.append)\n"
        "get_ipython().events.register('post_execute', end)\n"
        "print('ready')\nwhile not heard:\n    time.sleep(0.01)\norder.append('last line')"
    )

    def speak(_: str, content: JSON) -> None:
        if "ready" in str(content):
            send(live, "comm_msg", comm_id="c3", data={})

    live.run(code, on_message=speak)
    assert live.run("order").value == "['last line', 'end']"
    live.run("get_ipython().events.unregister('post_execute', end)")


def widget_id(result: Any, model: str) -> str:
    """Return the comm id of the first widget of a kind that a cell made."""
    for kind, content in result.messages:
        if kind == "comm_open" and content["data"]["state"].get("_model_name") == model:
            return str(content["comm_id"])
    raise AssertionError(f"no {model} in {result.kinds}")


def move(notebook: Notebook, comm_id: str, **state: Any) -> str:
    """Change a widget's state as its view does."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    return send(notebook, "comm_msg", comm_id=comm_id, data=data)


def test_a_slider_calls_back(live: Notebook) -> None:
    """Its callback runs remotely, and what it prints appears under the slider's event."""
    result = live.run(
        "import ipywidgets as w\ns = w.IntSlider()\n"
        "s.observe(lambda change: print('now', change['new']), 'value')\ns"
    )
    slider = widget_id(result, "IntSliderModel")
    for value in (3, 5):
        msg_id = move(live, slider, value=value)
        found = live.later(lambda messages: "now" in texts(messages))
        printed = [m for m in found if m["msg_type"] == "stream"]
        assert texts(printed) == f"now {value}\n"
        assert printed[0]["parent_header"]["msg_id"] == msg_id
    assert live.run("s.value").value == "5"


def test_interact_redraws(live: Notebook) -> None:
    """``interact`` runs its function again and captures what it shows."""
    result = live.run("import ipywidgets as w\nw.interact(lambda n=1: print('n is', n));")
    slider = widget_id(result, "IntSliderModel")
    move(live, slider, value=2)
    live.later(lambda messages: "n is 2" in str(messages))


def test_a_progress_widget_moves_while_the_cell_runs(live: Notebook) -> None:
    """The updates of a progress bar come one by one."""
    result = live.run(
        "import ipywidgets as w, time\np = w.IntProgress(max=3)\ndisplay(p)\n"
        "for i in range(1, 4):\n    p.value = i\n    time.sleep(0.15)\nprint('end')"
    )
    moves = [
        (at, content["data"]["state"]["value"])
        for at, (kind, content) in zip(result.times_s, result.messages, strict=True)
        if kind == "comm_msg" and "value" in content["data"].get("state", {})
    ]
    assert [value for _, value in moves] == [1, 2, 3]
    assert len({at for at, _ in moves}) == 3


def test_tqdm_notebook_moves(live: Notebook) -> None:
    """The widget of tqdm counts to its end."""
    result = live.run("from tqdm.notebook import tqdm\nfor _ in tqdm(range(5)):\n    pass")
    states = [c["data"].get("state", {}) for kind, c in result.messages if kind == "comm_msg"]
    assert "5/5" in str(states)


def test_an_output_widget_captures(live: Notebook) -> None:
    """The widget is told the very id under which the front end sees the cell's outputs."""
    msg_id = live.send("import ipywidgets as w\no = w.Output()\nwith o:\n    print('inside')")
    result = live.collect(msg_id)
    told = [
        c["data"]["state"]["msg_id"]
        for kind, c in result.messages
        if kind == "comm_msg" and "msg_id" in c["data"].get("state", {})
    ]
    assert told == [msg_id, ""]
    assert "inside" in result.text


def test_a_callback_is_interrupted(live: Notebook) -> None:
    """A widget's callback that hangs gives way to the interrupt button."""
    result = live.run(
        "import ipywidgets as w, time\nb = w.IntSlider()\n"
        "def slow(change):\n    print('ready')\n    time.sleep(600)\n"
        "b.observe(slow, 'value')\nb"
    )
    move(live, widget_id(result, "IntSliderModel"), value=1)
    live.later(lambda messages: "ready" in texts(messages))
    live.interrupt()
    assert live.run("'next'").value == "'next'"


@pytest.mark.parametrize("code", ["1/0", "raise KeyError('k')"])
def test_a_callback_that_fails_shows_why(code: str, live: Notebook) -> None:
    """The error of a callback is shown, as ipykernel shows it."""
    result = live.run(
        "import ipywidgets as w\nb = w.IntSlider()\n"
        f"def bad(change):\n    {code}\nb.observe(bad, 'value')\nb"
    )
    move(live, widget_id(result, "IntSliderModel"), value=1)
    live.later(lambda messages: "bad" in str(messages))

"""The assistant, on the last real server that has one, with a stand-in for the language model.

And what that version lacks: it answers with one line that names version and feature.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from deepnote_kernel.errors import UnsupportedError
from deepnote_kernel.strata import AsyncClient, Client
from deepnote_kernel.strata.calls import ai, cells, data, notebooks
from deepnote_kernel.strata.models import ChatTurn
from deepnote_kernel.strata.socket import Socket
from tests.integration.strata import assistant
from tests.integration.strata.conftest import server_python
from tests.integration.strata.servers import run_strata, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deepnote_kernel.api import Call
    from deepnote_kernel.strata.models import ChatEvent, Notebook
    from tests.integration.strata.servers import StrataServer


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrataServer]:
    """Run a server of version 0.7.0 with a provider of language models."""
    python = server_python("STRATA_0_7_PYTHON")
    with serve(assistant.app()) as provider:
        folder = tmp_path_factory.mktemp("older")
        with run_strata(python, folder, **assistant.environ(provider)) as running:
            yield running


@pytest.fixture(scope="module")
def older_client(older: StrataServer) -> Iterator[Client]:
    """Give a client of that server."""
    with Client(older.url) as connected:
        yield connected


@pytest.fixture(scope="module")
def session_id(older: StrataServer, older_client: Client) -> str:
    """Give a notebook on that server."""
    return older.new_notebook(older_client, "assistant").session_id


def test_status_names_the_model(older_client: Client, session_id: str) -> None:
    """The assistant can be asked."""
    status = older_client.send(ai.status(session_id))
    assert (status.available, status.model) == (True, assistant.MODEL)


def test_models_are_the_providers(older_client: Client, session_id: str) -> None:
    """The provider tells which models it has."""
    listed = older_client.send(ai.models(session_id))
    assert (listed.models, listed.current) == (["another", assistant.MODEL], assistant.MODEL)


def test_a_model_is_chosen(older: StrataServer, older_client: Client) -> None:
    """The notebook keeps its choice."""
    own = older.new_notebook(older_client, "choice").session_id
    assert older_client.send(ai.choose_model(own, "another")).model == "another"
    assert older_client.send(ai.status(own)).model == "another"


def test_complete_returns_the_whole_answer(older_client: Client, session_id: str) -> None:
    """The answer comes with the model that gave it and what it has cost."""
    history = [ChatTurn(role="user", content="Hi"), ChatTurn(role="assistant", content="Hello")]
    reply = older_client.send(ai.complete(session_id, "and now?", history=history))
    assert reply.content.startswith("You said: ")
    assert reply.content.endswith("and now?")
    assert (reply.model, reply.tokens.input, reply.tokens.output) == (assistant.MODEL, 7, 3)


def told(events: list[ChatEvent]) -> tuple[str, list[str]]:
    """Return the text of a streamed answer and the kinds of its events."""
    return "".join(event.text for event in events), [event.kind for event in events]


def test_stream_gives_the_answer_in_pieces(older_client: Client, session_id: str) -> None:
    """Each piece is an event; the last one names the model."""
    events = list(older_client.stream(ai.stream(session_id, "hello?")))
    text, kinds = told(events)
    assert (text[:10], text[-6:]) == ("You said: ", "hello?")
    assert kinds == ["delta", "delta", "delta", "done"]
    assert events[-1].model == assistant.MODEL


def test_stream_awaits_the_pieces(older: StrataServer, session_id: str) -> None:
    """The asynchronous client gives the same events."""

    async def main() -> list[ChatEvent]:
        async with AsyncClient(older.url) as client:
            return [event async for event in client.stream(ai.stream(session_id, "hello?"))]

    assert told(asyncio.run(main()))[1] == ["delta", "delta", "delta", "done"]


def test_the_agent_runs_and_the_socket_tells(older: StrataServer, session_id: str) -> None:
    """The call returns at once; the end comes over the socket. Then it can be reset."""

    async def main() -> str:
        async with AsyncClient(older.url) as client, Socket(session_id, older.url) as socket:
            started = await client.send(ai.run_agent(session_id, "add a cell"))
            assert started.job_id
            done = await socket.wait_for("agent_done")
            await client.send(ai.reset_agent(session_id))
            return f"{started.status} {done.type}"

    assert asyncio.run(main()) == "started agent_done"


NEW = [
    (cells.cancel("{id}", "nope"), "no call to cancel a cell. Strata has one since 0.10.0."),
    (notebooks.close("{id}"), "no call to close a session. Strata has one since 0.9.0."),
    (data.blob("{id}", "x", 0), "no call for what a cell has shown. Strata has one since 0.8.0."),
]


@pytest.mark.parametrize(("call", "lack"), NEW, ids=["cancel", "close", "blob"])
def test_an_older_server_lacks(
    older_client: Client, session_id: str, call: Call[Any], lack: str
) -> None:
    """What came later is said to be missing, with the version that brought it."""
    path = call.path.replace("%7Bid%7D", session_id)
    with pytest.raises(UnsupportedError) as missing:
        older_client.send(call.replace(path=path))
    assert str(missing.value) == f"Strata 0.7.0 has {lack}"


AI = [
    ai.status("{id}"),
    ai.models("{id}"),
    ai.choose_model("{id}", "x"),
    ai.complete("{id}", "x"),
    ai.run_agent("{id}", "x"),
    ai.reset_agent("{id}"),
]


@pytest.mark.parametrize("call", AI, ids=lambda call: call.label.partition("ai/")[2])
def test_a_newer_server_has_no_assistant(
    client: Client, notebook: Notebook, call: Call[Any]
) -> None:
    """Every call of the assistant says which version had it last."""
    path = call.path.replace("%7Bid%7D", notebook.session_id)
    with pytest.raises(UnsupportedError) as missing:
        client.send(call.replace(path=path))
    assert str(missing.value) == "Strata 0.11.0 has no AI assistant. Strata had one up to 0.7.0."


def test_a_newer_server_has_no_assistant_to_stream(
    strata: StrataServer, client: Client, notebook: Notebook
) -> None:
    """Both clients say the same of a call that streams."""
    call = ai.stream(notebook.session_id, "hi")

    async def main() -> None:
        async with AsyncClient(strata.url) as other:
            async for _ in other.stream(call):
                pass

    with pytest.raises(UnsupportedError, match="no AI assistant"):
        list(client.stream(call))
    with pytest.raises(UnsupportedError, match="no AI assistant"):
        asyncio.run(main())


def test_features_tell_beforehand(client: Client, older_client: Client) -> None:
    """What a version has can be asked before a call is sent."""
    newer, older = client.features(), older_client.features()
    assert (newer.version, older.version) == ("0.11.0", "0.7.0")
    assert (newer.has(ai.status("x")), older.has(ai.status("x"))) == (False, True)
    assert (newer.has(notebooks.close("x")), older.has(notebooks.close("x"))) == (True, False)

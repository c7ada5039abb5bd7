"""Whatever a server sends, a call ends in a result or in an error of ours."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnote_kernel.api import (
    Call,
    Client,
    Retry,
    blocks,
    files,
    integrations,
    machines,
    me,
    notebooks,
    projects,
    runs,
    schedules,
    sessions,
    v1,
)
from deepnote_kernel.config import Secret
from deepnote_kernel.errors import DeepnoteError

CALLS: list[Call[Any]] = [
    blocks.create("n"),
    files.copy("p", "a", target_project_id="q"),
    files.list_("p"),
    files.read("p", "a"),
    files.upload("p", "a", b""),
    integrations.list_(),
    machines.get("p"),
    me.get(),
    notebooks.create("p"),
    notebooks.delete("n"),
    notebooks.get("n"),
    notebooks.list_runs("n"),
    notebooks.reorder_blocks("n", ["b"]),
    projects.create("p"),
    projects.get("p"),
    projects.import_("p", b""),
    projects.list_(),
    projects.update("p", sharing_enabled=True),
    runs.create("n"),
    runs.download_snapshot("https://store.example/s"),
    runs.get("r"),
    schedules.get("n"),
    sessions.create("n"),
    sessions.execute("s", notebook_id="n", code="1"),
    sessions.interrupt("s", notebook_id="n"),
    sessions.run("s"),
    sessions.status("s", notebook_id="n"),
    sessions.stop("s"),
    v1.execute("p", "n"),
]
NAMES = st.sampled_from(
    [
        *("apiKey", "block", "blockIds", "blocks", "createdAt", "error", "file", "files", "id"),
        *("inputs", "integrations", "kernel", "machine", "message", "path", "schedule", "type"),
        *("nextPageToken", "notebook", "notebooks", "outputs", "pagination", "project"),
        *("projects", "queuedBlockIds", "run", "runId", "runs", "session", "snapshot", "user"),
    ]
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=6),
    max_leaves=20,
)
BODIES = st.binary() | DOCUMENTS.map(lambda document: json.dumps(document).encode())
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.label)
@given(body=BODIES, status=st.integers(200, 599), retry_after=HEADER)
def test_any_answer_is_read_or_refused(
    call: Call[Any], body: bytes, status: int, retry_after: str
) -> None:
    """No body, status or header makes a call raise anything but a one-line error of ours."""
    response = httpx.Response(status, content=body, headers={"Retry-After": retry_after})
    with Client(
        token=Secret("a-token-of-some-length"),
        # Loopback spares each example the reading of certificate authorities.
        base_url="http://127.0.0.1",
        transport=httpx.MockTransport(lambda _request: response),
        retry=Retry(retries=0),
    ) as client:
        try:
            client.send(call)
        except DeepnoteError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017


@given(code=st.text(st.characters()))
def test_any_code_is_sent_or_refused(code: str) -> None:
    """A lone surrogate cannot be written as JSON: that is said before anything is sent."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content)["code"] == code
        return httpx.Response(200, json={"outputs": []})

    with Client(
        token=Secret("a-token-of-some-length"),
        base_url="http://127.0.0.1",
        transport=httpx.MockTransport(answer),
    ) as client:
        try:
            code.encode()
        except UnicodeEncodeError:
            with pytest.raises(DeepnoteError, match="was not sent: surrogates not allowed"):
                client.send(sessions.execute("s", notebook_id="n", code=code))
        else:
            assert client.send(sessions.execute("s", notebook_id="n", code=code)) == []

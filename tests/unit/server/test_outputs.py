"""Folding of messages that kernels send but ipykernel does not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from deepnote_kernel.server.execution.outputs import Outputs


def folded(*messages: tuple[str, bytes]) -> Any:
    """Return the outputs of some messages as a client reads them."""
    outputs = Outputs()
    for msg_type, content in messages:
        outputs.add(msg_type, content)
    return msgspec.json.decode(msgspec.json.encode(outputs.result()))


def test_raw_bytes_are_replaced() -> None:
    """What jupyter_client packs for a lone surrogate is no UTF-8."""
    assert folded(("stream", b'{"name": "stdout", "text": "a\xffb"}')) == [
        {"output_type": "stream", "name": "stdout", "text": "a\ufffdb"}
    ]


def test_raw_bytes_in_a_payload_are_replaced() -> None:
    """Payloads are passed through only as long as they are UTF-8."""
    (output,) = folded(("display_data", b'{"data": {"text/plain": "a\xffb"}, "metadata": {}}'))
    assert output["data"] == {"text/plain": "a\ufffdb"}


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_json_does_not_know_become_null(number: bytes) -> None:
    """Some kernels send them all the same."""
    (output,) = folded(("display_data", b'{"data": {"a/b": [%s, 1]}, "metadata": {}}' % number))
    assert output["data"] == {"a/b": [None, 1]}


def test_half_a_surrogate_pair_is_replaced() -> None:
    """An escape of one is JSON to some writers, and to no strict reader."""
    (output,) = folded(("stream", rb'{"name": "stdout", "text": "a\ud800b"}'))
    assert output["text"] == "a?b"


@pytest.mark.parametrize("content", [b"nonsense", b"{}", b'{"name": 1, "text": 2}', b"\xff"])
def test_a_message_that_cannot_be_read_is_passed_over(
    content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so; other outputs are not lost."""
    assert folded(("stream", content), ("stream", b'{"name": "stdout", "text": "a"}')) == [
        {"output_type": "stream", "name": "stdout", "text": "a"}
    ]
    assert "stream message that cannot be read" in caplog.text


@pytest.mark.parametrize("msg_type", ["comm_msg", "execute_input", "debug_event"])
def test_other_messages_are_no_outputs(msg_type: str) -> None:
    """They have no place in a notebook."""
    assert folded((msg_type, b"{}")) == []


def test_a_payload_is_not_decoded() -> None:
    """It goes out as it came, byte for byte."""
    outputs = Outputs()
    outputs.add("display_data", b'{"data": {"a/b": 1.0e2 }, "metadata": {}}')
    assert b'{"a/b": 1.0e2 }' in msgspec.json.encode(outputs.result())

"""Outputs in the notebook format become the messages a front end shows."""

from __future__ import annotations

from typing import Any

import pytest

from deepnote_kernel.outputs import (
    DATAFRAME_MIME,
    error_output,
    no_matches,
    not_found,
    reply_content,
    to_messages,
)


def stream(text: Any, name: str = "stdout") -> dict[str, Any]:
    """Return a stream output."""
    return {"output_type": "stream", "name": name, "text": text}


def contents(*outputs: Any, execution_count: int = 0) -> list[tuple[str, dict[str, Any]]]:
    """Return type and content of the messages that outputs become."""
    messages = to_messages(outputs, execution_count=execution_count)
    return [(message.msg_type, message.content) for message in messages]


def data_of(data: Any) -> Any:
    """Return the data of a display as it is shown."""
    [(_, content)] = contents({"output_type": "display_data", "data": data, "metadata": {}})
    return content["data"]


@pytest.mark.parametrize("text", ["a\nb\n", ["a\n", "b\n"]])
def test_stream_text_is_a_string_or_a_list_of_strings(text: Any) -> None:
    """Both forms that the notebook format allows become one string."""
    assert contents(stream(text)) == [("stream", {"name": "stdout", "text": "a\nb\n"})]


def test_bare_string_is_standard_output() -> None:
    """An item that is only a string is shown as if it had been printed."""
    assert contents("hello\n") == [("stream", {"name": "stdout", "text": "hello\n"})]


def test_adjacent_streams_of_one_name_are_joined() -> None:
    """Order among streams of different names is kept; neighbours of one name become one."""
    outputs = [stream("a"), stream("b"), stream("!", "stderr"), "c", stream(["d", "e"])]
    assert contents(*outputs) == [
        ("stream", {"name": "stdout", "text": "ab"}),
        ("stream", {"name": "stderr", "text": "!"}),
        ("stream", {"name": "stdout", "text": "cde"}),
    ]


@pytest.mark.parametrize("output", [stream(""), stream([]), stream(None), ""])
def test_empty_stream_is_left_out(output: Any) -> None:
    """A stream without text is no message."""
    assert contents(output) == []


def test_stream_without_name_is_standard_output() -> None:
    """A missing stream name means stdout."""
    assert contents({"output_type": "stream", "text": "x"}) == [
        ("stream", {"name": "stdout", "text": "x"})
    ]


def test_result_carries_our_execution_count() -> None:
    """A count of ours replaces the far side's, which counts other things too."""
    output = {"output_type": "execute_result", "execution_count": 41, "data": {"text/plain": "1"}}
    expected = {"data": {"text/plain": "1"}, "metadata": {}, "execution_count": 3}
    assert contents(output, execution_count=3) == [("execute_result", expected)]


def test_result_keeps_its_execution_count_where_we_have_none() -> None:
    """A count of 0 leaves the far side's in place."""
    output = {"output_type": "execute_result", "execution_count": 41, "data": {}}
    assert contents(output)[0][1]["execution_count"] == 41


def test_display_data_keeps_metadata() -> None:
    """Metadata, such as the size of an image, goes along."""
    metadata = {"image/png": {"width": 3}}
    output = {
        "output_type": "display_data",
        "data": {"image/png": "aGk=", "text/plain": "fig"},
        "metadata": metadata,
    }
    expected = {"data": output["data"], "metadata": metadata, "transient": {}}
    assert contents(output) == [("display_data", expected)]


def test_raw_display_updates_pass() -> None:
    """A server that does not fold updates and clearing sends them as they were; so do we."""
    shown = {"data": {"text/plain": "x"}, "metadata": {}, "transient": {"display_id": "d"}}
    assert contents(
        {"output_type": "update_display_data", **shown},
        {"output_type": "clear_output", "wait": True},
    ) == [("update_display_data", shown), ("clear_output", {"wait": True})]


def test_error_is_passed_on() -> None:
    """Name, value and traceback arrive as they are."""
    error = {"ename": "ValueError", "evalue": "no", "traceback": ["one", "two"]}
    assert contents({"output_type": "error", **error}) == [("error", error)]


def test_error_with_missing_keys_can_be_shown() -> None:
    """What an error lacks is filled in, so that front ends do not stumble."""
    assert contents({"output_type": "error"}) == [
        ("error", {"ename": "Error", "evalue": "", "traceback": []})
    ]


def test_error_with_one_text_as_traceback_is_split() -> None:
    """A traceback that came as one text becomes a list of lines."""
    [(_, content)] = contents({"output_type": "error", "traceback": "one\ntwo"})
    assert content["traceback"] == ["one", "two"]


@pytest.mark.parametrize(
    ("output", "named"),
    [({"output_type": "hologram"}, "'hologram'"), ({}, "missing"), (7, "missing"), (None, "miss")],
)
def test_unknown_output_is_left_out_with_a_note(output: Any, named: str) -> None:
    """Nothing of an unknown type is shown but a line on stderr that names it."""
    [(msg_type, content)] = contents(output)
    assert msg_type == "stream"
    assert content["name"] == "stderr"
    assert named in content["text"]


def test_text_of_any_kind_may_come_as_lines() -> None:
    """Lists of lines are joined for every type of text."""
    assert data_of({"text/html": ["<b>", "x</b>"], "text/plain": ["x"]}) == {
        "text/html": "<b>x</b>",
        "text/plain": "x",
    }


@pytest.mark.parametrize("mime", ["application/json", "application/vnd.vega.v5+json"])
def test_json_stays_what_it_is(mime: str) -> None:
    """A list under a JSON type is data, not lines."""
    assert data_of({mime: ["a", "b"]})[mime] == ["a", "b"]


def test_bundle_without_text_gets_one() -> None:
    """A front end without pictures still has something to show."""
    assert data_of({"image/png": "aGk="})["text/plain"] == "<image/png>"


@pytest.mark.parametrize("data", [None, {}, [], "x"])
def test_bundle_without_data_is_empty(data: Any) -> None:
    """Missing or odd data is an empty bundle."""
    assert data_of(data) == {}


FRAME = {
    "column_count": 2,
    "row_count": 1000,
    "preview_row_count": 2,
    "columns": [
        {"name": "<a>", "dtype": "int64"},
        {"name": "b", "dtype": "object"},
        {"name": "_deepnote_index_column", "dtype": "int64"},
    ],
    "rows": [
        {"<a>": 1, "b": "x & y", "_deepnote_index_column": 10},
        {"<a>": None, "_deepnote_index_column": "<i>"},
    ],
    "type": "dataframe",
}


def test_frame_gets_a_table() -> None:
    """A data frame in Deepnote's own type is drawn, its index first, all text escaped."""
    html = data_of({DATAFRAME_MIME: FRAME})["text/html"]
    assert html == (
        '<table border="1" class="dataframe">'
        "<thead><tr><th></th><th>&lt;a&gt;</th><th>b</th></tr></thead><tbody>"
        "<tr><th>10</th><td>1</td><td>x &amp; y</td></tr>"
        "<tr><th>&lt;i&gt;</th><td>None</td><td></td></tr>"
        "</tbody></table><p>first 2 of 1000 rows × 2 columns</p>"
    )


def test_frame_keeps_its_own_type() -> None:
    """The original stays in the bundle for front ends that know it."""
    assert data_of({DATAFRAME_MIME: FRAME})[DATAFRAME_MIME] == FRAME


def test_frame_that_came_with_a_table_keeps_that_one() -> None:
    """A table and a text from pandas itself are better than ours."""
    given = {"text/html": "<table>", "text/plain": "frame", DATAFRAME_MIME: FRAME}
    assert data_of(given) == given


@pytest.mark.parametrize(
    "frame", [{}, {"columns": None, "rows": None}, {"columns": ["a", 3], "rows": [3, "x", []]}]
)
def test_frame_of_unexpected_shape_is_an_empty_table(frame: Any) -> None:
    """A type that Deepnote has changed does not lose the cell's other outputs."""
    shown = data_of({DATAFRAME_MIME: frame})
    assert "<tbody></tbody>" in shown["text/html"]
    assert shown["text/plain"] == "<DataFrame: ? rows × ? columns>"


def test_reply_is_ok_without_an_error() -> None:
    """A cell that shows no error has succeeded."""
    assert reply_content(to_messages(["x"]), execution_count=3) == {
        "status": "ok",
        "execution_count": 3,
        "user_expressions": {},
        "payload": [],
    }


def test_reply_tells_the_error_even_if_outputs_follow_it() -> None:
    """Figures are flushed after a traceback; the cell has failed all the same."""
    figure = {"output_type": "display_data", "data": {"image/png": "aGk="}}
    messages = to_messages([error_output("ValueError", "no"), figure])
    assert reply_content(messages, execution_count=3) == {
        "status": "error",
        "ename": "ValueError",
        "evalue": "no",
        "traceback": ["ValueError: no"],
        "execution_count": 3,
        "user_expressions": {},
        "payload": [],
    }


def test_error_without_a_value_is_one_word() -> None:
    """An interrupt has nothing to say but its name."""
    assert error_output("KeyboardInterrupt")["traceback"] == ["KeyboardInterrupt"]


def test_no_matches_stand_at_the_cursor() -> None:
    """An empty completion replaces nothing."""
    assert no_matches(4) == {
        "status": "ok",
        "matches": [],
        "metadata": {},
        "cursor_start": 4,
        "cursor_end": 4,
    }


def test_not_found_is_an_answer() -> None:
    """An inspection that found nothing is a success."""
    assert not_found() == {"status": "ok", "found": False, "data": {}, "metadata": {}}

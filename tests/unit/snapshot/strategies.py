"""Documents of every kind, for property-based tests."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from deepnote_kernel.snapshot import (
    Block,
    Document,
    Execution,
    ExecutionError,
    ExecutionSummary,
    Integration,
    Metadata,
    Notebook,
    Project,
    content_hash,
)
from deepnote_kernel.snapshot.validation import BLOCK_TYPES

__all__ = ["blocks", "documents", "json_values", "notebooks", "outputs", "quick", "texts", "times"]

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Large examples are slow to make; the time each takes depends on what else the machine does."""

LINES = [
    "x = 1", "else:", "    *args, b = c", "    !pip install x", "- *a", "a: &b", "<<: *b", "", " ",
    "\t", "# c", "---", "'\"", "é\u2028", '"""', "\\", "```", "> a", "- [ ] b", "{{ x }}", "*b*",
]  # fmt: skip

times = st.sampled_from(["2026-11-20T12:00:00.000Z", "2026-11-20T12:00:01.5Z"])
words = st.text("abcXYZ019_-", min_size=1, max_size=12)


def texts() -> st.SearchStrategy[str]:
    """Return texts, many of which look like code, Markdown or YAML."""
    characters = st.characters(exclude_categories=["Cs"])
    return st.text(characters, max_size=20) | st.lists(st.sampled_from(LINES), max_size=6).map(
        "\n".join
    )


def json_values() -> st.SearchStrategy[Any]:
    """Return values a document can hold."""
    scalars = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | texts()
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=5,
    )


def outputs() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return lists of outputs as nbformat has them."""
    data = st.dictionaries(
        st.sampled_from(["text/plain", "text/html", "image/png"]), texts(), max_size=2
    )
    display = {"data": data, "metadata": st.dictionaries(words, json_values(), max_size=1)}
    result = display | {"execution_count": st.integers(1, 99)}
    return st.lists(
        st.fixed_dictionaries(
            {"output_type": st.just("stream"), "name": st.just("stdout"), "text": texts()}
        )
        | st.fixed_dictionaries({"output_type": st.just("display_data"), **display})
        | st.fixed_dictionaries({"output_type": st.just("execute_result"), **result})
        | st.fixed_dictionaries(
            {
                "output_type": st.just("error"),
                "ename": words,
                "evalue": texts(),
                "traceback": st.lists(texts(), max_size=2),
            }
        ),
        max_size=3,
    )


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Return a block of any type, with metadata that types of blocks use."""
    names = [
        "deepnote_variable_name", "deepnote_variable_value", "deepnote_img_src", "color",
        "deepnote_button_title", "deepnote_big_number_value", "sql_integration_id", "checked",
        "formattedRanges", "deepnote_visualization_spec", "indent_level",
    ]  # fmt: skip
    metadata = draw(st.dictionaries(st.sampled_from(names) | words, json_values(), max_size=4))
    content = draw(texts())
    has_run = draw(st.booleans())
    return Block(
        id=draw(words | texts()),
        type=draw(st.sampled_from(sorted(BLOCK_TYPES)) | words),
        block_group=draw(words),
        sorting_key=draw(words),
        content=content,
        content_hash=draw(st.sampled_from([None, "sha256:00", content_hash(content)])),
        version=draw(st.none() | st.integers(1, 9)),
        metadata=metadata,
        execution_count=draw(st.none() | st.integers(0, 99)) if has_run else None,
        execution_started_at=draw(st.none() | times) if has_run else None,
        execution_finished_at=draw(st.none() | times) if has_run else None,
        outputs=draw(outputs()) if has_run else None,
        extra=draw(st.dictionaries(st.just("newer"), json_values(), max_size=1)),
    )


@st.composite
def notebooks(draw: st.DrawFn) -> Notebook:
    """Return a notebook whose blocks have ids and sorting keys of their own."""
    made = draw(st.lists(blocks(), max_size=4, unique_by=lambda block: block.id))
    for number, block in enumerate(made):
        block.sorting_key = f"{block.sorting_key[:1]}{number:03d}" if number % 2 else f"{number}"
    return Notebook(
        id=draw(words),
        name=draw(texts()),
        blocks=made,
        execution_mode=draw(st.sampled_from([None, "block", "downstream"])),
        is_module=draw(st.none() | st.booleans()),
        working_directory=draw(st.none() | texts()),
        extra=draw(st.dictionaries(st.just("newer"), json_values(), max_size=1)),
    )


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Return a document, or a snapshot."""
    summary = ExecutionSummary(blocks_executed=2, total_duration_ms=draw(st.floats(0, 1e6)))
    failure = ExecutionError(
        name="KeyError", message=draw(texts()), traceback=draw(st.lists(texts()))
    )
    execution = Execution(
        started_at=draw(times),
        triggered_by="api",
        inputs=draw(st.dictionaries(words, json_values(), max_size=2)),
        summary=summary,
        error=draw(st.none() | st.just(failure)),
    )
    return Document(
        metadata=Metadata(created_at=draw(times), snapshot_hash="sha256:00"),
        project=Project(
            id=draw(words),
            name=draw(texts()),
            notebooks=draw(st.lists(notebooks(), max_size=2)),
            integrations=draw(
                st.none() | st.just([Integration(id="i", name="Warehouse", type="pgsql")])
            ),
            settings=draw(st.none() | st.dictionaries(words, json_values(), max_size=2)),
        ),
        environment=draw(st.none() | st.dictionaries(words, json_values(), max_size=2)),
        execution=draw(st.none() | st.just(execution)),
        extra=draw(st.dictionaries(st.just("newer"), json_values(), max_size=1)),
    )

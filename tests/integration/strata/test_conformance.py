"""The messaging protocol, as jupyter_kernel_test checks it, with cells on a Strata server."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import jupyter_kernel_test
import pytest

from tests.integration.samples import Samples
from tests.integration.strata.kernel import known_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.strata.servers import StrataServer

pytestmark = pytest.mark.timeout(180)  # the first test of a run starts the server


# Module scope, so that it stands before the class starts its kernel.
@pytest.fixture(scope="module", autouse=True)
def _kernel_on_strata(strata: StrataServer) -> Iterator[None]:
    """Make the kernel known, and point it at the server."""
    with known_kernel(strata.url):
        yield


@pytest.mark.usefixtures("_own_history")
class TestStrata(Samples, jupyter_kernel_test.KernelTests):
    """Every sample that a Python kernel without IPython's displays supports."""

    @classmethod
    def setUpClass(cls) -> None:
        """Open the notebook, which a slow server says in the first cell."""
        super().setUpClass()
        cls.kc.execute_interactive("pass", timeout=120)

    kernel_name = "strata"
    completion_samples: ClassVar = [
        {"text": "zi", "matches": {"zip"}},
        {"text": "%strata mate", "matches": {"materialize"}},
    ]
    code_execute_result: ClassVar = [
        {"code": "1+2+3", "result": "6"},
        {"code": "[n*n for n in range(1, 4)]", "result": "[1, 4, 9]"},
        {"code": "(1, {2})", "result": "(1, {2})"},
        {"code": "%%local\n'here'", "result": "'here'"},
    ]
    code_display_data: ClassVar = [
        {"code": "display('a')", "mime": "text/plain"},
        {"code": "%%html\n<b>test</b>", "mime": "text/html"},
        {"code": "display(Markdown('# T'))", "mime": "text/markdown"},
    ]

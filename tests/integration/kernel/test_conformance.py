"""The messaging protocol, as jupyter_kernel_test checks it."""

from __future__ import annotations

from typing import ClassVar

import jupyter_kernel_test
import pytest
from ipykernel._version import version_info

from tests.integration.samples import Samples


@pytest.mark.usefixtures("_local_server", "_own_history")
class TestDeepnoteLocal(Samples, jupyter_kernel_test.KernelTests):
    """Every sample that a Python kernel supports."""

    kernel_name = "deepnote-local"
    code_clear_output = "from IPython.display import clear_output; clear_output()"
    completion_samples: ClassVar = [
        {"text": "zi", "matches": {"zip"}},
        {"text": "%deepnote atta", "matches": {"attach"}},
    ]
    code_execute_result: ClassVar = [
        {"code": "1+2+3", "result": "6"},
        {"code": "[n*n for n in range(1, 4)]", "result": "[1, 4, 9]"},
        {"code": "%%local\n'here'", "result": "'here'"},
    ]
    code_display_data: ClassVar = [
        {
            "code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))",
            "mime": "text/html",
        },
        {
            "code": "from IPython.display import Math, display; display(Math('\\\\frac{1}{2}'))",
            "mime": "text/latex",
        },
    ]


@pytest.mark.usefixtures("_local_server")
class TestWelcome(jupyter_kernel_test.IopubWelcomeTests):
    """The greeting on iopub."""

    kernel_name = "deepnote-local"
    support_iopub_welcome = version_info >= (7, 2)

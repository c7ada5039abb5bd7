"""What jupyter_kernel_test asks of any kernel of ours."""

from __future__ import annotations

from typing import ClassVar

__all__ = ["Samples"]


class Samples:
    """Samples for ``KernelTests``; a class of tests adds what its kernel shows."""

    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('oh', file=sys.stderr)"
    code_page_something = "print?"
    code_generate_error = "raise ValueError('oh')"
    code_inspect_sample = "print"
    complete_code_samples: ClassVar = ["1", "print('hello')", "def f(x):\n    return x\n\n"]
    incomplete_code_samples: ClassVar = ["print('''hello", "def f(x):\n  x*2"]
    invalid_code_samples: ClassVar = ["import = 7q"]
    code_history_pattern = "1?2*"
    # Not "range": IPython calls the current session 0 there, ipykernel's own kernel as well.
    supported_history_operations = ("tail", "search")

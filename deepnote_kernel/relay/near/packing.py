"""The far half as source code, to be run by the remote kernel."""

from __future__ import annotations

import base64
import zlib
from importlib import resources

import msgspec

from deepnote_kernel.relay.near.answers import MARK

__all__ = ["installer"]


def installer() -> str:
    """Return code that installs the far half, where it is not installed yet."""
    # Not the package of the far half itself: that would import what it needs over there.
    folder = resources.files("deepnote_kernel.relay") / "far"
    sources = [[name, (folder / f"{name}.py").read_text("utf-8")] for name in _FAR_MODULES]
    packed = base64.b85encode(zlib.compress(msgspec.json.encode(sources), 9)).decode("ascii")
    return _INSTALL.format(packed=packed, mark=MARK)


# Each imports only those before it.
_FAR_MODULES = ("frames", "process", "jobs", "pipes", "relay", "__init__")

# One expression, so that no name is left behind; the mark tells the far half which input to forget.
_INSTALL = """exec('''
import base64, json, sys, types, zlib
def install(package, sources):
    for name in [package, *(f"{{package}}.{{name}}" for name, _ in sources[:-1])]:
        sys.modules[name] = module = types.ModuleType(name)
        module.__package__, module.__path__ = package, []
    for name, source in sources:
        module = sys.modules[package if name == "__init__" else f"{{package}}.{{name}}"]
        exec(compile(source, f"<deepnote relay: {{name}}>", "exec"), module.__dict__)
    module.install()
if "_deepnote_relay" not in sys.modules:
    try:
        install("_deepnote_relay", json.loads(zlib.decompress(base64.b85decode(packed))))
    except BaseException:
        for name in [name for name in sys.modules if name.startswith("_deepnote_relay")]:
            del sys.modules[name]
        raise
''', {{"packed": {packed!r}}})  # {mark}"""

"""Asks DeepnoteCloudRunner one thing, in the official clients' interpreter.

Reads a JSON object from standard input: ``options`` of the runner, and ``inputs`` to run with, or
``null`` to ask what the notebook takes. Writes what came of it as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import sys

from deepnote_toolkit.notebooks import DeepnoteCloudRunner, RunnerError

request = json.load(sys.stdin)
runner = DeepnoteCloudRunner(**request["options"])
try:
    answer = runner.info() if request["inputs"] is None else runner.run(request["inputs"])
    json.dump(dataclasses.asdict(answer), sys.stdout)
except RunnerError as error:
    json.dump({"refused": str(error)}, sys.stdout)

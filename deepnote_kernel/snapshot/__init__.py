"""``.deepnote`` documents: what a run leaves behind, as YAML that every reader agrees on."""

from deepnote_kernel.snapshot.document import content_hash, snapshot_document, snapshot_hash
from deepnote_kernel.snapshot.yaml import dump

__all__ = ["content_hash", "dump", "snapshot_document", "snapshot_hash"]

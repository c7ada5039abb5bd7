"""``.deepnote`` and ``.ipynb`` files in and out."""

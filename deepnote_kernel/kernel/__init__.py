"""The Jupyter kernel: answers a front end here, runs the person's cells on the far side."""

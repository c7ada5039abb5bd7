"""What the blocks of a notebook do when it runs, and which depend on which."""

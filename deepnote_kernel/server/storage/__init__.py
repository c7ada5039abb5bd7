"""What lasts: the database, and the folders that are /work of a project."""

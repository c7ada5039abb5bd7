"""One remote session: start it, run cells, interrupt, ask, restart, stop."""

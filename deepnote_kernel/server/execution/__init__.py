"""Machines, the kernels on them, and what runs there: sessions and runs."""

"""Request handlers, one module for each noun of the API; each lists its ``routes``."""

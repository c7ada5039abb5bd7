"""The OpenAPI description, made from routes, bodies and a table."""

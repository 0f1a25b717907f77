"""A hook of it asks for what only a later core has."""

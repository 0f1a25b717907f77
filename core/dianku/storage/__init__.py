"""Storage: the engine, the bulk statements, migrations and the event log.

This package alone knows whether the database is SQLite or PostgreSQL.
"""

"""The HTTP API: one table of routes, types checked in and out, problems in both languages."""

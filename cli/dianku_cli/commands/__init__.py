"""The commands, one module per group, each imported when it is called for."""

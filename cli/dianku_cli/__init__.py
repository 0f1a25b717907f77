"""The command line of Dianku: one command, `dianku`."""

__version__ = "0.1.0"

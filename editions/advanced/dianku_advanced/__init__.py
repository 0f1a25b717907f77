"""Dianku, edition Advanced: its manifest is beside this file.

Made from edition.toml by editions/compile.py; change that, then run it.
"""

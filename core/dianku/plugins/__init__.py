"""Plugins: found by entry point, read from their manifests, loaded one by one, kept apart.

Declare, then import: nothing of a plugin is imported until its manifest has been judged.
"""

"""Hooks: how plugins have their say, give records and hear of what happened.

Three kinds, each with its own rule for a failure (`dianku.hooks.kinds`); no plugin code ever runs
inside the posting transaction.
"""

"""What assembling an edition refuses, in the words of the command line."""

from __future__ import annotations

from dianku.errors import WordedError
from dianku_cli.texts import say


class AssemblyError(WordedError):
    """A manifest, a wheel or a bundle that cannot be used: what, where, and what to do.

    `code` is a key of `dianku_cli.texts`; nothing was written when it is raised.
    """

    def worded(self, language: str) -> str:
        """The text of the command line, in a language."""
        return say(self.code, language, **self.params)

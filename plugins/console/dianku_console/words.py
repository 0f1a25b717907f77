"""The words scripts say, as a module for each language: what stands under `js` in a catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LANGUAGES = ("zh-CN", "en")


def script_words(messages: Any, folders: Mapping[str, Path]) -> dict[str, bytes]:
    """`console/words.zh-CN.js` and `console/words.en.js`, with the words of every plugin.

    A key is the plugin's name and what follows `js`: `console.js.saved` is `console.saved`.
    """
    made = {}
    for language in LANGUAGES:
        words = {}
        for key in sorted(messages.keys(language)):
            plugin, _, rest = key.partition(".js.")
            if rest and plugin in folders:
                words[f"{plugin}.{rest}"] = messages.template(key, language)
        text = json.dumps(words, ensure_ascii=False, indent=0, sort_keys=True)
        made[f"console/words.{language}.js"] = f"export default {text};\n".encode()
    return made

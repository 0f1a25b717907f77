"""What the command line itself says, in both languages; refusals come from the core's catalogue."""

from __future__ import annotations

from typing import Any

TEXTS: dict[str, tuple[str, str]] = {
    "and_more": ("and {count} more", "另有 {count} 处"),
    "bad_settings": ("{source}: {reason}", "{source}：{reason}"),
    "os_error": ("{name}: {reason}", "{name}：{reason}"),
}
"""English and Chinese of each remark, with the placeholders they share."""


def say(key: str, language: str, **params: Any) -> str:
    """One remark in a language."""
    english, chinese = TEXTS[key]
    return (english if language == "en" else chinese).format(**params)

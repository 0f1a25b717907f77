"""Fetch the vendored assets as vendor.toml pins them, or hold what lies there against the pins.

    python plugins/console/vendor.py            # fetch with npm, write files and checksums
    python plugins/console/vendor.py --check    # compare files and checksums; asks nobody

Of an icon set only the icons named are kept, as the symbols of one file; of a typeface only the
signs of the encoding named, and what reads right to left or needs joining never was in it. Cutting
a typeface takes fontTools, which nothing else here needs.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VENDOR = HERE / "dianku_console" / "assets" / "vendor"
RECORD = VENDOR / "vendor.json"
SPRITE = "icons.svg"
ALWAYS = (
    (0x20, 0x7F),
    (0xA0, 0x250),
    (0x370, 0x530),
    (0x2000, 0x2700),
    (0x3000, 0x3400),
    (0xFF00, 0xFFF0),
)
"""Latin, Greek, Cyrillic, punctuation, signs of measures and currencies, kana, full width."""


def main() -> int:
    """Fetch or check; 1 when something differs."""
    if "--check" in sys.argv[1:]:
        wrong = differences()
        print("\n".join(wrong) or "vendored assets are as recorded")
        return 1 if wrong else 0
    pins = tomllib.loads((HERE / "vendor.toml").read_text())["package"]
    record = {name: fetch(name, pin) for name, pin in sorted(pins.items())}
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    return 0


def differences() -> list[str]:
    """Every file that is not as recorded, is not recorded, or is missing."""
    record = json.loads(RECORD.read_text())
    pins = tomllib.loads((HERE / "vendor.toml").read_text())["package"]
    known = {name: digest for one in record.values() for name, digest in one["files"].items()}
    found = {p.name: sha256(p.read_bytes()) for p in VENDOR.iterdir() if p != RECORD}
    wrong = [
        f"{name}: not the recorded content" for name in known if found.get(name) != known[name]
    ]
    wrong += [f"{name}: nobody recorded it" for name in found.keys() - known.keys()]
    wrong += [
        f"{name}: {pins[name]['version']} is pinned, another is here"
        for name in pins
        if record.get(name, {}).get("version") != pins[name]["version"]
    ]
    return wrong


def fetch(name: str, pin: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a package's files; what was copied, for the record."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--json", f"{name}@{pin['version']}"]
        told = json.loads(
            subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout
        )
        packed = (Path(folder) / told[0]["filename"]).read_bytes()
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
        if integrity != told[0]["integrity"]:
            raise SystemExit(f"{name}: what came is not what the registry published")
        with tarfile.open(Path(folder) / told[0]["filename"]) as archive:
            archive.extractall(folder, filter="data")

        def read(path: str) -> bytes:
            return (Path(folder) / "package" / path).read_bytes()

        made = {target: read(source) for source, target in pin.get("files", {}).items()}
        if "elsewhere" in pin:
            made = {
                target: at_home(content, **pin["elsewhere"]) for target, content in made.items()
            }
        if "signs" in pin:
            made = {
                target: cut(content, encoding=pin["signs"]) if target.endswith(".ttf") else content
                for target, content in made.items()
            }
        if "icons" in pin:
            made[SPRITE] = sprite(
                {i: read(f"icons/{i}.svg").decode() for i in pin["icons"].split()}
            )
    for target, content in made.items():
        (VENDOR / target).write_bytes(content)
    return {
        "version": pin["version"],
        "licence": pin["licence"],
        "integrity": integrity,
        "files": {target: sha256(content) for target, content in sorted(made.items())},
    }


def at_home(content: bytes, *, pattern: str, instead: str) -> bytes:
    """A script without the address of another machine; anything but text is as it was."""
    try:
        return re.sub(pattern, instead, content.decode()).encode()
    except UnicodeDecodeError:
        return content


def cut(content: bytes, *, encoding: str) -> bytes:
    """A typeface with the signs of an encoding and the usual of the West, outlines and widths."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    def wanted(sign: int) -> bool:
        if any(first <= sign < end for first, end in ALWAYS):
            return True
        try:
            return bool(chr(sign).encode(encoding))
        except UnicodeEncodeError:
            return False

    # The time of the cut is no part of what is cut: the same version gives the same bytes.
    typeface = TTFont(io.BytesIO(content), recalcTimestamp=False)
    options = Options(hinting=False, layout_features=[], name_IDs=[0, 1, 2, 4, 5, 6, 13, 14])
    options.notdef_outline = True
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "STAT", "gasp", "vhea", "vmtx"]
    cutter = Subsetter(options)
    cutter.populate(unicodes=[sign for sign in typeface.getBestCmap() if wanted(sign)])
    cutter.subset(typeface)
    kept = io.BytesIO()
    typeface.save(kept)
    return kept.getvalue()


def sprite(icons: Mapping[str, str]) -> bytes:
    """One file with a symbol for each icon; how thick its lines are is said by the page's style."""
    symbols = []
    for name, svg in sorted(icons.items()):
        inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
        if inner is None:
            raise SystemExit(f"icon {name} cannot be read")
        body = re.sub(r"\s+", " ", inner[1]).strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    return (
        '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
    ).encode()


def sha256(content: bytes) -> str:
    """The checksum of a file."""
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())

"""Many distributions installed at once: what `dianku --help` and the start of a host pay for them.

A hundred wheels are made up and unpacked, half of them plugins with routes, settings, a group of
commands and hooks. The sides share everything but the folder these lie in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench_figures import Figure, middle, ratio
from bench_shop import make_shop
from shop_server import DIANKU

DISTRIBUTIONS = 100
PLUGINS = 50
_METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: 1.0
Summary: Made up
Author: Nobody
License: Apache-2.0
Classifier: Programming Language :: Python :: 3
Requires-Dist: attrs >=20
Requires-Dist: typing-extensions

{text}
"""
_MANIFEST = """\
name = "{name}"
title = {{ zh = "{name}", en = "{name}" }}
core = ">=0.1,<1"
routes = ["/{name}"]
rights = ["stock.view"]

[permissions."{name}.view"]
title = {{ zh = "看", en = "See" }}
roles = ["owner", "manager"]

[settings.hours]
type = "integer"
title = {{ zh = "小时", en = "Hours" }}
default = 8
minimum = 0

[settings.word]
type = "text"
title = {{ zh = "词", en = "Word" }}
default = "hello"

[commands.{name}]
title = {{ zh = "{name}", en = "{name}" }}
"""
_CODE = """\
from dianku.api import DoctorCheck, Every, Job, Page, Route, Title, hookimpl


def answer(call):
    return {{"items": []}}


def nothing():
    return None


@hookimpl
def register_routes(shop):
    return [
        Route("GET", "/{name}", answer, "{name}.view", "List"),
        Route("GET", "/{name}/{{id}}", answer, "{name}.view", "Show"),
        Route("POST", "/{name}", answer, "{name}.view", "Make", status=201),
    ]


@hookimpl
def register_pages(shop):
    return [Page("/{name}", Title("{name}", "{name}"), "{name}.view", "{name}.html")]


@hookimpl
def register_jobs(shop):
    return [Job("{name}.tidy", Title("{name}", "{name}"), Every(3600), nothing)]


@hookimpl
def register_doctor(shop):
    return [DoctorCheck("{name}", Title("{name}", "{name}"), list)]


@hookimpl
def check_document(document, shop):
    return None


@hookimpl
def document_posted(event, shop):
    return None
"""
_START = """\
import json, os, sys, time
from pathlib import Path
from dianku.host import Host, HostConfig
from dianku.http.app import build_app
import dianku.storage.backup
began = time.perf_counter()
folder = Path(os.environ["DIANKU_DATA"])
host = Host.build(HostConfig(data_dir=folder, plugins=sys.argv[1] == "all"))
host.start()
build_app(host)
took = time.perf_counter() - began
print(json.dumps([took, {state.name: state.status.value for state in host.plugins.states}]))
sys.stdout.flush()
os._exit(0)
"""


def fill(folder: Path, *, distributions: int = DISTRIBUTIONS, plugins: int = PLUGINS) -> None:
    """Install made-up wheels: pure ones, so that unpacking them is installing them."""
    wheels = folder.with_name(f"{folder.name}-wheels")
    wheels.mkdir(parents=True)
    for number in range(distributions):
        name = f"crowd{number:03}"
        wheel = wheels / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in _files(name, plugin=number < plugins).items():
                archive.writestr(path, text)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def _files(name: str, *, plugin: bool) -> dict[str, str]:
    info = f"{name}-1.0.dist-info"
    found = {
        f"{info}/METADATA": _METADATA.format(name=name, text="Nothing to see here. " * 200),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}/__init__.py": "",
    }
    if plugin:
        found[f"{info}/entry_points.txt"] = f"[dianku.plugins]\n{name} = {name}.plugin\n"
        found[f"{name}/plugin.toml"] = _MANIFEST.format(name=name)
        found[f"{name}/plugin.py"] = _CODE.format(name=name)
    else:
        found[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name} = {name}:main\n"
    found[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*found, f"{info}/RECORD"])
    return found


def surroundings(folder: Path, *, crowd: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Where a side looks for distributions, with a cache of its own."""
    path = [str(crowd)] if crowd is not None else []
    path += filter(None, [environ.get("PYTHONPATH", "")])
    cache = folder / ("cache-crowd" if crowd is not None else "cache-alone")
    return {**environ, "PYTHONPATH": os.pathsep.join(path), "XDG_CACHE_HOME": str(cache)}


def measure(
    folder: Path, *, rounds: int, distributions: int = DISTRIBUTIONS, plugins: int = PLUGINS
) -> list[dict[str, float]]:
    """Rounds of: help alone and in the crowd; a host without plugins and with all of them."""
    shop, _ = make_shop(folder / "crowd-shop", products=10)
    fill(folder / "crowd", distributions=distributions, plugins=plugins)
    alone = surroundings(folder, crowd=None, environ=shop.environ)
    crowd = surroundings(folder, crowd=folder / "crowd", environ=shop.environ)
    for environ in (alone, crowd):
        _help(environ)  # the first makes the cache
    _start(crowd, "all")  # and the first start compiles
    found = []
    for _ in range(rounds):
        figures = {"help": _help(alone), "help in the crowd": _help(crowd)}
        figures["empty host"], _ = _start(crowd, "none")
        figures["full host"], states = _start(crowd, "all")
        figures["loaded"] = sum(states.get(f"crowd{n:03}") == "loaded" for n in range(plugins))
        found.append(figures)
    return found


def _help(environ: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run((*DIANKU, "--help"), env=environ, check=True, capture_output=True)
    return time.perf_counter() - began


def _start(environ: Mapping[str, str], which: str) -> tuple[float, dict[str, str]]:
    words = [sys.executable, "-c", _START, which]
    done = subprocess.run(words, env=environ, check=True, capture_output=True, text=True)
    took, states = json.loads(done.stdout)
    return took, states


def figures_of(rounds: Sequence[dict[str, float]]) -> list[Figure]:
    """The rounds as figures beside their bars."""
    return [
        Figure("help, a hundred distributions / none", ratio(rounds, "help in the crowd", "help"),
               at_most=1.2, note=f"{1000 * middle(rounds, 'help in the crowd'):.0f} and "
               f"{1000 * middle(rounds, 'help'):.0f} ms"),
        Figure("start with fifty plugins / without", ratio(rounds, "full host", "empty host"),
               at_most=4, note=f"{1000 * middle(rounds, 'full host'):.0f} and "
               f"{1000 * middle(rounds, 'empty host'):.0f} ms"),
        Figure("plugins loaded", middle(rounds, "loaded"), at_least=PLUGINS),
    ]  # fmt: skip

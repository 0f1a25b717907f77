"""Environments of the tests are installations: nothing in them leads back to the checkout."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from installed import ROOT, Environment, edition_environment
from shop_server import Server

from dianku_cli.assembly.manifests import plan_edition

ASKED = (
    "import json, sys, dianku, dianku_cli, dianku_reports as reports; "
    "print(json.dumps([*sys.path, dianku.__file__, dianku_cli.__file__, reports.__file__]))"
)


def paths_of(environment: Environment) -> list[str]:
    done = subprocess.run(
        [str(environment.python), "-c", ASKED],
        env=environment.environ,
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[str] = json.loads(done.stdout)
    return [path for path in found if path]


def test_environment_of_an_edition_holds_no_path_into_the_checkout() -> None:
    environment = edition_environment("basic")
    inside = [path for path in paths_of(environment) if Path(path).is_relative_to(ROOT)]
    assert inside == []


def test_copy_of_an_environment_is_spoilt_alone(tmp_path: Path) -> None:
    first = edition_environment("basic")
    copy = first.copied(tmp_path / "copy")
    assert any(path.startswith(str(copy.folder)) for path in paths_of(copy))
    copy.pip("uninstall", "-y", "dianku-reports")
    assert not (copy.packages / "dianku_reports").exists()
    assert (first.packages / "dianku_reports" / "plugin.toml").exists()


def test_copy_of_an_environment_runs_a_shop(tmp_path: Path) -> None:
    shop = edition_environment("basic").copied(tmp_path / "copy").shop(tmp_path / "data")
    shop.init()
    with Server(shop) as server:
        goods = {"sku": "cola", "name": "Cola", "unit": "can"}
        made = server.call("POST", "/products", token=shop.token("owner"), body=goods)
    assert made["sku"] == "cola"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name",
    [
        "basic",
        *(pytest.param(n, marks=pytest.mark.long("full")) for n in ("intermediate", "advanced")),
    ],
)
def test_environment_of_an_edition_has_its_plugins_and_runs_as_it(
    name: str, tmp_path: Path
) -> None:
    plan = plan_edition(name, ROOT)
    environment = edition_environment(name)
    ours = {path.name.partition("-")[0] for path in environment.packages.glob("dianku*.dist-info")}
    assert ours == {
        "dianku_core",
        "dianku_cli",
        *(f"dianku_{plugin.said.name}" for plugin in plan.plugins),
        *(f"dianku_{one.said.name}" for one in plan.lineage),
    }
    shop = environment.shop(tmp_path / "data")
    shop.init()
    shown = json.loads(shop.run("--language", "zh-CN", "edition", "show", "--json"))
    assert (shown["name"], shown["title"]) == (name, plan.manifest.said.title.zh)
    assert [*shown["required"], *shown["optional"]] == [one.said.name for one in plan.plugins]

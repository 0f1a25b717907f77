"""An installation changes its edition up and down beside a server that goes on selling."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from made_plugins import MadePlugin
from shop_goods import on_hand, open_for_sale
from shop_server import Server
from upgrades import NEXT, Prefix, Seller, bundle, readyz

from dianku_cli.environment.versions import is_held

pytestmark = pytest.mark.timeout(600)


def begun(folder: Path, *, database_url: str | None = None) -> Prefix:
    """An installation of basic with a shop."""
    prefix = Prefix.made(folder, database_url=database_url)
    prefix.shop.init()
    return prefix


def url_of(kind: str, request: pytest.FixtureRequest) -> str | None:
    if kind == "sqlite":
        return None
    server = request.getfixturevalue("postgres_server")
    return str(server.url(server.create()))


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    return begun(tmp_path)


def kill_when_it_says(
    prefix: Prefix,
    words: str,
    *command: str,
    by: int = signal.SIGKILL,
    made: Path | None = None,
) -> None:
    """Run a command and end it as soon as it says these words and has `made` a file."""
    with prefix.starting(*command) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if words in line:
                while made is not None and not made.exists():
                    pass
                os.kill(process.pid, by)
                break
        else:
            raise AssertionError("".join(said))
        process.stderr.read()  # to its end: whoever still runs holds it open


@pytest.mark.long("full")
def test_upgrade_beside_a_selling_server_takes_effect_at_its_restart(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    prefix = begun(tmp_path, database_url=url_of("postgresql", request))
    token = prefix.shop.token("owner")
    with Server(prefix.shop) as server:
        open_for_sale(server, token)
        with Seller(server, token) as seller:
            command = ("edition", "upgrade", "corner", "--from", str(bundle("corner")), "--yes")
            half = prefix.folder / "versions" / "corner-1.0"
            kill_when_it_says(prefix, "Installing into", *command, made=half / "pyvenv.cfg")
            assert prefix.current == "basic-0.1.0"
            doctor = prefix.run("doctor").stdout
            assert str(half) in doctor
            assert "left of an upgrade that was cut off" in doctor
            said = prefix.upgrade("corner", bundle("corner"))
        assert seller.failure is None
        assert seller.sold > 0
        assert on_hand(server, token, "sweet")[0] == f"{1_000_000 - seller.sold}"
        assert "loyalty" not in readyz(server)["plugins"]
        assert is_held(prefix.folder / "versions" / "basic-0.1.0")
    assert not is_held(prefix.folder / "versions" / "basic-0.1.0")
    assert "Removed: corner-1.0, left of an upgrade that was cut off" in said
    assert "plugins that join: loyalty" in said
    assert (prefix.current, prefix.versions) == ("corner-1.0", ["basic-0.1.0", "corner-1.0"])
    with Server(prefix.shop) as server:
        assert readyz(server)["plugins"] == {
            "console": "loaded",
            "loyalty": "loaded",
            "reports": "loaded",
        }
        assert server.call("GET", "/loyalty", token=token) == {"holders": ["anna"]}
        assert on_hand(server, token, "sweet")[0] == f"{1_000_000 - seller.sold}"
        [told] = prefix.trail("edition.upgrade", token, server)
    assert told["before"]["edition"] == "basic 0.1.0"
    assert told["after"]["edition"] == "corner 1.0"
    made = sorted(path.name for path in (prefix.data / "backups").iterdir())
    assert made[-1] == told["after"]["backup"]  # the first is of the upgrade that was cut off
    assert not (prefix.data / "upgrade-trial").exists()
    assert "cut off" not in prefix.run("doctor").stdout


@pytest.mark.long("full")
def test_upgrade_with_a_plugin_that_does_not_fit_refuses_it_by_name_and_is_gone_back_on(
    prefix: Prefix, tmp_path: Path
) -> None:
    fitting = MadePlugin(name="stamps", requires=["dianku-core>=0.1,<0.2"])
    old = MadePlugin(
        name="corner_news",
        requires=[f"dianku-core<{NEXT}"],
        manifest=f'core = ">=0.1,<{NEXT}"\n',
    )
    prefix.add(plugin.wheel(tmp_path / "made") for plugin in (fitting, old))
    token = prefix.shop.token("owner")
    said = prefix.upgrade("basic", bundle("next"))
    assert "dianku-corner-news does not fit the new version" in said
    assert "Plugin corner_news is not well in the new version" in said
    assert prefix.current == f"basic-{NEXT}"
    with Server(prefix.shop) as server:
        states = readyz(server)["plugins"]
        open_for_sale(server, token)
    assert states == {
        "console": "loaded",
        "corner_news": "refused",
        "reports": "loaded",
        "stamps": "loaded",
    }

    # The tables are newer now, so neither way down is open but for the backup.
    down = ("edition", "upgrade", "basic", "--from", str(bundle("basic")), "--yes")
    assert "does not know" in prefix.refused(*down)
    said = prefix.refused("edition", "back", "--yes")
    steps = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    done_by_hand = [step for step in steps if not step.startswith("systemctl")]
    assert len(done_by_hand) == len(steps) - 2 > 3
    for step in done_by_hand:
        environ = prefix.shop.environ
        ended = subprocess.run(["sh", "-c", step], env=environ, check=False, capture_output=True)
        assert ended.returncode == 0, (step, ended.stderr)
    assert prefix.current == "basic-0.1.0"
    with Server(prefix.shop) as server:
        assert readyz(server)["plugins"]["corner_news"] == "loaded"
        assert server.call("GET", "/products", token=token)["items"] == []


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Prefix:
    return begun(tmp_path, database_url=url_of(request.param, request))


def holders(prefix: Prefix, *, also: str) -> list[str]:
    """Who holds a card, after one more was given."""
    import sqlalchemy as sa

    url = prefix.database_url or f"sqlite:///{prefix.data / 'dianku.sqlite3'}"
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO loyalty_card VALUES (:who)"), {"who": also})
        found = connection.execute(sa.text("SELECT holder FROM loyalty_card ORDER BY 1")).all()
    engine.dispose()
    return [row.holder for row in found]


@pytest.mark.long("full")
def test_tables_of_a_plugin_stay_on_the_way_down_and_are_found_on_the_way_up(
    either: Prefix,
) -> None:
    token = either.shop.token("owner")
    either.upgrade("corner", bundle("corner"))
    with Server(either.shop) as server:
        open_for_sale(server, token)
        with Seller(server, token) as seller:
            said = either.upgrade("basic", bundle("basic"))
        assert seller.failure is None
        assert server.call("GET", "/loyalty", token=token) == {"holders": ["anna"]}
    assert "plugin loyalty leaves; its tables stay, unread until it comes back" in said
    assert "loyalty_card 1" in said
    assert "older versions that are removed at the end: basic-0.1.0\n" in said
    assert either.current == "basic-0.1.0-2"
    with Server(either.shop) as server:
        assert readyz(server)["plugins"]["loyalty"] == "missing"
        with pytest.raises(AssertionError, match="404"):
            server.call("GET", "/loyalty", token=token)
    assert holders(either, also="bela") == ["anna", "bela"]
    said = either.upgrade("corner", bundle("corner"))
    assert "older versions that are removed at the end: corner-1.0\n" in said
    assert either.versions == ["basic-0.1.0-2", "corner-1.0-2"]
    with Server(either.shop) as server:
        assert server.call("GET", "/loyalty", token=token) == {"holders": ["anna", "bela"]}
        assert len(either.trail("edition.upgrade", token, server)) == 3
    assert either.shop.verify()["clean"]


@pytest.mark.long("full")
def test_upgrade_to_advanced_is_gone_back_on_before_the_restart(prefix: Prefix) -> None:
    prefix.shop.environ["http_proxy"] = "http://127.0.0.1:9"  # of another network, and not up
    token = prefix.shop.token("owner")
    with Server(prefix.shop) as server:
        open_for_sale(server, token)
        with Seller(server, token) as seller:
            prefix.upgrade("advanced", bundle("advanced"))
            assert prefix.current == "advanced-0.1.0"
            assert json.loads(prefix.shop.run("edition", "show", "--json"))["name"] == "advanced"
            assert prefix.run("edition", "back", "--yes").returncode == 0
        assert seller.failure is None
        assert prefix.current == "basic-0.1.0"
        assert len(prefix.trail("edition.back", token, server)) == 1


@pytest.mark.long("full")
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("words", ["Backing up", "Backup:", "Installing into", "Starting it"])
def test_upgrade_interrupted_at_any_step_leaves_what_runs_and_can_be_done_again(
    prefix: Prefix, words: str, by: int
) -> None:
    token = prefix.shop.token("owner")
    command = ("edition", "upgrade", "corner", "--from", str(bundle("corner")), "--yes")
    with Server(prefix.shop) as server:
        open_for_sale(server, token)
        with Seller(server, token) as seller:
            kill_when_it_says(prefix, words, *command, by=by)
        assert seller.failure is None
    assert prefix.current == "basic-0.1.0"
    if by != signal.SIGKILL:
        assert prefix.versions == ["basic-0.1.0"]
        assert not (prefix.data / "upgrade-trial").exists()
    prefix.upgrade("corner", bundle("corner"))
    assert prefix.versions == ["basic-0.1.0", "corner-1.0"]
    assert [path.name for path in prefix.data.glob("dianku-backup-*")] == []
    assert [path.name for path in (prefix.data / "backups").glob(".*")] == []


@pytest.mark.long("full")
def test_upgrade_without_a_bundle_takes_the_edition_from_the_index(
    prefix: Prefix, tmp_path: Path
) -> None:
    from bundled import bundle_of

    wheels = tmp_path / "index"
    shutil.copytree(bundle_of("advanced") / "wheels", wheels)
    variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    done = prefix.run("edition", "upgrade", "advanced", "--yes", **variables)
    assert done.returncode == 0, done.stderr
    assert prefix.current == "advanced-0.1.0"
    with Server(prefix.shop) as server:
        assert readyz(server)["plugins"] == {"console": "loaded", "reports": "loaded"}

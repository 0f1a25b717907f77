"""What can be wrong with a manifest is told with file and line, and nothing is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bundled import dianku_build, write_third_party
from installed import ROOT

from dianku_cli.assembly.distribution import distribution_files, install_text, made_files
from dianku_cli.assembly.errors import AssemblyError
from dianku_cli.assembly.manifests import Plan, plan_edition


@pytest.fixture
def corner(tmp_path: Path) -> Path:
    """A third party's manifest."""
    return write_third_party(tmp_path / "corner shop")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def told(corner: Path) -> str:
    with pytest.raises(AssemblyError) as caught:
        plan_edition(str(corner), ROOT)
    for language in ("en", "zh-CN"):
        assert "{" not in caught.value.worded(language)
    return caught.value.worded("en")


@pytest.mark.parametrize(
    ("name", "lineage"),
    [
        ("basic", ["basic"]),
        ("intermediate", ["basic", "intermediate"]),
        ("advanced", ["basic", "intermediate", "advanced"]),
    ],
)
def test_edition_of_ours_has_what_it_extends(name: str, lineage: list[str]) -> None:
    plan = plan_edition(name, ROOT)
    assert [one.said.name for one in plan.lineage] == lineage
    assert [one.said.name for one in plan.plugins] == ["reports", "console"]


def test_edition_of_a_third_party_is_planned_like_ours(corner: Path) -> None:
    plan = plan_edition(str(corner), ROOT)
    assert [one.said.name for one in plan.plugins] == ["reports", "console", "loyalty"]
    text = distribution_files(plan)["pyproject.toml"]
    assert 'name = "dianku-corner"\nversion = "2.0"' in text
    assert '"dianku-loyalty==1.3"' in text
    assert '"dianku-basic==0.1.0"' in text
    assert '[project.entry-points."dianku.editions"]\ncorner = "dianku_corner"' in text


def test_install_of_a_third_party_names_our_folders_and_its_own(corner: Path) -> None:
    plan = plan_edition(str(corner.parent), ROOT)
    lines = install_text(plan).splitlines()
    assert [line for line in lines if line.endswith("/loyalty")] != []
    assert "-e ./core" in lines
    assert any(
        line.startswith("-c ") and line.endswith("editions/constraints.txt") for line in lines
    )
    assert set(made_files(plan)) == {
        corner.with_name("pyproject.toml"),
        corner.with_name("corner.txt"),
        corner.parent / "dianku_corner" / "__init__.py",
        corner.parent / "dianku_corner" / "edition.toml",
    }


def test_plugin_comes_after_those_it_requires(corner: Path) -> None:
    other = corner.parent / "gifts"
    shutil.copytree(corner.parent / "loyalty", other)
    (other / "dianku_loyalty").rename(other / "dianku_gifts")
    for path in (other / "pyproject.toml", other / "dianku_gifts" / "plugin.toml"):
        replace(path, "loyalty", "gifts")
    replace(other / "dianku_gifts" / "plugin.toml", '"reports"', '"loyalty"')
    replace(corner, '"loyalty"', '"gifts", "loyalty"')
    plan: Plan = plan_edition(str(corner), ROOT)
    assert [one.said.name for one in plan.plugins] == ["reports", "console", "loyalty", "gifts"]

    replace(corner.parent / "loyalty/dianku_loyalty/plugin.toml", '"reports"', '"gifts"')
    said = told(corner)
    assert f"{corner.parent}/loyalty/dianku_loyalty/plugin.toml:4: " in said
    assert "circle: gifts -> loyalty -> gifts; take one of these lines out" in said


def test_unknown_plugin_is_told_with_its_line_and_where_it_was_looked_for(corner: Path) -> None:
    replace(corner, '"loyalty"', '"loyalty",\n    "loyaltee"')
    said = told(corner)
    assert said.startswith(f"{corner}:6: there is no plugin loyaltee; mend the name, or put")
    assert f"{corner.parent}/loyaltee" in said


def test_misspelt_key_is_told_with_its_line_and_the_keys_there_are(corner: Path) -> None:
    replace(corner, "required", "requird")
    said = told(corner)
    assert f"{corner}:4: requird: " in said
    assert "name, title, version, extends, required, optional, settings" in said


def test_unknown_base_is_told_with_its_line(corner: Path) -> None:
    replace(corner, '"basic"', '"basis"')
    assert told(corner).startswith(f"{corner}:2: it extends basis, and there is no such edition")


def test_circle_of_editions_is_told_with_its_line(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name, base in (("one", "two"), ("two", "one")):
        path = root / "editions" / name / "edition.toml"
        path.parent.mkdir(parents=True)
        title = f'title = {{ zh = "{name}", en = "{name}" }}\n'
        path.write_text(f'name = "{name}"\nextends = "{base}"\n{title}', encoding="utf-8")
    with pytest.raises(AssemblyError) as caught:
        plan_edition("one", root)
    said = caught.value.worded("en")
    assert said.startswith(f"{root}/editions/two/edition.toml:2: editions extend each other")
    assert "one -> two -> one" in said


def test_edition_under_a_name_of_ours_is_told(corner: Path) -> None:
    replace(corner, '"corner"', '"advanced"')
    said = told(corner)
    assert said.startswith(f"{corner}:1: edition advanced is also at ")
    assert "give one of them another name" in said


def test_plugin_that_requires_what_the_edition_lacks_is_told(corner: Path) -> None:
    path = corner.parent / "loyalty/dianku_loyalty/plugin.toml"
    replace(path, '"reports"', '"reports",\n    "alerts"')
    assert told(corner).startswith(f"{path}:5: plugin loyalty requires alerts, which the edition")


def test_plugin_for_another_core_is_told(corner: Path) -> None:
    path = corner.parent / "loyalty/dianku_loyalty/plugin.toml"
    replace(path, ">=0.1,<0.2", ">=9.1,<9.2")
    assert told(corner).startswith(f"{path}:2: plugin loyalty works with core >=9.1,<9.2, this is")


def test_plugin_without_its_entry_point_is_told(corner: Path) -> None:
    replace(corner.parent / "loyalty/pyproject.toml", 'loyalty = "', 'loyal = "')
    said = told(corner)
    assert said.startswith(f"{corner}:5: {corner.parent}/loyalty/pyproject.toml has no entry point")


def test_edition_nobody_has_is_told_with_those_there_are() -> None:
    with pytest.raises(AssemblyError, match="there are: advanced, basic, intermediate"):
        plan_edition("supreme", ROOT)


def test_building_a_wrong_manifest_ends_with_1_and_writes_nothing(
    corner: Path, tmp_path: Path
) -> None:
    replace(corner, "extends", "extendz")
    before = sorted(corner.parent.rglob("*"))
    done = dianku_build(str(corner), tmp_path / "out", wheels=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{corner}:2: extendz: " in done.stderr
    assert not (tmp_path / "out").exists()
    assert sorted(corner.parent.rglob("*")) == before

"""What can be wrong with a manifest is told with file and line, and nothing is written."""

from __future__ import annotations

import ast
import json
import shutil
import tomllib
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
    assert [line for line in lines if line.endswith("/corner shop/loyalty'")] != []
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


@pytest.mark.parametrize("encoding", ["utf-16", "gbk", "utf-8-sig"])
@pytest.mark.parametrize(
    "name", ["edition.toml", "loyalty/pyproject.toml", "loyalty/dianku_loyalty/plugin.toml"]
)
def test_file_in_another_encoding_is_told_by_file_and_line(
    name: str, encoding: str, corner: Path
) -> None:
    path = corner.parent / name
    path.write_bytes(("# 店\n" + path.read_text(encoding="utf-8")).encode(encoding))
    said = told(corner)
    assert f"{path}:1: " in said
    assert "save " in said


@pytest.mark.parametrize(
    "title", ['Bob\'s "Best" {name}', 'three """ quotes', "back\\slash \\x", "two\nlines\t\x7f"]
)
def test_title_of_any_signs_makes_a_distribution(title: str, corner: Path) -> None:
    replace(corner, '"Corner"', json.dumps(title).replace("\x7f", "\\u007f"))
    files = distribution_files(plan_edition(str(corner), ROOT))
    written = tomllib.loads(files["pyproject.toml"])["project"]["description"]
    assert " ".join(title.rstrip("\t\x7f").split()) in written
    assert "\n" not in written
    doc = ast.get_docstring(ast.parse(files["dianku_corner/__init__.py"]))
    assert " ".join(title.rstrip("\t\x7f").split()) in str(doc)


@pytest.mark.parametrize("name", ["core", "cli", "reports", "loyalty"])
def test_edition_named_as_what_it_is_made_of_is_told(name: str, corner: Path) -> None:
    replace(corner, 'name = "corner"', f'name = "{name}"')
    said = told(corner)
    assert said.startswith(f"{corner}:1: this would be dianku-{name}, as ")
    assert "give it another name" in said


def test_plugin_of_a_distribution_that_is_there_already_is_told(corner: Path) -> None:
    file = corner.parent / "loyalty" / "pyproject.toml"
    replace(file, '"dianku-loyalty"', '"dianku_core"')
    assert told(corner).startswith(f"{file}:2: this would be dianku_core, as {ROOT}/core/")


def test_plugin_that_calls_itself_otherwise_is_told(corner: Path) -> None:
    file = corner.parent / "loyalty" / "dianku_loyalty" / "plugin.toml"
    replace(file, 'name = "loyalty"', 'name = "stamps"')
    said = told(corner)
    assert said.startswith(f"{file}:1: the edition and its entry point call this plugin loyalty")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("shpo = { name = 'x' }", "shpo: this cannot be set: unknown_section"),
        ("shop = { nmae = 'x' }", "shop.nmae: this cannot be set: unknown_field"),
        ("shop = { name = 5 }", "shop.name: this cannot be set: wrong_type"),
        ("reports = { days = 5 }", "reports.days: this cannot be set: unknown_field"),
    ],
)
def test_default_that_cannot_be_set_is_told_with_its_line(
    written: str, said: str, corner: Path
) -> None:
    with corner.open("a", encoding="utf-8") as file:
        file.write(f"[settings]\n{written}\n")
    assert told(corner).startswith(f"{corner}:12: settings.{said}; mend it, or take it out")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('project = "x"\n', ":1: project: Expected `object`, got `str`"),
        ("[project\n", ":1: Expected ']' at the end"),
        ('[project]\nname = "x"\nversion = [1]\n', ":3: project.version: Expected `str`"),
        ('[project]\nname = "x"\n', "project.version: Object missing required field"),
        (
            '[project]\nname = "x"\nversion = "1"\nentry-points = "x"\n',
            ":4: project.entry-points: Expected `object`",
        ),
    ],
)
def test_project_of_a_plugin_that_cannot_be_read_is_told(
    text: str, said: str, corner: Path
) -> None:
    file = corner.parent / "loyalty" / "pyproject.toml"
    file.write_text(text, encoding="utf-8")
    found = told(corner)
    assert found.startswith(str(file))
    assert said in found


def test_edition_extends_another_of_the_same_third_party_beside_it(corner: Path) -> None:
    base = corner.parent.rename(corner.parent.with_name("corner"))
    over = base.with_name("market") / "edition.toml"
    over.parent.mkdir()
    over.write_text('name = "market"\nextends = "corner"\ntitle = { zh = "大", en = "Big" }\n')
    plan = plan_edition(str(over), ROOT)
    assert [one.said.name for one in plan.lineage] == ["basic", "corner", "market"]
    assert [one.said.name for one in plan.plugins] == ["reports", "console", "loyalty"]
    assert plan.constraints[-1] == base / "constraints.txt"
    replace(base / "edition.toml", '"basic"', '"market"')
    assert "circle: market -> corner -> market" in told(over)

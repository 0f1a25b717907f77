"""What commands do, say and end with, each as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx2 as httpx
import pytest

from dianku.storage.engine import Database

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def digest(tmp_path: Path, database_digest: Callable[..., str]) -> Callable[[], str]:
    def _digest() -> str:
        database = Database(f"sqlite:///{tmp_path / 'shop' / 'dianku.sqlite3'}")
        try:
            return database_digest(database)
        finally:
            database.close()

    return _digest


def test_init_without_options_sets_up_and_gives_a_link(run: Run, digest: Callable[[], str]) -> None:
    first = run("init", "--json")
    assert first.returncode == 0, first.stderr
    said = json.loads(first.stdout)
    assert said["changed"]
    assert said["link"]
    before = digest()
    again = run("init", "--shop", "Other", "--store", "other")
    assert again.returncode == 0
    assert digest() == before


def test_init_with_an_owner_lets_them_sign_in(run: Run, serving: Serve) -> None:
    done = run("init", "--owner", "anna", "--password-stdin", typed="correct horse\n")
    assert done.returncode == 0, done.stderr
    assert "link" not in done.stdout
    with serving() as address:
        wish = {"name": "anna", "password": "correct horse"}
        assert httpx.post(f"{address}/api/v1/sessions", json=wish).is_success


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_init_with_a_time_zone_that_is_none_makes_no_store(language: str, run: Run) -> None:
    done = run("--language", language, "init", "--timezone", "Mars/Olympus")
    assert done.returncode == 1
    assert "timezone" in done.stderr
    assert json.loads(run("init", "--json").stdout)["changed"]


def test_init_with_a_short_password_is_refused(run: Run) -> None:
    done = run("init", "--owner", "anna", "--password-stdin", typed="short\n")
    assert done.returncode == 1
    assert "/password" in done.stderr


def test_init_with_half_an_owner_is_wrong_usage(run: Run) -> None:
    assert run("init", "--owner", "anna").returncode == 2


@pytest.mark.usefixtures("begun")
def test_token_create_prints_the_token_alone(run: Run, serving: Serve) -> None:
    with serving() as address:
        made = run("token", "create", "--name", "till", "--role", "clerk", "--store", "main")
        assert made.returncode == 0, made.stderr
        [token] = made.stdout.splitlines()
        assert token == token.strip()
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{address}/api/v1/stock?store=main", headers=headers).status_code == 200
        assert httpx.get(f"{address}/api/v1/users", headers=headers).status_code == 403


@pytest.mark.usefixtures("begun")
def test_token_create_for_a_store_that_is_not_there_is_refused(run: Run) -> None:
    done = run("token", "create", "--name", "till", "--role", "clerk", "--store", "moon")
    assert done.returncode == 1
    assert "moon" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("token", "create"),
        ("serve", "--port", "70000"),
        ("serve", "--no-plugins"),
        ("import", "dreams", "x.csv"),
        ("import", "products", "absent.csv"),
        ("--language", "fr", "stock"),
        ("user", "add", "li", "--role", "king"),
    ],
)
def test_wrong_usage_ends_with_2(words: tuple[str, ...], run: Run) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr
    assert done.stdout == ""


@pytest.mark.usefixtures("begun")
def test_user_add_twice_is_refused_in_the_language_asked_for(run: Run) -> None:
    assert run("user", "add", "li").returncode == 0
    assert "already" in run("user", "add", "li").stderr
    again = run("--language", "zh-CN", "user", "add", "li")
    assert again.returncode == 1
    assert "已" in again.stderr


@pytest.mark.usefixtures("begun")
def test_products_imported_beside_a_server_are_sold_by_it(
    run: Run, serving: Serve, tmp_path: Path
) -> None:
    token = run("token", "create", "--name", "till", "--role", "owner").stdout.strip()
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,name,unit,price\ncola,可乐,瓶,3.50\n", encoding="utf-8")
    with serving() as address:
        tried = run("import", "products", str(goods), "--dry-run", "--json")
        assert tried.returncode == 0, tried.stderr
        assert json.loads(tried.stdout)["created"] == 1
        done = run("import", "products", str(goods), "--json")
        assert done.returncode == 0, done.stderr
        headers = {"Authorization": f"Bearer {token}"}
        receipt = {
            "kind": "receipt",
            "store": "main",
            "lines": [{"sku": "cola", "quantity": 24, "unit_cost": "2.10"}],
        }
        posted = httpx.post(f"{address}/api/v1/documents", json=receipt, headers=headers)
        assert posted.status_code == 201, posted.text
        [row] = json.loads(run("stock", "--store", "main", "--json").stdout)
        assert (row["sku"], row["on_hand"]) == ("cola", "24")
        assert "可乐" in run("stock").stdout
        assert json.loads(run("ledger", "verify", "--json").stdout) == {
            "clean": True,
            "moves": 1,
            "differences": [],
            "earlier": 0,
        }


@pytest.fixture
def falsified(run: Run, begun: Path, tmp_path: Path) -> None:
    """A shop with one receipt of 24 whose balance says 20."""
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,name,unit\ncola,Cola,bottle\n", encoding="utf-8")
    received = tmp_path / "received.csv"
    received.write_text("sku,quantity,unit_cost\ncola,24,2.10\n", encoding="utf-8")
    assert run("import", "products", str(goods)).returncode == 0
    done = run("import", "receipts", str(received), "--store", "main")
    assert done.returncode == 0, done.stderr
    database = Database(f"sqlite:///{begun / 'dianku.sqlite3'}")
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE stock_balance SET on_hand = 20, value = 420000")
    database.close()


@pytest.mark.usefixtures("falsified")
def test_ledger_verify_names_each_difference_and_rebuild_mends_it(run: Run) -> None:
    found = run("ledger", "verify", "--json")
    assert found.returncode == 1
    said = json.loads(found.stdout)
    assert not said["clean"]
    assert {each["figure"] for each in said["differences"]} >= {"on_hand", "value"}
    assert {(each["store"], each["product"]) for each in said["differences"]} == {("main", "cola")}
    table = run("ledger", "verify")
    assert table.returncode == 1
    [line] = [each for each in table.stdout.splitlines() if " value " in each]
    assert line.split()[:6] == ["main", "cola", "stock_balance", "value", "50.40", "42.00"]
    assert "rebuild" in table.stderr
    sick = run("doctor")
    assert sick.returncode == 1
    assert "dianku ledger verify" in sick.stdout
    assert run("ledger", "rebuild").returncode == 0
    assert run("ledger", "verify").returncode == 0


@pytest.mark.usefixtures("falsified")
def test_restore_of_books_that_differ_says_so(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "shop.backup"
    assert run("backup", str(file)).returncode == 0
    restored = run("--data", str(tmp_path / "trial"), "restore", str(file))
    assert restored.returncode == 1
    assert "stock_balance" in restored.stdout
    assert "rebuild" in restored.stderr


def test_sale_over_the_counter_right_after_init_is_posted(run: Run, serving: Serve) -> None:
    run("init", "--store", "main")
    token = run("token", "create", "--name", "till", "--role", "owner").stdout.strip()
    with serving() as address:
        headers = {"Authorization": f"Bearer {token}"}
        product = {"sku": "cola", "name": "Cola", "unit": "bottle", "price": "3.50"}
        made = httpx.post(f"{address}/api/v1/products", json=product, headers=headers)
        assert made.status_code == 201, made.text
        sale = {"kind": "issue", "store": "main", "lines": [{"sku": "cola", "quantity": 1}]}
        sold = httpx.post(f"{address}/api/v1/documents", json=sale, headers=headers)
        assert sold.status_code == 201, sold.text
        assert sold.json()["channel"] == "counter"


@pytest.mark.parametrize(
    ("language", "counted", "rounded"),
    [("en", "import  ", "rounded to 3.56"), ("zh-CN", "导入编号", "已四舍五入为 3.56")],
)
def test_import_shows_its_number_and_what_it_mended(
    language: str, counted: str, rounded: str, run: Run, tmp_path: Path
) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text(
        "sku,name,barcode,price,colour\nA,Tea,6901234567892,3.555,red\n", encoding="utf-8"
    )
    done = run("--language", language, "import", "products", str(goods), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert counted in done.stdout
    assert "2:price 3.555: " in done.stderr
    assert rounded in done.stderr
    assert "colour" in done.stderr


@pytest.mark.parametrize(
    ("language", "words"), [("en", "no store nowhere"), ("zh-CN", "没有找到 门店 nowhere")]
)
@pytest.mark.usefixtures("begun")
def test_unknown_store_is_named_in_the_language_asked_for(
    language: str, words: str, run: Run
) -> None:
    done = run("--language", language, "stock", "--store", "nowhere")
    assert done.returncode == 1
    assert words in done.stderr


def test_export_takes_the_filters_of_the_list_and_names_the_kinds_there_are(
    run: Run, tmp_path: Path
) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,name\nA,Tea\nB,Juice\n", encoding="utf-8")
    run("import", "products", str(goods))
    out = tmp_path / "out.csv"
    done = run("export", "products", str(out), "--filter", "q=juice", "--json")
    assert json.loads(done.stdout)["rows"] == 1
    assert run("export", "products", str(out), "--filter", "juice").returncode == 2
    unknown = run("export", "dreams", str(out))
    assert unknown.returncode == 1
    assert "documents" in unknown.stderr


def test_reader_that_stops_reading_is_no_failure_to_speak_of(
    run: Run, surroundings: dict[str, str], tmp_path: Path
) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,name\nA,Tea\n", encoding="utf-8")
    run("import", "products", str(goods))
    asked = [sys.executable, "-m", "dianku_cli", "plugin", "list"]
    with subprocess.Popen(
        asked, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
    assert said == ""


@pytest.mark.usefixtures("begun")
def test_import_with_wrong_cells_names_row_and_column(run: Run, tmp_path: Path) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,name,unit,price\ncola,Cola,pc,dear\n", encoding="utf-8")
    done = run("import", "products", str(goods))
    assert done.returncode == 1
    assert "2:price" in done.stderr
    assert "dear" in done.stderr


def test_import_takes_columns_as_they_are_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("Ref,Label,RRP,Club\nK1,Tea,9,7\n", encoding="utf-8")
    told = ("--map", "sku=Ref", "--map", "name=B", "--map", "price=Club", "--map", "cost=")
    done = json.loads(run("import", "products", str(file), *told, "--json").stdout)
    assert {c["field"]: c["letter"] for c in done["columns"] if c["field"]} == {
        "sku": "A",
        "name": "B",
        "price": "D",
    }
    assert done["mapping"] == {"sku": "Ref", "name": "B", "price": "Club", "cost": None}
    twice = ("--map", "sku=A", "--map", "sku=B")
    for wrong, status in ((("--map", "sku"), 2), (twice, 2), (("--map", "sku=Nothing"), 1)):
        assert run("import", "products", str(file), *wrong).returncode == status, wrong


@pytest.mark.usefixtures("begun")
def test_export_imported_again_changes_nothing(run: Run, tmp_path: Path) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,name,unit,price\ncola,Cola,pc,3.50\n", encoding="utf-8")
    assert run("import", "products", str(goods)).returncode == 0
    out = tmp_path / "out.csv"
    assert run("export", "products", str(out)).returncode == 0
    again = run("import", "products", str(out), "--json")
    assert again.returncode == 0, again.stderr
    said = json.loads(again.stdout)
    assert (said["created"], said["updated"], said["unchanged"]) == (0, 0, 1)


@pytest.mark.usefixtures("begun")
def test_export_of_what_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("export", "dreams", str(tmp_path / "out.csv"))
    assert done.returncode == 1
    assert "dreams" in done.stderr


@pytest.mark.usefixtures("begun")
def test_backup_restored_elsewhere_is_the_same_shop(run: Run, tmp_path: Path) -> None:
    run("user", "add", "li")
    file = tmp_path / "shop.backup"
    assert run("backup", str(file)).returncode == 0
    assert run("backup", str(file)).returncode == 1
    trial = str(tmp_path / "trial")
    restored = run("--data", trial, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    assert run("--data", trial, "user", "add", "li").returncode == 1
    assert run("--data", trial, "restore", str(file)).returncode == 1


@pytest.mark.usefixtures("begun")
def test_long_work_shows_a_bar_to_a_terminal_and_data_alone_to_a_pipe(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    goods = tmp_path / "goods.csv"
    goods.write_text("sku,name\ncola,Cola\n")
    for words, label in (
        (("import", "products", str(goods), "--json"), "Reading goods.csv"),
        (("backup", "shop.backup", "--json"), "Writing the backup"),
        (("--data", "trial", "restore", "shop.backup", "--json"), "Restoring"),
    ):
        ours, theirs = os.openpty()
        done = subprocess.run(
            [sys.executable, "-m", "dianku_cli", *words],
            env=surroundings,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=theirs,
            timeout=60,
            check=True,
        )
        os.close(theirs)
        shown = os.read(ours, 65_536).decode()
        os.close(ours)
        assert label in shown
        assert "100%" in shown
        assert json.loads(done.stdout)


@pytest.mark.usefixtures("begun")
def test_db_copy_to_another_file_is_the_same_shop(run: Run, tmp_path: Path) -> None:
    run("user", "add", "li")
    url = f"sqlite:///{tmp_path / 'copy.sqlite3'}"
    assert run("db", "copy", url).returncode == 0
    assert run("--database", url, "user", "add", "li").returncode == 1
    assert run("db", "copy", url).returncode == 1


def test_db_status_before_and_after_upgrade(run: Run) -> None:
    before = json.loads(run("db", "status", "--json").stdout)
    assert not before[0]["up_to_date"]
    assert run("db", "upgrade").returncode == 0
    after = json.loads(run("db", "status", "--json").stdout)
    assert all(each["up_to_date"] for each in after)
    assert after[0]["owner"] == "core"


@pytest.mark.usefixtures("begun")
def test_backup_that_is_refused_says_why_in_the_language_asked_for(
    run: Run, tmp_path: Path
) -> None:
    taken = tmp_path / "shop.backup"
    taken.write_text("mine")
    assert "there already" in run("backup", str(taken)).stderr
    assert "已存在" in run("--language", "zh-CN", "backup", str(taken)).stderr
    assert taken.read_text() == "mine"


def test_edition_that_is_not_installed_is_named_wherever_it_was_asked_for(
    run: Run, tmp_path: Path
) -> None:
    assert "'bakery'" in run("stock", DIANKU_EDITION="bakery").stderr
    (tmp_path / "shop").mkdir(exist_ok=True)
    (tmp_path / "shop" / "dianku.toml").write_text('edition = "salon"')
    done = run("--language", "zh-CN", "stock")
    assert done.returncode == 1
    assert "没有安装版本 'salon'" in done.stderr


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/none", "oracle://x", "nonsense"])
def test_database_that_cannot_be_had_is_a_reason_not_a_traceback(url: str, run: Run) -> None:
    done = run("--database", url, "stock")
    assert done.returncode == 1
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("language", "said"), [("en", "make room"), ("zh-CN", "请腾出空间")])
def test_disk_that_takes_nothing_more_is_named(
    begun: Path, surroundings: dict[str, str], language: str, said: str
) -> None:
    words = [sys.executable, "-m", "dianku_cli", "--language", language, "token", "create"]
    full = [
        "sh",
        "-c",
        'ulimit -f 0; exec "$@"',
        "sh",
        *words,
        "--name",
        "till",
        "--role",
        "counter",
    ]
    done = subprocess.run(
        full, env=surroundings, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert begun.is_dir()


def test_plugin_that_is_not_there_is_refused(run: Run) -> None:
    done = run("plugin", "info", "dreams")
    assert done.returncode == 1
    assert "dreams" in done.stderr


def test_doctor_of_a_new_shop_finds_no_error(run: Run) -> None:
    run("init")
    done = run("doctor", "--json")
    assert done.returncode == 0, done.stderr
    assert not [each for each in json.loads(done.stdout) if each["severity"] == "error"]


def test_settings_file_that_is_no_toml_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "dianku.toml").write_text("database = [")
    done = run("stock")
    assert done.returncode == 1
    assert "dianku.toml" in done.stderr


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.usefixtures("begun")
def test_stock_of_an_unknown_sku_is_refused_by_its_name(
    run: Run, language: str, form: tuple[str, ...]
) -> None:
    done = run("--language", language, "stock", "--sku", "nix", *form)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "nix" in done.stderr
    assert ("product" if language == "en" else "商品") in done.stderr

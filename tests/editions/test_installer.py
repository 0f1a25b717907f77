"""The installer of a bundle: without network, home or cache, twice or never, and not by halves."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bare_root import BareRoot, instructions
from bundled import (
    bundle_of,
    copied_bundle,
    copied_installation,
    install,
    installation,
    rewrite,
    without_network,
)
from installed import Environment
from shop_server import Server, ShopFolder

from dianku.testing.required import absent

pytestmark = pytest.mark.timeout(300)  # whoever is first builds and installs for all


def plain_words(folder: Path) -> list[str]:
    places = ["--prefix", str(folder / "opt"), "--data", str(folder / "data")]
    return [*places, "--no-account", "--no-service"]


def everything_in(folder: Path) -> dict[str, tuple[int, int]]:
    found = {str(path): path.lstat() for path in folder.rglob("*")}
    return {name: (said.st_ino, said.st_mtime_ns) for name, said in found.items()}


def test_installation_sells(tmp_path: Path) -> None:
    prefix = installation()
    settings = (prefix / "dianku.env").read_text(encoding="utf-8")
    assert settings == f"DIANKU_DATA={prefix.with_name('data')}\n"
    assert (prefix / "dianku.env").stat().st_mode & 0o777 == 0o640
    assert (prefix / "current").readlink() == Path("versions/basic-0.1.0")
    shop = ShopFolder(tmp_path, command=(str(prefix / "bin" / "dianku"),))
    shop.environ = Environment(prefix).environ  # no DIANKU_DATA: the installation knows
    shop.init()
    with Server(shop) as server:
        token = shop.token("owner")
        goods = {"sku": "cola", "name": "Cola", "unit": "can"}
        server.call("POST", "/products", token=token, body=goods)
        for kind in ("receipt", "issue"):
            lines = [{"sku": "cola", "quantity": 1}]
            sale = {"kind": kind, "store": "S1", "lines": lines}
            made = server.call("POST", "/documents", token=token, body=sale)
            assert made["kind"] == kind
    assert (prefix.with_name("data") / "dianku.sqlite3").is_file()
    assert list(tmp_path.iterdir()) == []


def test_installed_is_what_the_bundle_holds() -> None:
    prefix = installation()
    done = subprocess.run(
        [prefix / "current" / "bin" / "python", "-m", "pip", "list", "--format=freeze"],
        env=Environment(prefix).environ,
        check=True,
        capture_output=True,
        text=True,
    )
    lines = (bundle_of("basic") / "requirements.txt").read_text(encoding="utf-8").splitlines()
    there = {line.lower() for line in done.stdout.split()}
    assert {line.partition(" ")[0].lower() for line in lines} == {
        line for line in there if not line.startswith(("pip==", "setuptools=="))
    }


@pytest.mark.long("full")
def test_second_run_changes_no_version_and_no_setting() -> None:
    prefix = installation()
    kept = [everything_in(prefix / "versions"), (prefix / "dianku.env").read_text()]
    words = ["--prefix", str(prefix), "--data", "/elsewhere", "--no-account", "--no-service"]
    done = install(bundle_of("basic"), *words, before=without_network())
    assert done.returncode == 0, done.stderr
    assert "Installing into" not in done.stdout
    assert [everything_in(prefix / "versions"), (prefix / "dianku.env").read_text()] == kept


def altered_wheel(folder: Path) -> str:
    path = next(folder.glob("wheels/dianku_core-*.whl"))
    content = path.read_bytes()
    rewrite(path, content[:-1] + bytes([content[-1] ^ 1]))
    return f"wheels/{path.name}"


def altered_installer(folder: Path) -> str:
    path = folder / "install.sh"
    rewrite(path, path.read_bytes().replace(b"Install Dianku", b"Install dianku", 1))
    return path.name


def missing_bill(folder: Path) -> str:
    (folder / "sbom.cdx.json").unlink()
    return "sbom.cdx.json"


def added_wheel(folder: Path) -> str:
    (folder / "wheels" / "more-1-py3-none-any.whl").write_bytes(b"")
    return "wheels/more-1-py3-none-any.whl"


@pytest.mark.parametrize(
    ("at", "put"),
    [(0, b"g"), (0, b"A"), (63, b" "), (65, b"*"), (66, b"\0"), (-1, b"x"), (-2, b"x")],
)
def test_altered_byte_in_the_list_of_hashes_is_told_and_nothing_is_installed(
    at: int, put: bytes, tmp_path: Path
) -> None:
    """Also where what compares would only warn, and leave the file of that line unseen."""
    folder = copied_bundle(tmp_path)
    sums = bytearray((folder / "SHA256SUMS").read_bytes())
    sums[at : at % len(sums) + 1] = put
    rewrite(folder / "SHA256SUMS", bytes(sums))
    done = install(folder, *plain_words(tmp_path))
    assert done.returncode == 1
    assert done.stderr.count("\n") > 1
    assert done.stderr.rstrip().endswith("Nothing was installed.")
    assert not (tmp_path / "opt").exists()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("spoil", [altered_wheel, altered_installer, missing_bill, added_wheel])
def test_spoilt_bundle_is_told_by_the_file_and_nothing_is_installed(
    spoil: Callable[[Path], str], tmp_path: Path
) -> None:
    folder = copied_bundle(tmp_path)
    name = spoil(folder)
    done = install(folder, *plain_words(tmp_path))
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if line.startswith(name)] != []
    assert done.stderr.rstrip().endswith("Nothing was installed.")
    assert not (tmp_path / "opt").exists()
    assert not (tmp_path / "data").exists()


def test_python_of_another_kind_is_told(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho cp399 linux_x86_64\n")
    other.chmod(0o755)
    done = install(bundle_of("basic"), "--python", str(other), *plain_words(tmp_path))
    assert done.returncode == 1
    assert f"{other} is cp399 linux_x86_64; take the bundle for that" in done.stderr
    assert not (tmp_path / "opt").exists()


@pytest.mark.parametrize("word", ["a b", "$(id)", "new\nline"])
def test_place_that_a_unit_could_not_name_is_told(word: str, tmp_path: Path) -> None:
    done = install(bundle_of("basic"), *plain_words(tmp_path), "--prefix", f"{tmp_path}/{word}")
    assert done.returncode == 1
    assert "use letters, digits and" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_installation_of_another_version_is_left_to_the_upgrade(tmp_path: Path) -> None:
    (tmp_path / "opt" / "versions" / "basic-0.0.9").mkdir(parents=True)
    (tmp_path / "opt" / "current").symlink_to("versions/basic-0.0.9")
    before = everything_in(tmp_path)
    done = install(bundle_of("basic"), *plain_words(tmp_path))
    assert done.returncode == 1
    assert f"{tmp_path}/opt/bin/dianku edition upgrade {bundle_of('basic')}" in done.stderr
    assert everything_in(tmp_path) == before


@pytest.mark.long("full")
def test_failed_installation_leaves_no_version(tmp_path: Path) -> None:
    words = plain_words(tmp_path)
    folder = copied_bundle(tmp_path)
    # Sound to its last byte, and yet a wheel is not there to be had.
    gone = next(folder.glob("wheels/alembic-*.whl"))
    gone.unlink()
    sums = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
    rewrite(folder / "SHA256SUMS", "".join(x for x in sums if gone.name not in x).encode())
    done = install(folder, *words)
    assert done.returncode != 0
    assert "alembic" in done.stderr
    assert [path for path in (tmp_path / "opt" / "versions").iterdir() if path.is_dir()] == []
    assert not (tmp_path / "opt" / "current").exists()
    assert not (tmp_path / "data").exists()


def test_whoever_is_not_root_is_told_what_they_can_do(tmp_path: Path) -> None:
    person = without_network() or (["env"] if os.getuid() else [])
    if not person:
        absent("root", "it takes unshare to be somebody else")
    done = install(
        bundle_of("basic"),
        "--prefix",
        f"{tmp_path}/opt",
        "--data",
        f"{tmp_path}/data",
        before=person,
    )
    assert done.returncode == 1
    assert "add --no-account --no-service" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_unit_is_one_that_systemd_accepts(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        absent("systemd", "there is no systemd-analyze")
    prefix = installation()
    if os.getuid():
        absent("root", "only root writes units")
    places = ["--prefix", str(prefix), "--data", str(prefix.with_name("data"))]
    done = install(bundle_of("basic"), *places, "--no-account", "--unit-dir", str(tmp_path))
    assert done.returncode == 0, done.stderr
    unit = tmp_path / "dianku.service"
    text = unit.read_text(encoding="utf-8")
    assert f"ExecStart={prefix}/bin/dianku serve" in text
    assert f"ReadWritePaths={prefix.with_name('data')}" in text
    verified = verify(unit)
    assert (verified.returncode, verified.stderr) == (0, "")
    unit.write_text(text.replace("bin/dianku serve", "bin/danku serve"), encoding="utf-8")
    assert verify(unit).returncode != 0


def verify(unit: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "verify", str(unit)], check=False, capture_output=True, text=True
    )


def test_uninstaller_leaves_the_data_and_says_where(tmp_path: Path) -> None:
    prefix = tmp_path / "opt"
    shutil.copytree(installation(), prefix, symlinks=True, copy_function=os.link)
    data = tmp_path / "data"
    data.mkdir()
    (data / "dianku.db").write_bytes(b"the books")
    secret = "postgresql://shop:hidden@db.example/shop"
    (prefix / "dianku.env").unlink()
    (prefix / "dianku.env").write_text(f"DIANKU_DATA={data}\nDIANKU_DATABASE={secret}\n")
    done = subprocess.run(
        ["sh", str(prefix / "uninstall.sh"), "--unit-dir", str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert str(data) in done.stdout
    assert "postgresql://shop:***@db.example/shop" in done.stdout
    assert not prefix.exists()
    assert (data / "dianku.db").read_bytes() == b"the books"
    again = subprocess.run(
        ["sh", str(bundle_of("basic") / "uninstall.sh"), "--prefix", str(data)],
        check=False,
        capture_output=True,
    )
    assert again.returncode == 1
    assert (data / "dianku.db").exists()


def test_service_of_another_installation_is_never_taken_over(tmp_path: Path) -> None:
    if os.getuid():
        absent("root", "only root writes units")
    other = tmp_path / "other" / "bin" / "dianku"
    other.parent.mkdir(parents=True)
    other.touch()
    (tmp_path / "dianku.service").write_text(f"[Service]\nExecStart={other} serve\n")
    before = everything_in(tmp_path)
    places = ["--prefix", f"{tmp_path}/opt", "--data", f"{tmp_path}/data"]
    done = install(bundle_of("basic"), *places, "--no-account", "--unit-dir", str(tmp_path))
    assert done.returncode == 1
    assert f"{tmp_path}/dianku.service runs {other} already" in done.stderr
    assert everything_in(tmp_path) == before


@pytest.mark.long("full")
@pytest.mark.parametrize("spelled", ["opt/", "/opt", "link"])
def test_uninstaller_takes_the_service_along_however_the_prefix_is_spelled(
    spelled: str, tmp_path: Path
) -> None:
    if os.getuid():
        absent("root", "only root writes units")
    shutil.copytree(installation(), tmp_path / "opt", symlinks=True, copy_function=os.link)
    (tmp_path / "link").symlink_to("opt")
    units = ["--unit-dir", str(tmp_path)]
    words = ["--prefix", f"{tmp_path}/{spelled}", "--data", f"{tmp_path}/data", "--no-account"]
    done = install(bundle_of("basic"), *words, *units)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dianku.service").is_file()
    uninstall = ["sh", f"{tmp_path}/{spelled}/uninstall.sh", *units]
    subprocess.run(uninstall, check=True, capture_output=True)
    assert not (tmp_path / "dianku.service").exists()
    assert not (tmp_path / "opt").exists()


@pytest.mark.long("full")
def test_steps_of_the_dockerfile_make_a_shop_in_a_bare_root(tmp_path: Path) -> None:
    """No image is built: the base is made of this machine's programs."""
    if os.getuid() or shutil.which("unshare") is None:
        absent("root", "a root of its own takes root and unshare")
    root = BareRoot(tmp_path / "root")
    root.prepare()
    user, folder, entry = "root", "/", [""]
    for each in instructions(bundle_of("basic") / "Dockerfile"):
        match each.word:
            case "FROM":
                assert each.rest == f"python:{sys.version_info[0]}.{sys.version_info[1]}-slim"
            case "COPY":
                source, target = each.rest.split()
                root.copy(bundle_of("basic") / source, target)
            case "RUN":
                root.step(["sh", "-c", each.rest], user=user, folder=folder)
            case "USER":
                user = each.rest
            case "WORKDIR":
                folder = each.rest
            case "VOLUME":
                assert each.words == ["/var/lib/dianku"]
            case "EXPOSE":
                assert each.rest == "8000"
            case "ENTRYPOINT":
                entry = each.words
            case "CMD":
                root.step([*entry, "init"], user=user, folder=folder)
                root.serve([*entry, *each.words], user=user, folder=folder)
            case _:
                raise AssertionError(each)
    assert "listening on http://0.0.0.0:8000" in root.run()
    books = root.folder / "var/lib/dianku/dianku.sqlite3"
    assert books.stat().st_uid != 0
    assert books.parent.stat().st_mode & 0o777 == 0o750
    assert not (root.folder / "bundle").exists()
    assert (root.folder / "opt/dianku/current/bin/python").is_symlink()


def at(folder: Path) -> list[str]:
    """What runs a command from a folder."""
    return ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(folder)]


def test_unit_leads_to_the_program_and_the_data_however_they_are_named(tmp_path: Path) -> None:
    if os.getuid():
        absent("root", "only root writes units")
    # A part of it is called as the data is where nobody says otherwise.
    prefix = copied_installation(tmp_path / "var" / "lib" / "dianku" / "opt", tmp_path / "data")
    words = ["--prefix", "var/../var//lib/dianku/opt/", "--data", "./data", "--unit-dir", "units"]
    done = install(bundle_of("basic"), *words, "--no-account", before=at(tmp_path))
    assert done.returncode == 0, done.stderr
    unit = (tmp_path / "units" / "dianku.service").read_text(encoding="utf-8").splitlines()
    assert f"EnvironmentFile={prefix}/dianku.env" in unit
    assert f"ExecStart={prefix}/bin/dianku serve --host 127.0.0.1 --port 8000" in unit
    assert {f"WorkingDirectory={tmp_path}/data", f"ReadWritePaths={tmp_path}/data"} < {*unit}


def test_second_run_writes_the_unit_for_the_data_there_is(tmp_path: Path) -> None:
    if os.getuid():
        absent("root", "only root writes units")
    prefix = copied_installation(tmp_path / "opt", tmp_path / "data")
    words = ["--prefix", str(prefix), "--data", f"{tmp_path}/other", "--no-account"]
    done = install(bundle_of("basic"), *words, "--unit-dir", str(tmp_path))
    assert done.returncode == 0, done.stderr
    unit = (tmp_path / "dianku.service").read_text(encoding="utf-8")
    assert f"\nReadWritePaths={tmp_path}/data\n" in unit
    assert not (tmp_path / "other").exists()


def test_folder_with_a_blank_is_told_also_where_only_the_way_to_it_has_one(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    words = ["--prefix", "opt", "--data", "data", "--no-account", "--no-service"]
    done = install(bundle_of("basic"), *words, before=at(folder))
    assert done.returncode == 1
    assert f"'{folder}/opt': use letters" in done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("data", ["opt", "opt/versions/data", "opt/bin"])
def test_data_among_the_program_is_refused(data: str, tmp_path: Path) -> None:
    done = install(bundle_of("basic"), *plain_words(tmp_path), "--data", f"{tmp_path}/{data}")
    assert done.returncode == 1
    assert f"--data {tmp_path}/{data}: there the program goes" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_program_where_the_account_cannot_come_is_told(tmp_path: Path) -> None:
    if os.getuid():
        absent("root", "only root installs for another account")
    (tmp_path / "closed").mkdir(mode=0o700)
    words = ["--prefix", f"{tmp_path}/closed/opt", "--data", f"{tmp_path}/data", "--no-service"]
    done = install(bundle_of("basic"), *words, "--account", "nobody")
    assert done.returncode == 1
    assert "the account nobody may not run what lies in" in done.stderr
    assert [*tmp_path.rglob("*")] == [tmp_path / "closed"]


def test_installation_beside_one_that_is_under_way_is_refused(tmp_path: Path) -> None:
    versions = tmp_path / "opt" / "versions"
    (versions / "basic-0.1.0").mkdir(parents=True)
    with (versions / ".upgrade.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = install(bundle_of("basic"), *plain_words(tmp_path))
    assert done.returncode == 1
    assert "is under way; wait until it is done" in done.stderr
    assert (versions / "basic-0.1.0").is_dir()


@pytest.mark.long("full")
def test_installation_cut_off_at_its_last_steps_is_made_again(tmp_path: Path) -> None:
    prefix = copied_installation(tmp_path / "opt", tmp_path / "data")
    version = prefix / "versions" / "basic-0.1.0"
    sums = (version / "SHA256SUMS").read_bytes()
    rewrite(version / "SHA256SUMS", sums[:100])
    (prefix / "current").rename(prefix / "current.part")
    done = install(bundle_of("basic"), *plain_words(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (version / "SHA256SUMS").read_bytes() == sums
    assert (prefix / "current").readlink() == Path("versions/basic-0.1.0")
    assert not (prefix / "current.part").is_symlink()
    assert not (version / "basic-0.1.0").is_symlink()


def test_command_for_whom_it_is_not_says_whose_it_is(tmp_path: Path) -> None:
    prefix = copied_installation(tmp_path / "opt", tmp_path / "data")
    command = (prefix / "bin" / "dianku").read_text(encoding="utf-8")
    command = command.replace(str(installation()), str(prefix))
    (prefix / "dianku.env").unlink()
    done = subprocess.run(
        ["sh", "-c", command], check=False, capture_output=True, text=True, env={}
    )
    assert done.returncode == 1
    assert f"{prefix}/dianku.env is not for" in done.stderr


def test_removal_that_was_cut_off_is_completed(tmp_path: Path) -> None:
    prefix = copied_installation(tmp_path / "opt", tmp_path / "data")
    shutil.rmtree(prefix / "versions")
    (prefix / ".current-77").symlink_to("versions/basic-0.1.0")
    done = subprocess.run(
        ["sh", str(prefix / "uninstall.sh"), "--unit-dir", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    assert not prefix.exists()


@pytest.mark.long("full")
def test_account_that_is_half_there_gets_the_folder_that_was_made_for_it(tmp_path: Path) -> None:
    """By whoever became root without root's PATH."""
    if os.getuid() or shutil.which("unshare") is None:
        absent("root", "a root of its own takes root and unshare")
    root = BareRoot(tmp_path / "root")
    root.prepare()
    with (root.folder / "etc" / "group").open("a") as group:
        group.write("shop:x:77:\n")
    root.copy(bundle_of("basic"), "/bundle")
    (root.folder / "srv" / "shop" / "lost+found").mkdir(parents=True)
    words = ["sh", "/bundle/install.sh", "--python", f"{sys.base_prefix}/bin/python3"]
    units = ["--unit-dir", "/etc/units"]
    given = ["--data", "/srv/shop", "--account", "shop", *units]
    root.step(["env", "PATH=/usr/bin", *words, *given])
    root.step(["/opt/dianku/bin/dianku", "init"], user="shop", folder="/srv/shop")
    root.step(["rm", "/etc/units/dianku.service"])
    root.step([*words, *units])  # again, as whoever has forgotten what was said
    root.run()
    accounts = (root.folder / "etc" / "passwd").read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0] for line in accounts] == ["root", "shop"]
    assert accounts[1].split(":")[3] == "77"
    unit = (root.folder / "etc" / "units" / "dianku.service").read_text(encoding="utf-8")
    assert {"User=shop", "Group=shop", "ReadWritePaths=/srv/shop"} < {*unit.splitlines()}
    assert (root.folder / "srv/shop/dianku.sqlite3").stat().st_uid != 0

"""A small root of its own, as a container has it: this machine's programs, nothing of its homes.

What a Dockerfile's steps need of their base image is a shell, `useradd` and Python; those are this
machine's, bound read-only. There is no network in it. All mounts end with the process.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen

_APART = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child")
_SETUP = """
set -eu
mount --make-rprivate /
cd {root}
mount --rbind /usr usr
mount -o remount,bind,ro usr
{python}
mount -t proc proc proc
for device in null urandom; do mount --bind /dev/$device dev/$device; done
"""


@frozen
class Instruction:
    """One instruction of a Dockerfile."""

    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """Its argument in JSON form."""
        found: list[str] = json.loads(self.rest)
        return found


def instructions(file: Path) -> list[Instruction]:
    """The instructions of a Dockerfile, in order."""
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Instruction(*line.split(maxsplit=1)) for line in lines]


@frozen
class BareRoot:
    """A root folder, and what is run in it."""

    folder: Path
    _steps: list[str] = field(factory=list, init=False)

    def prepare(self) -> None:
        """Make what a base image has."""
        for name in ("usr", "proc", "dev", "etc", "tmp", "root", "var/lib", "opt", "run"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        (self.folder / "tmp").chmod(0o1777)
        for name in ("bin", "sbin", "lib", "lib64"):
            if Path("/", name).is_symlink():
                (self.folder / name).symlink_to(Path("/", name).readlink())
        for name in ("null", "urandom"):
            (self.folder / "dev" / name).touch()
        etc = self.folder / "etc"
        (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (etc / "group").write_text("root:x:0:\n")
        (etc / "shadow").write_text("root:*:1::::::\n")
        for name in ("ld.so.cache", "login.defs", "nsswitch.conf"):
            if Path("/etc", name).exists():
                shutil.copy(Path("/etc", name), etc / name)
        shutil.copytree("/etc/alternatives", etc / "alternatives", symlinks=True)

    def copy(self, source: Path, target: str) -> None:
        """COPY: a folder's content into a folder of the root."""
        shutil.copytree(source, self.folder / target.lstrip("/"), dirs_exist_ok=True)

    def step(self, command: Sequence[str], *, user: str = "root", folder: str = "/") -> None:
        """Note a command to be run inside, after those before."""
        inside = ["env", "-i", f"PATH={self._path}", "sh", "-c", 'cd "$1" && shift && exec "$@"']
        words = ["chroot", f"--userspec={user}", str(self.folder), *inside, "sh", folder, *command]
        self._steps.append(shlex.join(words))

    def serve(self, command: Sequence[str], *, user: str, folder: str) -> None:
        """Note a server: its first line is printed, then it is ended."""
        self.step(command, user=user, folder=folder)
        started = self._steps[-1]
        self._steps[-1:] = [
            "mkfifo ../said",
            f"{started} >../said & pid=$!",
            "read -r line <../said; echo $line; kill $pid; wait $pid || true",
        ]

    def run(self) -> str:
        """Run what was noted; what it said. Raises `AssertionError` where a step fails."""
        setup = _SETUP.format(root=shlex.quote(str(self.folder)), python=self._bind_python())
        done = subprocess.run(
            [*_APART, "sh", "-c", "\n".join([setup, *self._steps])],
            check=False,
            capture_output=True,
            text=True,
            timeout=200,
        )
        if done.returncode != 0:
            raise AssertionError(f"{done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    @property
    def _path(self) -> str:
        return f"{sys.base_prefix}/bin:/usr/sbin:/usr/bin"

    def _bind_python(self) -> str:
        """The base image's Python: this one's, where it is not under /usr anyway."""
        if Path(sys.base_prefix).is_relative_to("/usr"):
            return ""
        inside = shlex.quote(sys.base_prefix.lstrip("/"))
        bound = f"mount --rbind {shlex.quote(sys.base_prefix)} {inside}"
        return f"mkdir -p {inside}\n{bound}\nmount -o remount,bind,ro {inside}"

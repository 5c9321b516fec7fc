"""A throw-away PostgreSQL with PostGIS for one test run, shared by its workers, reached by a Unix socket only."""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER_VARIABLE = "WANGGE_TEST_CLUSTER"
OWNER_VARIABLE = "WANGGE_TEST_OWNER"
TEMPLATE = "wangge_template"


def binaries() -> Path | None:
    """Folder of initdb and pg_ctl, the newest version there is; None when PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    if found:
        return found[-1]
    there = shutil.which("initdb")
    return Path(there).parent if there else None


def has_postgis(folder: Path) -> bool:
    """Whether the PostGIS extension is installed beside these binaries."""
    shared = subprocess.run([folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    if shared.returncode == 0:
        return (Path(shared.stdout.strip()) / "extension" / "postgis.control").exists()
    return Path(f"/usr/share/postgresql/{folder.parent.name}/extension/postgis.control").exists()


class Cluster:
    """The cluster in one folder; every method may be called by any worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = binaries()
        assert found is not None
        self.bin = found

    @property
    def _user(self) -> dict:
        """PostgreSQL refuses to run as root: then an unprivileged account runs it."""
        if os.geteuid() != 0:
            return {}
        names = [name for name in ("postgres", "nobody") if _exists(name)]
        account = pwd.getpwnam(names[0])
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.folder / "lock", "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def run(self, *command: str | Path) -> None:
        """Run one of PostgreSQL's programs as the account of the cluster."""
        with open(self.folder / "log", "a") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd="/", timeout=120, **self._user)

    def start(self) -> None:
        """Make and start the cluster unless a worker has done so."""
        with self._locked():
            if (self.folder / "ready").exists():
                return
            data = self.folder / "data"
            self.folder.chmod(0o755)
            data.mkdir(exist_ok=True)
            data.chmod(0o700)
            if self._user:
                os.chown(data, self._user["user"], self._user["group"])
                os.chown(self.folder, self._user["user"], self._user["group"])
            options = ["--username=wangge", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
            self.run(self.bin / "initdb", "-D", data, *options)
            self._pg_ctl("start")
            self._end_with(int(os.environ.get(OWNER_VARIABLE, os.getpid())))
            (self.folder / "ready").touch()

    def _end_with(self, process: int) -> None:
        """Leave a watcher that stops the server when the test run is killed and cannot do so itself."""
        watch = (
            f"(while [ -d /proc/{process} ] && [ -d {self.folder}/data ]; do sleep 2; done; "
            f"[ -d {self.folder}/data ] && {self.bin}/pg_ctl stop -m immediate -D {self.folder}/data; "
            f"rm -rf {self.folder}) >/dev/null 2>&1 </dev/null &"
        )
        subprocess.run(["sh", "-c", watch], check=True, start_new_session=True, cwd="/", **self._user)

    def _pg_ctl(self, act: str) -> None:
        settings = (
            f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off -c max_connections=200"
        )
        mode = ["-m", "immediate"] if act != "start" else []
        log = ["-l", str(self.folder / "data" / "server.log")] if act != "stop" else []
        options = ["-o", settings] if act != "stop" else []
        self.run(self.bin / "pg_ctl", act, "-w", "-D", self.folder / "data", *mode, *log, *options)

    def crash(self) -> None:
        """Stop without ceremony, as in a power cut, and start again."""
        self._pg_ctl("restart")

    def stop(self) -> None:
        """Stop the cluster and remove it."""
        if (self.folder / "ready").exists():
            self._pg_ctl("stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """Store address of a database."""
        return f"postgresql+psycopg://wangge@/{database}?host={self.folder}"

    def fresh(self, name: str, *, template: str = "template0") -> str:
        """A new database (dropped first if it exists); returns its store address."""
        import psycopg

        with (
            self._locked(),
            psycopg.connect(f"host={self.folder} user=wangge dbname=postgres", autocommit=True) as connection,
        ):
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def fresh_store(self, name: str) -> str:
        """A new database with an empty store in it, copied from a template made once per run."""
        from layers.storage.store import Store

        made = self.folder / "template"
        if not made.exists():
            with self._once("template-lock"):
                if not made.exists():
                    Store.create(self.fresh(TEMPLATE)).close()
                    made.touch()
        return self.fresh(name, template=TEMPLATE)

    @contextmanager
    def _once(self, name: str) -> Iterator[None]:
        with open(self.folder / name, "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def new_folder() -> Path:
    """The folder of this run's cluster (not under pytest's own, which other accounts cannot enter)."""
    return Path(tempfile.mkdtemp(prefix="wangge-postgis-"))

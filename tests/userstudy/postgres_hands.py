"""A real PostgreSQL for tests, which may be restarted."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path


def programs() -> Path | None:
    """The newest PostgreSQL that Debian, or a PATH, has."""
    versions = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb") if path.parts[-3].isdecimal()]
    if versions:
        return max(versions, key=lambda folder: int(folder.parent.name))
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Postgres:
    """A server that lives as long as the tests and listens on a socket only. ``url % name``: that of a database.

    Its programs refuse to run as root, so a root test run lends the cluster to the user ``postgres``. It does not flush
    its disk: the tests kill our servers, not this one.
    """

    def __init__(self) -> None:
        self._programs = programs()
        # The server ends with the tests even when they are killed.
        self._as_user = ["setpriv", "--pdeathsig=INT"]
        self.folder = Path(tempfile.mkdtemp(prefix="iph-pg-"))
        if os.getuid() == 0:
            self._as_user += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
            shutil.chown(self.folder, "postgres", "postgres")
        self.url = f"postgresql+psycopg://study@/%s?host={self.folder}"
        data = f"{self.folder}/data"
        initdb = self._run("initdb", "-D", data, "-U", "study", "-A", "trust", "-E", "UTF8", "--no-sync")
        assert initdb.wait() == 0, "initdb failed"
        self.start()

    def _run(self, program: str, *arguments: str) -> subprocess.Popen:
        command = [*self._as_user, str(self._programs / program), *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)

    def start(self) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._server = self._run("postgres", "-D", f"{self.folder}/data", *options)
        deadline = time.monotonic() + 60
        while self._run("pg_isready", "-h", str(self.folder), "-U", "study").wait() != 0:
            assert self._server.poll() is None and time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.1)

    def stop(self) -> None:
        """As an administrator stops it: what is under way is rolled back."""
        self._server.send_signal(2)  # SIGINT: a fast shutdown
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

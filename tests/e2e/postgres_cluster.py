"""A temporary PostgreSQL server for tests (tools/temporary_postgres.sh)."""
import os
import subprocess

from harness import SOURCE


class Cluster:
    """A temporary server; it goes away with this process, however that ends."""

    def __init__(self):
        self.process = subprocess.Popen([os.path.join(SOURCE, "tools/temporary_postgres.sh")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True)
        word, self.port, self.folder, self.password = self.process.stdout.readline().split()
        assert word == "ready"

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def settings(self, schema, **changes):
        """The section of a signer's configuration; $DATABASE_PASSWORD must hold the password."""
        keys = {"host": "127.0.0.1", "port": f'"{self.port}"', "database": "signer", "user": "signer", "password": '"env:DATABASE_PASSWORD"',
                "sslrootcert": f"{self.folder}/ca.pem", "schema": schema, "timeout_seconds": 3, "connect_timeout_seconds": 2, **changes}
        return "anti_slashing:\n  backend: postgres\n  postgres:\n" + "".join(f"    {name}: {value}\n" for name, value in keys.items())

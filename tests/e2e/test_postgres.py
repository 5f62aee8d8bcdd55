"""Two signer processes with the same keys on one PostgreSQL: whatever they are asked at the same moment, one of them signs."""
import json
import os
import subprocess
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import SignerTest, attestation, block, slashable
from postgres_cluster import Cluster


class Postgres(SignerTest):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.schemas = 0

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def setUp(self):
        type(self).schemas += 1
        self.schema = f"case_{self.schemas}"

    def on_database(self, **changes):
        return self.signer(extra=self.cluster.settings(self.schema, **changes), environment={"DATABASE_PASSWORD": self.cluster.password})

    def ready(self, *indices):
        signer = self.on_database().start()
        signer.init_kms_only()
        return signer, signer.import_interop(*indices)

    def test_of_two_signers_asked_for_conflicting_messages_one_signs(self):
        one, keys = self.ready(0, 1)
        two, same = self.ready(0, 1)
        self.assertEqual(keys, same)
        released = []
        lock = threading.Lock()

        def ask(signer, key, body):
            reply = signer.sign(key, body)
            if reply.status == 200:
                with lock:
                    released.append((key, body))
            return reply.status

        with ThreadPoolExecutor(4) as pool:
            for n in range(1, 31):
                for key in keys:
                    pairs = [(one, block(n, 1)), (two, block(n, 2)), (one, attestation(n, n + 1, 1)), (two, attestation(n, n + 1, 2))]
                    said = list(pool.map(lambda pair, key=key: ask(pair[0], key, pair[1]), pairs))
                    self.assertEqual(sorted(said[:2]), [200, 412], f"blocks at {n}")
                    self.assertEqual(sorted(said[2:]), [200, 412], f"votes at {n}")
        self.assertEqual(len(released), 30 * 2 * 2)
        self.assertIsNone(slashable(released))
        key, body = released[0]
        self.assertEqual((one.sign(key, body).status, two.sign(key, body).status), (200, 200), "the identical message again, from either")
        self.assertNotIn(self.cluster.password, one.log() + two.log())

    def test_a_server_that_is_away_means_503_and_signing_goes_on_with_it(self):
        signer, (key,) = self.ready(0)
        self.assertEqual(signer.sign(key, block(1)).status, 200)
        self.assertEqual(self.cluster.command("stop"), "ok")
        reply = signer.sign(key, block(2))
        self.assertEqual(reply.status, 503)
        self.assertEqual(signer.request("GET", "/upcheck").status, 200)
        self.assertEqual(self.cluster.command("start"), "ok")
        self.assertEqual(signer.sign(key, block(2, 6)).status, 200)
        self.assertEqual(signer.sign(key, block(1, 6)).status, 412)
        self.assertNotIn(self.cluster.password, signer.log())

    def test_a_signer_killed_and_started_again_knows_its_store_and_an_emptied_one(self):
        signer, (key,) = self.ready(0)
        self.assertEqual(signer.sign(key, block(5)).status, 200)
        signer.kill()
        signer.start()
        signer.wait_status("unsealed")
        self.assertEqual(signer.sign(key, block(5, 9)).status, 412)
        signer.stop()
        status = json.loads(signer.run("slashing", "status", "--config", signer.config, "--output", "json")[1])
        self.assertEqual((status["store"], status["validators"]), ("ours", 1))
        subprocess.run(["psql", "-X", "-q", "-h", "127.0.0.1", "-p", self.cluster.port, "-U", "signer", "-d", "signer",
                        "-c", f"DROP SCHEMA {self.schema} CASCADE"], check=True, capture_output=True,
                       env={**os.environ, "PGPASSWORD": self.cluster.password})
        signer.start()
        reply = signer.sign(key, block(6))
        self.assertEqual(reply.status, 503)
        self.assertIn("slashing_store_mismatch", signer.log())
        self.assertNotEqual(signer.run("slashing", "export", "--config", signer.config, check=False)[0], 0)

    def test_the_history_is_exported_and_imported_by_the_commands(self):
        signer, (key,) = self.ready(0)
        self.assertEqual(signer.sign(key, block(5)).status, 200)
        signer.stop()
        out = signer.run("slashing", "export", "--config", signer.config)[1]
        self.assertEqual([(entry["pubkey"], [b["slot"] for b in entry["signed_blocks"]]) for entry in json.loads(out)["data"]], [(key, ["5"])])
        file = os.path.join(signer.folder, "history.json")
        with open(file, "w", encoding="utf-8") as text:
            text.write(out)
        self.schema += "_copy"
        other = self.on_database()
        os.mkdir(other.data, 0o700)
        other.run("slashing", "import", file, "--config", other.config)
        other.start()
        other.init_kms_only()
        other.import_interop(0)
        self.assertEqual(other.sign(key, block(5, 9)).status, 412)
        self.assertEqual(other.sign(key, block(6)).status, 200)

    def test_a_bad_address_ends_the_start_with_the_reason_and_no_secret(self):
        cases = [({"sslmode": "disable", "host": "db.example"}, "loopback"), ({"sslmode": "prefer"}, "plain text"),
                 ({"password": '"wrong-password-1"'}, "password authentication failed"), ({"database": "nowhere"}, "does not exist"),
                 ({"sslrootcert": "/etc/ssl/certs/ca-certificates.crt"}, "certificate verify failed"), ({"port": '"1"'}, "cannot connect")]
        for changes, words in cases:
            with self.subTest(**changes):
                signer = self.on_database(connect_timeout_seconds="20", **changes)
                signer.start(wait=False)
                self.assertNotEqual(signer.process.wait(timeout=30), 0)
                self.assertIn(words, signer.log())
                self.assertNotIn(self.cluster.password, signer.log())
                self.assertNotIn("wrong-password-1", signer.log())


if __name__ == "__main__":
    unittest.main()

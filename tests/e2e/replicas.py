"""Replicas of one signer on three DynamoDB tables behind the strict front."""
import time

from aws_harness import ARNS, DevKms, DynamoDb
from harness import SignerTest


class Tables(SignerTest):
    @classmethod
    def setUpClass(cls):
        cls.dynamodb = DynamoDb()
        cls.cases = 0

    @classmethod
    def tearDownClass(cls):
        cls.dynamodb.close()

    def setUp(self):
        type(self).cases += 1
        self.prefix = f"case{self.cases}"
        for kind in ("state", "keys", "slashing"):
            self.dynamodb.create_table(self.table(kind))
        self.kms = DevKms().start()
        self.addCleanup(self.kms.close)
        self.strict = self.dynamodb.strict
        self.strict.refused.clear()
        self.strict.messages.clear()
        self.dynamodb.admit(self.kms.key_id(), self.kms.secret_key())
        self.addCleanup(self.strict.clear)

    def tearDown(self):
        """Whatever a test does to the network: the program never sends what AWS would not take."""
        self.assertEqual(self.strict.refused["ValidationException"] + self.strict.refused["SerializationException"], 0, self.strict.messages)

    def table(self, kind):
        return f"{self.prefix}-{kind}"

    def settings(self, **changes):
        names = {kind: self.table(kind) for kind in ("state", "keys", "slashing")} | changes
        return (f"signer_state: {{backend: dynamodb, table: {names['state']}, max_stale_seconds: 5}}\n"
                f"key_sources: {{dynamodb: {{table: {names['keys']}}}}}\n"
                f"anti_slashing: {{backend: dynamodb, dynamodb: {{table: {names['slashing']}}}}}\n"
                f"aws: {{region: eu-west-1, call_timeout_seconds: 3}}\n")

    def needs_side_by_side(self):
        if not self.dynamodb.concurrent:
            self.skipTest("moto undoes a failed transaction by putting back all tables; races need dynoxide")

    def replica(self, environment=None, **changes):
        environment = {**self.kms.environment, "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb.endpoint, **(environment or {})}
        return self.signer(extra=self.settings(**changes), environment=environment)

    def init(self, signer):
        signer.operator("init", "--setup-token", signer.setup_token(), "--kms-key-arns", ",".join(ARNS), "--kms-threshold", "2")

    def pair(self, *indices):
        one, two = self.replica().start(), self.replica().start()
        self.init(one)
        two.wait_status("unsealed")
        keys = one.import_interop(*indices)
        self.eventually(lambda: sorted(two.request("GET", "/api/v1/eth2/publicKeys", token="SIGNING_TOKEN").json()) == sorted(keys), "the keys on the other replica")
        return one, two, keys

    def eventually(self, holds, what, seconds=60):
        end = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.2)

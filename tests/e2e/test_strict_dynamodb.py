"""DynamoDB as AWS is and emulators are not: first AWS's own command line against the strict front, so that it cannot drift; then the signer through
throttling, partial batches, short pages, lost answers, conflicts, an expired session, another clock, a role without rights.
"""
import json
import threading
import time
import unittest

from aws_harness import ISOLATED, CredentialEndpoint, Moto, DynamoDb, aws_cli
from harness import attestation, block, slashable
from replicas import Tables

KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}


def text(value):
    return json.dumps(value)


class TheFrontItself(unittest.TestCase):
    """Judged by AWS's own client."""

    @classmethod
    def setUpClass(cls):
        cls.dynamodb = DynamoDb()
        cls.dynamodb.create_table("table")
        cls.dynamodb.admit("AKIDEXAMPLE", "right-secret")
        cls.dynamodb.admit("ASIDEXAMPLE", "session-secret", "session-token")

    @classmethod
    def tearDownClass(cls):
        cls.dynamodb.close()

    def aws(self, verb, *arguments, key_id="AKIDEXAMPLE", secret="right-secret", token=None, check=True):
        environment = {**ISOLATED, "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_MAX_ATTEMPTS": "1", "AWS_REGION": "eu-west-1"}
        if token:
            environment["AWS_SESSION_TOKEN"] = token
        return aws_cli(["dynamodb", verb, *arguments], environment, self.dynamodb.endpoint, check=check)

    def refused(self, words, verb, *arguments, **who):
        code, err = self.aws(verb, *arguments, check=False, **who)
        self.assertNotEqual(code, 0)
        self.assertIn(words, err)

    def test_every_operation_of_ours_passes_as_aws_signs_it(self):
        on = ("--table-name", "table")
        self.aws("describe-table", *on)
        self.aws("put-item", *on, "--item", text({**KEY, "n": {"N": "1"}, "b": {"B": "AQ=="}}), "--condition-expression", "attribute_not_exists(#pk)",
                 "--expression-attribute-names", text({"#pk": "pk"}))
        self.refused("ConditionalCheckFailedException", "put-item", *on, "--item", text(KEY), "--condition-expression", "attribute_not_exists(pk)")
        self.aws("update-item", *on, "--key", text(KEY), "--update-expression", "SET n = n + :one REMOVE b", "--condition-expression", "n = :one AND (b = :b OR NOT contains(b, :b))",
                 "--expression-attribute-values", text({":one": {"N": "1"}, ":b": {"B": "AQ=="}}))
        self.assertEqual(json.loads(self.aws("get-item", *on, "--key", text(KEY), "--consistent-read"))["Item"], {**KEY, "n": {"N": "2"}})
        self.aws("transact-write-items", "--client-request-token", "one", "--transact-items",
                 text([{"Put": {"TableName": "table", "Item": {"pk": {"S": "a"}, "sk": {"S": "2"}}}},
                       {"ConditionCheck": {"TableName": "table", "Key": KEY, "ConditionExpression": "attribute_exists(pk)"}}]))
        found = json.loads(self.aws("query", *on, "--key-condition-expression", "#pk = :pk AND sk BETWEEN :a AND :b", "--expression-attribute-names", text({"#pk": "pk"}),
                                    "--expression-attribute-values", text({":pk": {"S": "a"}, ":a": {"S": "1"}, ":b": {"S": "3"}})))
        self.assertEqual(found["Count"], 2)
        read = json.loads(self.aws("batch-get-item", "--request-items", text({"table": {"Keys": [KEY], "ConsistentRead": True}})))
        self.assertEqual(len(read["Responses"]["table"]), 1)
        self.aws("delete-item", *on, "--key", text(KEY))
        self.aws("get-item", *on, "--key", text(KEY), key_id="ASIDEXAMPLE", secret="session-secret", token="session-token")

    def test_who_is_not_who_they_say_is_refused(self):
        get = ("get-item", "--table-name", "table", "--key", text(KEY))
        self.refused("InvalidSignatureException", *get, secret="wrong-secret")
        self.refused("UnrecognizedClientException", *get, key_id="AKIDSTRANGER")
        self.refused("UnrecognizedClientException", *get, key_id="ASIDEXAMPLE", secret="session-secret")
        self.refused("UnrecognizedClientException", *get, key_id="ASIDEXAMPLE", secret="session-secret", token="another-token")
        strict = self.dynamodb.strict
        strict.accounts["ASIDEXAMPLE"].expired = True
        self.refused("ExpiredTokenException", *get, key_id="ASIDEXAMPLE", secret="session-secret", token="session-token")
        strict.accounts["ASIDEXAMPLE"].expired = False
        for offset, words in ((3600, "Signature expired"), (-3600, "Signature not yet current")):
            strict.clock_offset = offset
            self.refused(words, *get)
        strict.clock_offset = 0

    def test_what_aws_does_not_take_is_not_taken(self):
        on = ("--table-name", "table")
        one = text({":one": {"N": "1"}})
        update = ("update-item", *on, "--key", text(KEY), "--update-expression")
        put = ("put-item", *on, "--item")
        self.refused("reserved keyword: status", *update, "SET status = :one", "--expression-attribute-values", one)
        self.refused("unused in expressions: keys: {:two}", *update, "SET n = :one", "--expression-attribute-values", text({":one": {"N": "1"}, ":two": {"N": "1"}}))
        self.refused("unused in expressions: keys: {#x}", *update, "SET n = :one", "--expression-attribute-values", one, "--expression-attribute-names", text({"#x": "n"}))
        self.refused("not defined; attribute value: :two", *update, "SET n = :two", "--expression-attribute-values", one)
        self.refused("Two document paths overlap", *update, "SET n = :one ADD n :one", "--expression-attribute-values", one)
        self.refused("part of the key", *update, "SET sk = :one", "--expression-attribute-values", one)
        self.refused("Syntax error", *update, "SET n :one", "--expression-attribute-values", one)
        self.refused("redundant parentheses", *put, text(KEY), "--condition-expression", "((n = :one))", "--expression-attribute-values", one)
        self.refused("can only be specified when using expressions", *put, text(KEY), "--expression-attribute-values", one)
        self.refused("Missing the key sk", *put, text({"pk": {"S": "a"}}))
        self.refused("Type mismatch for key sk", *put, text({"pk": {"S": "a"}, "sk": {"N": "1"}}))
        self.refused("must be 1 to 2048 bytes", *put, text({"pk": {"S": ""}, "sk": {"S": "1"}}))
        self.refused("numeric value", *put, text({**KEY, "n": {"N": "one"}}))
        self.refused("38 significant digits", *put, text({**KEY, "n": {"N": "1" * 39}}))
        write = lambda key: {"Put": {"TableName": "table", "Item": key}}
        self.refused("multiple operations on one item", "transact-write-items", "--transact-items", text([write(KEY), {"Delete": {"TableName": "table", "Key": KEY}}]))
        many = [write({"pk": {"S": "a"}, "sk": {"S": str(n)}}) for n in range(101)]
        self.refused("less than or equal to 100", "transact-write-items", "--transact-items", text(many))
        self.refused("less than or equal to 36", "transact-write-items", "--client-request-token", "x" * 37, "--transact-items", text(many[:1]))
        self.refused("contains duplicates", "batch-get-item", "--request-items", text({"table": {"Keys": [KEY, KEY]}}))
        self.refused("missed key schema element: pk", "query", *on, "--key-condition-expression", "sk = :s", "--expression-attribute-values", text({":s": {"S": "1"}}))

    def test_an_item_has_at_most_400_kb_and_a_transaction_4_mb(self):
        strict = self.dynamodb.strict
        from strict_dynamodb import ITEM_LIMIT, Refusal, check_request

        fitting = ITEM_LIMIT - len("pk" + "a" + "sk" + "1" + "b")
        put = lambda size, n=0: {"TableName": "table", "Item": {"pk": {"S": "a"}, "sk": {"S": str(n)}, "b": {"S": "x" * size}}}
        check_request("PutItem", put(fitting))
        with self.assertRaises(Refusal):
            check_request("PutItem", put(fitting + 1))
        with self.assertRaises(Refusal):
            check_request("TransactWriteItems", {"TransactItems": [{"Put": put(390_000, n)} for n in range(11)]})
        self.assertEqual(strict.calls["Scan"], 0)


class ThroughTheStrictFront(Tables):
    def ask(self, signer, key, body, seconds=60):
        """As a validator client asks: again, as long as the answer is 503. Returns the last status."""
        end = time.monotonic() + seconds
        while True:
            status = signer.sign(key, body).status
            if status != 503 or time.monotonic() > end:
                return status

    @staticmethod
    def expire(sessions):
        for _, account in sessions:  # each part of the signer has one of its own
            account.expired = True

    def test_a_throttling_storm_delays_and_never_signs_twice(self):
        one, two, keys = self.pair(0)
        self.strict.plant("throttle", chance=0.4)
        released = []
        for slot in range(1, 11):
            for signer, body in ((one, block(slot, 1)), (two, block(slot, 2)), (two, attestation(slot, slot + 1, 1)), (one, attestation(slot, slot + 1, 2))):
                if self.ask(signer, keys[0], body) == 200:
                    released.append((keys[0], body))
        self.assertIsNone(slashable(released))
        self.assertEqual(len(released), 20, "one of each pair")
        # Nothing gets through: it is said, and goes by.
        self.strict.clear()
        self.strict.plant("throttle")
        reply = one.sign(keys[0], block(50))
        self.assertEqual((reply.status, "capacity" in reply.text or "throttled" in reply.text), (503, True), reply.text)
        self.strict.clear()
        self.assertEqual(self.ask(one, keys[0], block(50)), 200)

    def test_partial_batches_and_short_pages_change_nothing(self):
        one, two, keys = self.pair(*range(12))
        self.strict.plant("partial", chance=0.7)
        self.strict.plant("page", items=1)
        for slot in (1, 2):
            for key in keys:
                self.assertEqual(self.ask(one, key, block(slot)), 200)
        self.assertEqual(self.ask(two, keys[0], block(1, 9)), 412)
        three = self.replica().start()
        three.wait_status("unsealed", seconds=90)
        self.assertEqual(sorted(three.request("GET", "/api/v1/eth2/publicKeys", token="SIGNING_TOKEN").json()), sorted(keys))
        self.assertEqual(self.ask(three, keys[5], block(2, 9)), 412)

    def test_lost_answers_release_nothing_that_is_not_recorded(self):
        self.needs_side_by_side()
        one, two, keys = self.pair(0, 1)
        self.strict.plant("lost", chance=0.3)
        self.strict.plant("fault", chance=0.1)
        self.strict.plant("conflict", chance=0.2)
        released = []
        for slot in range(1, 9):
            for key in keys:
                for signer, body in ((one, block(slot, 1)), (two, block(slot, 2)), (one, attestation(slot, slot + 1, 1)), (two, attestation(slot, slot + 1, 2))):
                    if self.ask(signer, key, body) == 200:
                        released.append((key, body))
        self.assertIsNone(slashable(released))
        self.assertEqual(len(released), 32, "one of each pair, once its answer came through")
        self.strict.clear()
        for key, body in released:
            self.assertEqual(self.ask(two, key, body), 200, "recorded, so that the identical message is given again")

    def test_keys_come_and_go_through_lost_answers(self):
        self.needs_side_by_side()
        one, two, keys = self.pair(0)
        self.strict.plant("lost", chance=0.2)
        made = set()
        for _ in range(10):
            reply = one.request("POST", "/api/v1/chamber/keys/generate", {"count": 3}, "KEY_MANAGER_TOKEN")
            if reply.status == 200:
                made |= {item["pubkey"] for item in reply.json()["data"] if item["status"] == "generated"}
        self.assertTrue(made)
        changed = one.request("PATCH", "/api/v1/chamber/keys", {"pubkeys": sorted(made), "status": "inactive"}, "KEY_MANAGER_TOKEN").json()["data"]
        inactive = {item["pubkey"] for item in changed if item["status"] == "inactive"}
        self.strict.clear()
        self.eventually(lambda: made - inactive <= set(two.request("GET", "/api/v1/eth2/publicKeys", token="SIGNING_TOKEN").json()), "what was answered is there")
        held = set(two.request("GET", "/api/v1/eth2/publicKeys", token="SIGNING_TOKEN").json())
        self.eventually(lambda: not inactive & set(two.request("GET", "/api/v1/eth2/publicKeys", token="SIGNING_TOKEN").json()), f"what was switched off is gone: {held}")

    def test_a_clock_that_is_an_hour_off_is_corrected_by_what_aws_says(self):
        self.strict.clock_offset = 3600
        self.addCleanup(lambda: setattr(self.strict, "clock_offset", 0))
        one, _, keys = self.pair(0)
        self.assertEqual(one.sign(keys[0], block(1)).status, 200)
        self.strict.clock_offset = -3600
        self.assertEqual(self.ask(one, keys[0], block(2)), 200)
        self.assertGreater(self.strict.refused["InvalidSignatureException"], 0, "or the test tested nothing")

    def test_a_session_that_ends_in_the_middle_is_renewed_and_one_that_is_not_is_named(self):
        moto = Moto()
        self.addCleanup(moto.close)
        sessions = []
        serve_expired = threading.Event()

        def give():
            if not serve_expired.is_set() or not sessions:
                name = f"session-{len(sessions)}"
                sessions.append((name, self.dynamodb.admit("ASIA" + name, "secret-" + name, "token-" + name)))
            name = sessions[-1][0]
            return "ASIA" + name, "secret-" + name, "token-" + name

        endpoint = CredentialEndpoint(give)
        self.addCleanup(endpoint.close)
        signer = self.replica({"AWS_ENDPOINT_URL_KMS": moto.endpoint, **endpoint.environment}).start()
        arn = moto.create_key("eu-west-1")
        signer.operator("init", "--setup-token", signer.setup_token(), "--kms-key-arns", arn, "--kms-threshold", "1")
        key = signer.import_interop(0)[0]
        self.assertEqual(signer.sign(key, block(1)).status, 200)
        for slot in (2, 3):
            before = len(sessions)
            self.expire(sessions)
            self.assertEqual(self.ask(signer, key, block(slot)), 200)
            self.assertGreater(len(sessions), before)
        serve_expired.set()
        self.expire(sessions)
        reply = signer.sign(key, block(4))
        self.assertEqual(reply.status, 503)
        self.assertIn("session ran out", reply.text)
        serve_expired.clear()
        self.assertEqual(self.ask(signer, key, block(4)), 200)

    def test_a_role_without_a_right_is_told_which(self):
        one, _, keys = self.pair(0)
        self.strict.plant("denied", operation="TransactWriteItems")
        reply = one.sign(keys[0], block(1))
        self.assertEqual(reply.status, 503)
        self.assertIn("allow dynamodb:PutItem, dynamodb:UpdateItem", reply.text)
        self.strict.clear()
        self.strict.plant("denied", operation="GetItem")
        self.eventually(lambda: "signing stops: the seal record cannot be read" in one.log(), "a record that may not be read stops it")
        self.assertIn("allow dynamodb:GetItem", one.log())
        self.strict.clear()
        self.assertEqual(self.ask(one, keys[0], block(1)), 200)


if __name__ == "__main__":
    unittest.main()

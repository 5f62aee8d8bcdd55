"""Tables that are not what they should be: of another region, account or chamber, altered, rolled back. Each is named, nothing is signed or lost."""
import base64
import json
import unittest

from harness import block
from replicas import Tables

STATE, KEYS, SLASHING = "state", "keys", "slashing"


class DamagedTables(Tables):
    def item(self, kind, pk, sk):
        return self.dynamodb.ask("GetItem", {"TableName": self.table(kind), "Key": {"pk": {"S": pk}, "sk": {"S": sk}}, "ConsistentRead": True})[1]["Item"]

    def put(self, kind, item):
        status, said = self.dynamodb.ask("PutItem", {"TableName": self.table(kind), "Item": item})
        self.assertEqual(status, 200, said)

    @staticmethod
    def altered(item, member):
        raw = bytearray(base64.b64decode(item[member]["B"]))
        raw[len(raw) // 2] ^= 1
        return {**item, member: {"B": base64.b64encode(bytes(raw)).decode()}}

    def trouble(self, signer, code, seconds=40):
        part = lambda: signer.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()["seal"]
        self.eventually(lambda: part().get("trouble", {}).get("code") == code, f"{code}, not {part()}", seconds)
        return part()

    def refused_at_start(self, words, **changes):
        signer = self.replica(**changes)
        code, _, err = signer.run("--config", signer.config, check=False)
        self.assertNotEqual(code, 0)
        self.assertIn(words, err)

    def test_another_region_and_another_account_are_named(self):
        self.replica().start().stop()
        here, there = "arn:aws:dynamodb:eu-west-1:999999999999:table/", "arn:aws:dynamodb:us-east-1:000000000000:table/"
        self.refused_at_start("(us-east-1) does not exist: check table name, region and account", state=there + self.table(STATE))
        self.refused_at_start("of another account than 999999999999", state=here + self.table(STATE))
        for name in ("arn:aws:dynamodb:eu-west-1:12:table/x", "arn:aws:kms:eu-west-1:000000000000:table/name", "arn:aws:dynamodb::000000000000:table/name",
                     "arn:aws:dynamodb:eu-west-1:000000000000:index/name", "no such name", "x"):
            code, _, err = (signer := self.replica(keys=f'"{name}"')).run("--config", signer.config, check=False)
            self.assertNotEqual(code, 0, name)
            self.assertIn("the DynamoDB table", err)

    def test_keys_of_another_chamber_open_nothing(self):
        one = self.replica().start()
        self.init(one)
        pubkey = one.import_interop(0)[0]
        one.stop()
        for kind in ("other-state", "other-slashing"):
            self.dynamodb.create_table(self.table(kind))
        other = self.replica(state=self.table("other-state"), slashing=self.table("other-slashing")).start()
        self.assertEqual(self.trouble(other, "slashing_store_mismatch")["status"], "sealed")
        self.assertEqual(other.sign(pubkey, block(1)).status, 503)
        other.stop()
        self.dynamodb.create_table(self.table("other-keys"))
        other = self.replica(state=self.table("other-state"), slashing=self.table("other-slashing"), keys=self.table("other-keys")).start()
        self.init(other)
        other.stop()
        mixed = self.replica(state=self.table("other-state"), slashing=self.table("other-slashing")).start()
        self.assertIn("belongs to chamber", self.trouble(mixed, "wrong_master_key")["trouble"]["detail"])
        mixed.stop()
        mixed = self.replica(state=self.table("other-state"), keys=self.table("other-keys")).start()
        self.assertEqual(mixed.sign(pubkey, block(1)).status, 503)
        self.assertIn("slashing_store_mismatch", mixed.log())
        mixed.stop()
        one.start()
        one.wait_status("unsealed")
        self.assertEqual(one.sign(pubkey, block(1)).status, 200)

    def test_an_altered_seal_record_closes_nobody_who_is_open_and_opens_nobody(self):
        one, two, keys = self.pair(0)
        good = self.item(STATE, "document", "seal-record")
        two.stop()
        self.put(STATE, self.altered(good, "content"))
        self.assertIn(self.trouble(one, "record_tampered")["status"], ("unsealed",))
        self.assertEqual(one.sign(keys[0], block(1)).status, 200)
        code, _, err = two.run("--config", two.config, check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("The seal record is damaged", err)
        self.put(STATE, good)
        two.start()
        two.wait_status("unsealed", seconds=60)
        self.assertEqual(two.sign(keys[0], block(2)).status, 200)

    def test_a_seal_record_that_was_put_back_is_refused_by_all_also_after_a_restart(self):
        one, two, keys = self.pair(0)
        before = self.item(STATE, "document", "seal-record")
        one.operator("rotate", "kms", "--auth-token", "env:CC_AUTH_TOKEN", "--kms-key-arns", ",".join(self.kms.arns[:2]), "--kms-threshold", "1")
        after = self.item(STATE, "document", "seal-record")
        self.assertEqual(two.sign(keys[0], block(1)).status, 200)
        self.eventually(lambda: two.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()["seal"]["epoch"] == 2, "it has seen the new one")
        self.put(STATE, before)
        self.trouble(one, "record_older")
        self.trouble(two, "record_older")
        two.stop()
        two.start()
        self.assertNotEqual(self.trouble(two, "record_older")["status"], "unsealed")
        self.put(STATE, after)
        two.wait_status("unsealed", seconds=60)

    def test_an_altered_key_is_named_and_the_rest_is_not_lost(self):
        one, two, keys = self.pair(0, 1)
        partition = "keys#" + keys[0][2:4]
        good = self.item(KEYS, partition, keys[0])
        self.put(KEYS, self.altered(good, "record"))
        self.assertEqual(one.sign(keys[0], block(1)).status, 200, "who holds the key signs on")
        two.stop()
        two.start()
        self.eventually(lambda: keys[0] in json.dumps(two.request("GET", "/api/v1/chamber/status", token="CC_AUTH_TOKEN").json()["seal"].get("trouble", {})), "the key is named")
        self.assertEqual(two.sign(keys[1], block(1)).status, 503)
        self.put(KEYS, good)
        two.wait_status("unsealed", seconds=60)
        self.assertEqual(two.sign(keys[1], block(1)).status, 200)

    def test_a_validators_row_that_was_put_back_or_altered_signs_nothing(self):
        one, two, keys = self.pair(0)
        self.assertEqual(one.sign(keys[0], block(5)).status, 200)
        rows = self.dynamodb.ask("Scan", {"TableName": self.table(SLASHING)})[1]["Items"]
        before = next(row for row in rows if row["sk"]["S"] == keys[0])
        self.assertEqual(one.sign(keys[0], block(9)).status, 200)
        self.put(SLASHING, before)
        reply = one.sign(keys[0], block(6))
        self.assertEqual(reply.status, 503, reply)
        self.assertIn("slashing", reply.text)
        self.put(SLASHING, {**before, "high_block": {"S": "nine"}})
        reply = two.sign(keys[0], block(6))
        self.assertEqual(reply.status, 503, reply)
        self.assertIn(keys[0], reply.text)


if __name__ == "__main__":
    unittest.main()

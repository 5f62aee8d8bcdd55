"""Many sign requests in one body: answered as one by one, over real HTTP, and as safe when the process dies in the middle."""
import http.client
import json
import threading
import time
import unittest

from harness import SignerTest, attestation

PATH = "/api/v1/chamber/sign"


def items(*pairs):
    return [{"pubkeys": keys, "request": request} for keys, request in pairs]


class ManyKeys(SignerTest):
    def ready(self, keys=8, **options):
        signer = self.signer(**options)
        signer.start()
        signer.init_kms_only()
        signer.pubkeys = signer.import_interop(*range(keys))
        return signer

    def post(self, signer, body, headers=None, token="SIGNING_TOKEN"):
        return signer.request("POST", PATH, body, token=token, headers=headers)

    def test_every_entry_is_answered_as_the_one_key_api_answers(self):
        many, single = self.ready(), self.ready()
        stranger = "0x" + "ab" * 48
        entries = []
        for key in many.pubkeys:
            entries += [(key, attestation(10, 11)), (key, attestation(10, 11, head=17)), (key, attestation(9, 12)), (key, attestation(10, 11)),
                        (key, attestation(11, 13))]
        entries += [(stranger, attestation(10, 11)), (many.pubkeys[0], {"type": "NONE"}), ("0x12", attestation(20, 21))]
        for reply in (self.post(many, items(*[([key], request) for key, request in entries])),
                      self.post(many, "\n".join(json.dumps({"pubkey": key, "request": request}) for key, request in entries),
                                headers={"Content-Type": "application/x-ndjson"})):
            self.assertEqual(reply.status, 200, reply)
            lines = reply.headers["content-type"] == "application/x-ndjson"
            got = [json.loads(line) for line in reply.text.splitlines()] if lines else reply.json()["data"]
            self.assertEqual(len(got), len(entries))
            for (key, request), entry in zip(entries, got):
                alone = single.sign(key, request, headers={"Accept": "application/json"})
                self.assertEqual(entry["status"], alone.status, (key, request, entry, alone))
                if alone.status == 200:
                    self.assertEqual(entry["signature"], alone.json()["signature"])
                else:
                    self.assertEqual((entry["code"], entry["message"]), (alone.json()["code"], alone.json()["message"]))

    def test_what_is_no_body_of_ours_is_refused_whole_and_the_signer_lives(self):
        signer = self.ready(1)
        good = json.dumps({"pubkeys": signer.pubkeys, "request": attestation(10, 11)})
        for body in ("", "[]", "{}", "null", "[" * 100_000, good[:-1], good + good, good.replace("pubkeys", "keys"), '{"pubkeys":"x","request":{}}', "\xff\xfe",
                     json.dumps(items((["0x12"] * 10_001, attestation(10, 11))))):
            reply = self.post(signer, body)
            self.assertEqual((reply.status, reply.json()["code"]), (400, "malformed_request"), body[:60])
            self.assertIn("application/problem+json", reply.headers["content-type"])
        self.assertEqual(self.post(signer, good, token=None).status, 401)
        self.assertEqual(self.post(signer, " " * (11 * 1024 * 1024)).status, 413)
        self.assertEqual(signer.request("GET", PATH, token="SIGNING_TOKEN").status, 405)
        self.assertEqual(self.post(signer, good).json()["data"][0]["status"], 200)

    def test_ten_thousand_entries_of_every_kind_are_answered_in_their_order(self):
        signer = self.ready(4)
        body = items(*[(signer.pubkeys, attestation(100 + i, 101 + i)) for i in range(500)],
                     (["0x" + "ab" * 48] * 8_000, attestation(10, 11)))
        reply = self.post(signer, body)
        self.assertEqual(reply.status, 200)
        data = reply.json()["data"]
        self.assertEqual([entry["status"] for entry in data], [200] * 2_000 + [404] * 8_000)
        self.assertEqual([entry["pubkey"] for entry in data[:8]], signer.pubkeys * 2)

    def test_a_sealed_signer_answers_503_and_signs_again_afterwards(self):
        signer = self.ready(2)
        body = items((signer.pubkeys, attestation(10, 11)))
        self.assertEqual(signer.request("POST", "/api/v1/chamber/seal", token="CC_AUTH_TOKEN").status, 200)
        sealed = self.post(signer, body)
        self.assertEqual((sealed.status, sealed.json()["code"]), (503, "signer_sealed"))
        signer.restart()
        signer.wait_status("unsealed")
        self.assertEqual([entry["status"] for entry in self.post(signer, body).json()["data"]], [200, 200])

    def test_killed_in_the_middle_of_bodies_no_slashable_pair_was_ever_answered(self):
        signer = self.ready(8)
        seen = []  # (pubkey, target, head) of every signature that reached us

        def storm(head):
            try:
                for target in range(50, 5_000):
                    reply = self.post(signer, items((signer.pubkeys, attestation(target - 1, target, head=head))))
                    seen.extend((entry["pubkey"], target, head) for entry in reply.json().get("data", []) if entry["status"] == 200)
            except (OSError, http.client.HTTPException, ValueError):
                return

        for _ in range(3):
            threads = [threading.Thread(target=storm, args=(head,)) for head in (16, 17)]
            for thread in threads:
                thread.start()
            before = len(seen)
            limit = time.monotonic() + 30
            while len(seen) < before + 40 and time.monotonic() < limit and any(thread.is_alive() for thread in threads):
                time.sleep(0.005)
            signer.kill()
            for thread in threads:
                thread.join()
            signer.start()
            signer.wait_status("unsealed")
        self.assertGreater(len(seen), 40)
        heads = {}
        for pubkey, target, head in seen:
            self.assertEqual(heads.setdefault((pubkey, target), head), head, "two messages for one target")
        for (pubkey, target), head in list(heads.items())[-40:]:
            other = 17 if head == 16 else 16
            self.assertEqual(signer.sign(pubkey, attestation(target - 1, target, head=other)).status, 412)


if __name__ == "__main__":
    unittest.main()

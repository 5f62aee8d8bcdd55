"""Who may do what, asked of the real binary: both forms of a token, scopes, limits on keys and operations, callers without a token."""
import base64
import unittest

from harness import Signer, attestation, block

LIMITED = """
auth_policies:
  everything:
    token: "everything-token-001"
  narrow:
    token: "env:NARROW"
    allowed_scopes: [sign]
    allowed_keys: ["{key}"]
    allowed_operations: [attestation]
  reader:
    token: "reader-token-0000001"
    denied_scopes: [sign, chamber_seal]
unauthenticated_policy:
  allowed_scopes: [public_keys]
"""
KEYS = "/api/v1/eth2/publicKeys"
STATUS = "/api/v1/chamber/status"


def basic(user, token):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        first = Signer().start()
        try:
            first.init_kms_only()
            cls.key, cls.other = first.import_interop(0, 1)
            first.stop()
            with open(first.config, encoding="utf-8") as text:
                config = text.read()
            begin = config.index("auth_policies")
            with open(first.config, "w", encoding="utf-8") as out:
                out.write(config[:begin] + LIMITED.format(key=cls.key))
            first.environment["NARROW"] = "narrow-token-0000001"
            first.start()
        except Exception:
            first.close()
            raise
        cls.shared = first

    @classmethod
    def tearDownClass(cls):
        cls.shared.close()

    def get(self, path, headers=None):
        return self.shared.request("GET", path, headers=headers).status

    def sign(self, key, body, token):
        return self.shared.request("POST", f"/api/v1/eth2/sign/{key}", body, token).status

    def test_bearer_and_basic_carry_the_same_token(self):
        token = "everything-token-001"
        for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": f"bearer  {token}"}, basic("everything", token), basic("anybody", token)):
            self.assertEqual(self.get(STATUS, headers), 200, headers)

    def test_wrong_and_malformed_headers_are_401_and_name_both_schemes(self):
        token = "everything-token-001"
        for value in ("Bearer", "Bearer ", f"Bearer {token}x", f"Bearer {token[:-1]}", f"Token {token}", token, "Basic !!!", "Basic " + base64.b64encode(b"no colon").decode(),
                      "Basic " + base64.b64encode(f"{token}:".encode()).decode(), "Basic " + base64.b64encode(b":").decode(), "Bearer " + "x" * 8000):
            reply = self.shared.request("GET", STATUS, headers={"Authorization": value})
            self.assertEqual(reply.status, 401, value)
            self.assertRegex(reply.headers["www-authenticate"], "Basic .*Bearer")
            # Not even where nobody needs a token.
            self.assertEqual(self.get(KEYS, {"Authorization": value}), 401, value)
        self.assertRegex(self.shared.metrics(), r'containment_auth_rejections_total\{code="unauthorized"\} [1-9]')

    def test_callers_without_a_token_get_what_their_policy_says(self):
        self.assertEqual(self.get(KEYS), 200)
        self.assertEqual(self.get(STATUS), 401)
        self.assertEqual(self.sign(self.key, attestation(1, 2), None), 401)

    def test_denied_scopes_win(self):
        self.assertEqual(self.get(STATUS, basic("reader", "reader-token-0000001")), 200)
        self.assertEqual(self.sign(self.key, attestation(1, 2), "reader-token-0000001"), 403)
        self.assertEqual(self.shared.request("POST", "/api/v1/chamber/seal", token="reader-token-0000001").status, 403)

    def test_limits_on_keys_and_operations(self):
        narrow = "narrow-token-0000001"
        self.assertEqual(self.sign(self.key, attestation(10, 11), narrow), 200)
        self.assertEqual(self.sign(self.other, attestation(10, 11), narrow), 403)
        self.assertEqual(self.sign(self.key, block(500), narrow), 403)
        self.assertEqual(self.get(STATUS, {"Authorization": f"Bearer {narrow}"}), 403)
        self.assertEqual(self.sign(self.key, block(500), "everything-token-001"), 200)

    def test_bad_policies_stop_the_start_and_are_named(self):
        for policies, expected in (
                ('auth_policies:\n  a:\n    token: "env:NOT_THERE"\n', "NOT_THERE"),
                ('auth_policies:\n  a:\n    token: "short"\n', "16 characters"),
                ('auth_policies:\n  a:\n    token: "0123456789abcdef"\n    allowed_scopes: [sgin]\n', "sign"),
                ('auth_policies:\n  a:\n    token: "0123456789abcdef"\n  b:\n    token: "0123456789abcdef"\n', "same token"),
                ('auth_policies:\n  a:\n    token: "0123456789abcdef"\n    allowed_keys: ["0x12"]\n', "allowed_keys"),
                ("unauthenticated_policy:\n  denied_scopes: [sign]\n", "allowed_scopes")):
            signer = Signer(policies=policies)
            self.addCleanup(signer.close)
            signer.start(wait=False)
            self.assertNotEqual(signer.process.wait(timeout=20), 0, policies)
            self.assertIn(expected, signer.log())
            self.assertNotIn("0123456789abcdef", signer.log())


if __name__ == "__main__":
    unittest.main()

"""KMS locks: the operations guide's first boot with AWS ARNs against dev-kms, planted faults, AWS's own client, and moto."""
import base64
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
import unittest

from aws_harness import ARNS, ISOLATED, CredentialEndpoint, DevKms, Moto, aws_cli
from harness import PASSPHRASE, SignerTest


class AwsTest(SignerTest):
    def dev_kms(self, arns=ARNS):
        made = DevKms(arns).start()
        self.addCleanup(made.close)
        return made

    def aws_signer(self, environment, **options):
        return self.signer(environment=environment, **options).start()

    def init(self, signer, keks=ARNS, threshold=2, check=True):
        return signer.operator("init", "--setup-token", signer.setup_token(), "--kms-key-arns", ",".join(keks), "--kms-threshold", str(threshold), check=check)


class GuideFirstBoot(AwsTest):
    def test_kms_only_goes_as_the_guide_says(self):
        kms = self.dev_kms()
        signer = self.aws_signer(kms.environment)
        status = json.loads(signer.operator("status", "--auth-token", "env:CC_AUTH_TOKEN")[1])
        self.assertEqual((status["seal"]["status"], status["keys"]), ("uninitialized", None))
        self.assertEqual(json.loads(self.init(signer)[1]), {"status": "unsealed", "validators_loaded": 0})
        # Every cryptographic call names its key and is bound to chamber, lock and place.
        calls = kms.calls()
        for index, arn in enumerate(ARNS, 1):
            own = [call for call in calls if call["key_id"] == arn]
            self.assertEqual([call["operation"] for call in own], ["DescribeKey", "Encrypt", "Decrypt"])
            for call in own[1:]:
                self.assertEqual(sorted(call["context"]), ["cc:chamber", "cc:index", "cc:lock", "cc:purpose", "cc:version"])
                self.assertEqual((call["context"]["cc:index"], call["context"]["cc:purpose"], call["context"]["cc:version"]), (str(index), "seal-share", "1"))
                self.assertEqual(call["region"], arn.split(":")[3])
        signer.restart()
        signer.wait_status("unsealed")
        self.assertNotIn(kms.secret_key(), signer.log())

    def test_with_operators_goes_as_the_guide_says(self):
        kms = self.dev_kms()
        signer = self.aws_signer(kms.environment)
        first = signer.init_quorum(keks=ARNS[:2])
        self.assertEqual(first["status"], "awaiting_registration")
        for name, token in first["operator_tokens"].items():
            signer.register(name, token)
        signer.restart()
        signer.wait_status("kms_unsealed")
        signer.unseal("alice")
        self.assertEqual(json.loads(signer.unseal("bob", PASSPHRASE.format("bob"))[1]), {"status": "unsealed", "validators_loaded": 0})

    def test_aws_and_local_keks_share_one_lock(self):
        kms = self.dev_kms()
        signer = self.aws_signer(kms.environment)
        self.init(signer, ["local://here", ARNS[0]], 2)
        signer.restart()
        signer.wait_status("unsealed")

    def test_bad_names_are_refused_before_anybody_is_asked(self):
        kms = self.dev_kms()
        signer = self.aws_signer(kms.environment)
        code, _, err = self.init(signer, ["arn:aws:kms:us-east-1:1:key"], 1, check=False)
        self.assertEqual(code, 2)
        self.assertIn("invalid KMS ARN: expected arn:aws:kms:<region>:<account-id>:key/<key-id>", err)
        pair = [f"arn:aws:kms:{region}:111111111111:key/mrk-0011" for region in ("us-east-1", "eu-west-1")]
        code, _, err = self.init(signer, pair, 2, check=False)
        self.assertEqual(code, 2)
        self.assertIn("same key", err)
        self.assertEqual(kms.calls(), [])


class Faults(AwsTest):
    def test_every_trouble_at_init_is_named_and_stores_nothing(self):
        kms = self.dev_kms()
        signer = self.aws_signer({**kms.environment, "CONTAINMENT_AWS__CALL_TIMEOUT_SECONDS": "3"})
        expected = {
            "denied": ("kms_denied", "allow kms:Encrypt on this key"),
            "disabled": ("kms_disabled", "enable the key again"),
            "pending_deletion": ("kms_pending_deletion", "cancel the deletion"),
            "throttled": ("kms_throttled", "quota"),
            "not_found": ("kms_missing", "check region, account and key id"),
            "internal": ("kms_unreachable", "AWS has a fault"),
            "timeout": ("kms_unreachable", "no answer from http://127.0.0.1"),
            "expired_token": ("kms_credentials", "session ran out"),
        }
        for kind, (code, words) in expected.items():
            with self.subTest(kind):
                kms.fault(kind, key=ARNS[1], operation="Encrypt")
                exit_code, out, err = self.init(signer, check=False)
                self.assertEqual((exit_code, out), (5, ""), err)
                self.assertIn(code, err)
                self.assertIn(words, err)
                self.assertIn(ARNS[1], err)
                self.assertEqual(signer.status(), "uninitialized")
                kms.clear_faults()
        kms.fault("corrupted", key=ARNS[2], count=1, operation="Decrypt")
        _, _, err = self.init(signer, check=False)
        self.assertIn("does not give back what it wrapped", err)
        self.assertEqual(json.loads(self.init(signer)[1])["status"], "unsealed")

    def test_a_role_that_may_not_describe_keys_is_enough(self):
        kms = self.dev_kms()
        kms.fault("denied", operation="DescribeKey")
        signer = self.aws_signer(kms.environment)
        self.assertEqual(json.loads(self.init(signer)[1])["status"], "unsealed")

    def test_a_short_storm_of_throttling_is_weathered(self):
        kms = self.dev_kms()
        signer = self.aws_signer(kms.environment)
        kms.fault("throttled", count=3)
        kms.fault("internal", count=2)
        self.assertEqual(json.loads(self.init(signer)[1])["status"], "unsealed")

    def test_a_dead_region_does_not_slow_the_start(self):
        kms = self.dev_kms()
        # Whoever waited for the dead one would wait a minute.
        signer = self.aws_signer({**kms.environment, "CONTAINMENT_AWS__CALL_TIMEOUT_SECONDS": "60"})
        self.init(signer)
        for dead in ARNS:
            kms.fault("timeout", key=dead)
            begun = time.monotonic()
            signer.restart()
            signer.wait_status("unsealed")
            self.assertLess(time.monotonic() - begun, 20, f"with {dead} dead")
            kms.clear_faults()
        begun = time.monotonic()
        signer.stop()  # while the stragglers still wait
        self.assertLess(time.monotonic() - begun, 20)

    def test_below_the_threshold_it_stays_sealed_says_why_and_recovers(self):
        kms = self.dev_kms()
        signer = self.aws_signer(kms.environment)
        self.init(signer)
        kms.fault("denied", key=ARNS[0])
        kms.fault("pending_deletion", key=ARNS[1])
        signer.restart()
        end = time.monotonic() + 20
        while "cannot open further" not in signer.log() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(signer.status(), "sealed")
        for words in ("1 of 2 needed KEKs", "kms_denied", "kms_pending_deletion", ARNS[0], ARNS[1], "cancel the deletion"):
            self.assertIn(words, signer.log())
        kms.clear_faults()
        signer.wait_status("unsealed", 60)

    def test_a_corrupted_share_is_set_aside(self):
        kms = self.dev_kms()
        signer = self.aws_signer(kms.environment)
        self.init(signer)
        kms.fault("corrupted", key=ARNS[1])
        signer.restart()
        signer.wait_status("unsealed")
        kms.fault("corrupted", key=ARNS[0])
        signer.restart()
        time.sleep(2)
        self.assertEqual(signer.status(), "sealed")
        self.assertIn("kms_mismatch", signer.log())
        kms.clear_faults()
        signer.wait_status("unsealed", 60)

    def test_kms_may_be_away_and_come_back(self):
        kms = self.dev_kms()
        signer = self.aws_signer({**kms.environment, "CONTAINMENT_AWS__CALL_TIMEOUT_SECONDS": "2"})
        self.init(signer)
        kms.kill()
        signer.restart()
        time.sleep(3)
        self.assertEqual(signer.status(), "sealed")
        self.assertNotIn("kms_mismatch", signer.log())
        kms.start()
        signer.wait_status("unsealed", 60)

    def test_without_credentials_it_says_where_it_looked(self):
        kms = self.dev_kms()
        signer = self.aws_signer({**kms.environment, "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"})
        code, _, err = self.init(signer, check=False)
        self.assertEqual(code, 5)
        self.assertIn("kms_credentials", err)
        self.assertIn("no AWS credentials found in the environment", err)

    def test_a_wrong_secret_key_is_named(self):
        kms = self.dev_kms()
        key_id = kms.key_id()
        signer = self.aws_signer({**kms.environment, "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": "not-the-secret-key"})
        _, _, err = self.init(signer, check=False)
        self.assertIn("check this machine's clock and the secret access key", err)
        self.assertNotIn("not-the-secret-key", err + signer.log())

    def test_plain_http_to_another_machine_is_refused_at_start(self):
        signer = self.signer(environment={**ISOLATED, "AWS_ENDPOINT_URL_KMS": "http://kms.example"}).start(wait=False)
        self.assertEqual(signer.process.wait(timeout=30), 2)
        self.assertIn("AWS_ENDPOINT_URL_KMS asks for plain http to kms.example", signer.log())


class ContainerCredentials(AwsTest):
    def test_the_container_endpoint_gives_credentials_that_kms_takes(self):
        kms = self.dev_kms()
        key_id, secret = kms.key_id(), kms.secret_key()
        endpoint = CredentialEndpoint(lambda: (key_id, secret, ""))  # dev-kms knows these keys without a session token
        self.addCleanup(endpoint.close)
        signer = self.aws_signer({**kms.environment, **endpoint.environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pod-token-1"})
        self.init(signer)
        self.assertEqual(endpoint.asked, [("/v1/credentials", "pod-token-1")], "asked once, kept until it runs out")
        self.assertIn("AWS credentials", signer.log())
        self.assertNotIn(secret, signer.log())
        self.assertNotIn("pod-token-1", signer.log())


class Tls(AwsTest):
    def tls_front(self, kms):
        """TLS with a certificate of its own, in front of dev-kms."""
        folder = kms.folder
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def copy(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
            except OSError:
                pass
            finally:
                sink.close()

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                try:
                    secure = context.wrap_socket(client, server_side=True)
                except (OSError, ssl.SSLError):
                    continue
                back = socket.create_connection(("127.0.0.1", kms.port))
                threading.Thread(target=copy, args=(secure, back), daemon=True).start()
                threading.Thread(target=copy, args=(back, secure), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1], f"{folder}/cert.pem"

    def test_certificates_are_verified(self):
        kms = self.dev_kms()
        port, certificate = self.tls_front(kms)
        secure = {**kms.environment, "CONTAINMENT_AWS__CALL_TIMEOUT_SECONDS": "2"}
        signer = self.aws_signer({**secure, "AWS_ENDPOINT_URL_KMS": f"https://127.0.0.1:{port}"})
        code, _, err = self.init(signer, check=False)
        self.assertEqual(code, 5)
        self.assertIn("certificate", err)
        signer = self.aws_signer({**secure, "AWS_ENDPOINT_URL_KMS": f"https://localhost:{port}", "AWS_CA_BUNDLE": certificate})
        code, _, err = self.init(signer, check=False)
        self.assertEqual(code, 5, "the certificate is for 127.0.0.1, not for localhost")
        signer = self.aws_signer({**secure, "AWS_ENDPOINT_URL_KMS": f"https://127.0.0.1:{port}", "AWS_CA_BUNDLE": certificate})
        self.assertEqual(json.loads(self.init(signer)[1])["status"], "unsealed")


class AwsOwnClient(AwsTest):
    """AWS's command line against dev-kms: the fixture cannot drift from what AWS's clients send and read."""

    def cli(self, kms, *arguments, check=True, **environment):
        return aws_cli(["kms", *arguments, "--region", "us-east-1"], {**kms.environment, **environment}, kms.endpoint, check)

    def test_round_trips(self):
        kms = self.dev_kms()
        out = json.loads(self.cli(kms, "encrypt", "--key-id", ARNS[0], "--plaintext", base64.b64encode(b"hello").decode(), "--encryption-context", "a=b,c=d"))
        self.assertEqual(out["KeyId"], ARNS[0])
        blob = os.path.join(kms.folder, "blob")
        with open(blob, "wb") as sink:
            sink.write(base64.b64decode(out["CiphertextBlob"]))
        back = json.loads(self.cli(kms, "decrypt", "--ciphertext-blob", "fileb://" + blob, "--key-id", ARNS[0], "--encryption-context", "c=d,a=b"))
        self.assertEqual((base64.b64decode(back["Plaintext"]), back["KeyId"]), (b"hello", ARNS[0]))
        key = json.loads(self.cli(kms, "generate-data-key", "--key-id", ARNS[0].split("/")[1], "--key-spec", "AES_256"))
        self.assertEqual(len(base64.b64decode(key["Plaintext"])), 32)
        told = json.loads(self.cli(kms, "describe-key", "--key-id", ARNS[0]))["KeyMetadata"]
        self.assertEqual((told["Arn"], told["KeyState"], told["KeyUsage"], told["AWSAccountId"]), (ARNS[0], "Enabled", "ENCRYPT_DECRYPT", "111111111111"))
        code, err = self.cli(kms, "decrypt", "--ciphertext-blob", "fileb://" + blob, "--encryption-context", "a=b", check=False)
        self.assertIn("InvalidCiphertextException", err)

    def test_refusals_are_read_by_it(self):
        kms = self.dev_kms()
        for kind, word in {"denied": "AccessDeniedException", "disabled": "DisabledException", "pending_deletion": "KMSInvalidStateException",
                           "not_found": "NotFoundException"}.items():
            kms.fault(kind, count=1)
            self.assertIn(word, self.cli(kms, "describe-key", "--key-id", ARNS[0], check=False)[1])
        key_id = kms.key_id()
        wrong = {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": "wrong"}
        self.assertIn("InvalidSignatureException", self.cli(kms, "describe-key", "--key-id", ARNS[0], check=False, **wrong)[1])
        wrong["AWS_ACCESS_KEY_ID"] = "AKIAUNKNOWN"
        self.assertIn("UnrecognizedClientException", self.cli(kms, "describe-key", "--key-id", ARNS[0], check=False, **wrong)[1])

    def test_it_opens_what_the_signer_wrapped(self):
        """The stored shares are ordinary KMS ciphertexts: with key and context AWS's own client opens them, without it does not."""
        kms = self.dev_kms()
        signer = self.aws_signer(kms.environment)
        self.init(signer)
        contexts = {call["key_id"]: call["context"] for call in kms.calls() if call["operation"] == "Encrypt"}
        self.assertEqual(sorted(contexts), sorted(ARNS))
        signer.stop()
        opened = 0
        for place, blob in enumerate(wrapped_shares(os.path.join(signer.data, "state.sqlite"))):
            path = os.path.join(kms.folder, f"share-{place}")
            with open(path, "wb") as sink:
                sink.write(blob)
            context = json.dumps(contexts[ARNS[place]])
            decrypt = ["kms", "decrypt", "--ciphertext-blob", "fileb://" + path, "--key-id", ARNS[place], "--region", ARNS[place].split(":")[3]]
            out = json.loads(aws_cli([*decrypt, "--encryption-context", context], kms.environment, kms.endpoint))
            self.assertGreater(len(base64.b64decode(out["Plaintext"])), 32)
            opened += 1
            code, err = aws_cli([*decrypt, "--encryption-context", context.replace("seal-share", "other")], kms.environment, kms.endpoint, check=False)
            self.assertIn("InvalidCiphertextException", err)
        self.assertEqual(opened, 3)


def wrapped_shares(path):
    """The dev-kms ciphertexts in the stored seal record, in the order of the members."""
    database = sqlite3.connect(path)
    try:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        values = [value for table in tables for row in database.execute(f'SELECT * FROM "{table}"') for value in row if isinstance(value, bytes)]
    finally:
        database.close()
    magic = b"cc-dev-kms-1"
    record = next(value for value in values if magic in value)
    at = record.find(magic)
    while at != -1:
        # A CBOR byte string: 0x58 and one length byte, or 0x59 and two.
        size = record[at - 1] if record[at - 2] == 0x58 else int.from_bytes(record[at - 2:at], "big")
        yield record[at:at + size]
        at = record.find(magic, at + size)


@unittest.skipIf(os.environ.get("CC_WITHOUT_MOTO"), "CC_WITHOUT_MOTO is set")
class WithMoto(AwsTest):
    """An emulator by other people, laxer than dev-kms but drawn from AWS's own service models."""

    @classmethod
    def setUpClass(cls):
        cls.moto = Moto()
        cls.addClassCleanup(cls.moto.close)
        cls.keys = [cls.moto.create_key(region) for region in ("us-east-1", "eu-west-1", "ap-southeast-1")]

    def test_first_boot_restart_and_disabled_keys(self):
        signer = self.aws_signer(self.moto.environment)
        self.assertEqual(json.loads(self.init(signer, self.keys)[1]), {"status": "unsealed", "validators_loaded": 0})
        signer.restart()
        signer.wait_status("unsealed")
        for key in self.keys[:2]:
            self.moto.switch_key("disable-key", key)
        other = self.aws_signer(self.moto.environment)
        _, _, err = self.init(other, self.keys, check=False)
        self.assertIn("kms_disabled", err)
        for key in self.keys[:2]:
            self.moto.switch_key("enable-key", key)
        self.assertEqual(json.loads(self.init(other, self.keys)[1])["status"], "unsealed")

    def test_roles_by_web_identity_and_by_source_profile(self):
        signer = self.signer(environment=self.moto.environment)
        token = os.path.join(signer.folder, "token")
        files = {"credentials": "[base]\naws_access_key_id = test\naws_secret_access_key = test\n",
                 "config": "[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/ops\nsource_profile = base\nregion = eu-west-1\n", "token": "header.claims.signature"}
        for name, text in files.items():
            with open(os.path.join(signer.folder, name), "w", encoding="utf-8") as sink:
                sink.write(text)
        plain = {name: value for name, value in self.moto.environment.items() if "ACCESS_KEY" not in name}
        web = self.aws_signer({**plain, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/pod", "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_REGION": "eu-west-1"})
        self.assertEqual(json.loads(self.init(web, self.keys)[1])["status"], "unsealed")
        self.assertIn("web identity token file", web.log())
        profile = self.aws_signer({**plain, "AWS_PROFILE": "ops", "AWS_SHARED_CREDENTIALS_FILE": os.path.join(signer.folder, "credentials"),
                                   "AWS_CONFIG_FILE": os.path.join(signer.folder, "config")})
        self.assertEqual(json.loads(self.init(profile, self.keys)[1])["status"], "unsealed")
        self.assertIn("profile ops", profile.log())


if __name__ == "__main__":
    unittest.main(verbosity=1)

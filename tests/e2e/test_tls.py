"""The TLS listener of the real binary, called with Python's ssl and with the program's own command line."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import time
import unittest

from certificates import Authority, openssl
from harness import Signer, TOKENS, attestation


class TlsCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cc-tls-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.authority = Authority(self.folder)
        self.certificate, self.key = os.path.join(self.folder, "in-force.pem"), os.path.join(self.folder, "in-force.key")
        self.install(*self.authority.issue("signer"))

    def install(self, certificate, key):
        for source, target in ((certificate, self.certificate), (key, self.key)):
            shutil.copy(source, target + ".new")
            os.chmod(target + ".new", 0o600)
            os.rename(target + ".new", target)

    def signer(self, client="", file="", start=True, **environment):
        extra = (f"tls:\n  mode: file\n  listen_port: 0\n  file:\n    cert_path: {self.certificate}\n    key_path: {self.key}\n{file}"
                 + (f"  client:\n{client}" if client else ""))
        signer = Signer(extra=extra, environment=environment)
        self.addCleanup(signer.close)
        return self.started(signer) if start else signer

    def started(self, signer):
        signer.start()
        signer.tls_port = int(re.findall(r"listening.* listener=tls .*port=(\d+)", signer.log())[-1])
        signer.tls_url = f"https://localhost:{signer.tls_port}"
        return signer

    def context(self, certificate=None, authority=None, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations((authority or self.authority).path)
        if certificate:
            context.load_cert_chain(*certificate)
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def get(self, signer, path="/upcheck", token=None, **options):
        connection = http.client.HTTPSConnection("localhost", signer.tls_port, timeout=20, context=self.context(**options))
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {TOKENS[token]}"} if token else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def shown_serial(self, signer):
        with socket.create_connection(("localhost", signer.tls_port)) as plain, self.context().wrap_socket(plain, server_hostname="localhost") as session:
            return session.getpeercert()["serialNumber"]


class Serving(TlsCase):
    def test_ceremonies_and_signing_over_tls_with_the_command_line(self):
        signer = self.signer()
        ca = ("--ca-cert", self.authority.path)
        out = signer.run("operator", "init", "--setup-token", signer.setup_token(), "--kms-key-arns", "local://one", "--kms-threshold", "1",
                         "--signer-url", signer.tls_url, *ca)[1]
        self.assertEqual(json.loads(out)["status"], "unsealed")
        out = signer.run("keys", "generate", "--count", "1", "--auth-token", TOKENS["KEY_MANAGER_TOKEN"], "--signer-url", signer.tls_url, *ca)[1]
        key = json.loads(out)["data"][0]["pubkey"]
        connection = http.client.HTTPSConnection("localhost", signer.tls_port, context=self.context())
        for target in (101, 102):
            connection.request("POST", f"/api/v1/eth2/sign/{key}", json.dumps(attestation(100, target)),
                               {"Authorization": f"Bearer {TOKENS['SIGNING_TOKEN']}", "Accept": "application/json"})
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200)
            self.assertRegex(answer.read().decode(), "0x[0-9a-f]{192}")
        connection.close()
        self.assertIn("containment_tls_certificate_not_after_timestamp_seconds", signer.metrics())
        self.assertRegex(signer.metrics(), r'containment_tls_handshakes_total\{result="ok"\} [1-9]')

    def test_the_command_line_says_what_is_wrong(self):
        signer = self.signer()
        other = Authority(self.folder, "other")

        def status(*arguments, url=None):
            code, _, err = signer.run("operator", "status", "--auth-token", TOKENS["CC_AUTH_TOKEN"], "--signer-url", url or signer.tls_url, *arguments,
                                      check=False)
            return code, err

        self.assertEqual(status("--ca-cert", self.authority.path)[0], 0)
        for arguments in ((), ("--ca-cert", other.path)):
            code, err = status(*arguments)
            self.assertEqual(code, 5, err)
            self.assertIn("--ca-cert", err)
        code, err = status("--ca-cert", self.authority.path + ".missing")
        self.assertEqual(code, 2)
        self.assertIn("cannot be read", err)
        code, err = status("--ca-cert", self.authority.path, url=signer.url)
        self.assertEqual(code, 2)
        self.assertIn("http://", err)
        code, err = status("--client-key", self.key)
        self.assertIn("--client-cert", err)
        code, err = status("--ca-cert", self.key)
        self.assertEqual(code, 2, err)

    def test_old_versions_wrong_authorities_and_plain_callers_are_refused(self):
        signer = self.signer()
        self.assertEqual(self.get(signer, version=ssl.TLSVersion.TLSv1_2), (200, "OK"))
        self.assertEqual(self.get(signer, version=ssl.TLSVersion.TLSv1_3), (200, "OK"))
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                context = self.context(version=old)
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
                with socket.create_connection(("localhost", signer.tls_port)) as plain:
                    context.wrap_socket(plain, server_hostname="localhost")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.get(signer, authority=Authority(self.folder, "other"))
        plain = signer.request("GET", "/upcheck", port=signer.tls_port)
        self.assertEqual(plain.status, 400)
        self.assertIn("https://", plain.text)
        # The plain listener stays, for probes and loopback.
        self.assertEqual(signer.request("GET", "/upcheck").status, 200)

    def test_rsa_keys_serve_as_well(self):
        self.install(*self.authority.issue("rsa", key_type=("rsa", "rsa_keygen_bits:2048")))
        self.assertEqual(self.get(self.signer()), (200, "OK"))


class Clients(TlsCase):
    def test_a_client_certificate_is_required(self):
        signer = self.signer(client=f"    mode: required\n    ca_path: {self.authority.path}\n    allowed: [vc-1]\n")
        other = self.authority.issue("vc-2")
        stranger = Authority(self.folder, "strangers").issue("vc-1")
        refused = (ssl.SSLError, ConnectionError, http.client.HTTPException)
        for certificate in (None, other, stranger):
            with self.assertRaises(refused):
                self.get(signer, certificate=certificate)
        friend = self.authority.issue("vc-1")
        self.assertEqual(self.get(signer, certificate=friend), (200, "OK"))
        done = signer.run("operator", "status", "--auth-token", TOKENS["CC_AUTH_TOKEN"], "--signer-url", signer.tls_url, "--ca-cert", self.authority.path,
                          "--client-cert", friend[0], "--client-key", friend[1])[1]
        self.assertIn("uninitialized", done)
        self.assertRegex(signer.metrics(), r'containment_tls_handshakes_total\{result="failed"\} [1-9]')
        self.assertIn("TLS handshake failed", signer.log())

    def test_the_known_clients_file_of_web3signer(self):
        friend = self.authority.issue("vc-1")
        openssl("x509", "-in", friend[0], "-noout", "-fingerprint", "-sha256", "-out", os.path.join(self.folder, "print"))
        with open(os.path.join(self.folder, "print"), encoding="utf-8") as text:
            fingerprint = text.read().strip().split("=")[1]
        known = os.path.join(self.folder, "known-clients")
        with open(known, "w", encoding="utf-8") as out:
            out.write(f"vc-1 {fingerprint}\n")
        signer = self.signer(client=f"    mode: required\n    known_clients_path: {known}\n")
        self.assertEqual(self.get(signer, certificate=friend), (200, "OK"))
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            self.get(signer, certificate=self.authority.issue("vc-2"))


class Reloading(TlsCase):
    def test_reload_under_load_loses_no_request(self):
        signer = self.signer(file="    reload_interval_seconds: 1\n")
        first = self.shown_serial(signer)
        stop, failures, done = threading.Event(), [], [0, 0]

        def fresh_connections():
            while not stop.is_set():
                try:
                    assert self.get(signer) == (200, "OK")
                    done[0] += 1
                except Exception as error:  # pylint: disable=broad-except
                    failures.append(repr(error))

        def one_connection():
            connection = http.client.HTTPSConnection("localhost", signer.tls_port, timeout=20, context=self.context())
            while not stop.is_set():
                try:
                    connection.request("GET", "/upcheck")
                    assert connection.getresponse().read() == b"OK"
                    done[1] += 1
                except Exception as error:  # pylint: disable=broad-except
                    failures.append(repr(error))
            connection.close()

        threads = [threading.Thread(target=work) for work in (fresh_connections, fresh_connections, one_connection)]
        for thread in threads:
            thread.start()
        serials = {first}
        for round_ in range(6):
            self.install(*self.authority.issue(f"signer-{round_}"))
            if round_ % 2 == 0:
                signer.process.send_signal(signal.SIGHUP)
            end = time.monotonic() + 15
            while len(serials) < round_ + 2 and time.monotonic() < end:
                serials.add(self.shown_serial(signer))
                time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(len(serials), 7)
        self.assertEqual(failures, [])
        self.assertGreater(min(done), 50)

    def test_a_broken_pair_is_reported_and_the_old_one_stays(self):
        signer = self.signer(file="    reload_interval_seconds: 0\n")
        serial = self.shown_serial(signer)

        def try_reload(expected):
            before = signer.log().count("cannot be used; the certificate in force stays")
            signer.process.send_signal(signal.SIGHUP)
            end = time.monotonic() + 10
            while signer.log().count("cannot be used; the certificate in force stays") == before and time.monotonic() < end:
                time.sleep(0.02)
            self.assertIn(expected, signer.log())
            self.assertEqual(self.shown_serial(signer), serial)

        shutil.copy(self.authority.issue("other")[1], self.key)
        try_reload("is not the key of the certificate")
        with open(self.certificate, "w", encoding="utf-8") as out:
            out.write("-----BEGIN CERTIFICATE-----\nMIIB\n")
        try_reload("damaged certificate")
        os.remove(self.key)
        shutil.copy(self.authority.issue("third")[0], self.certificate)
        try_reload("cannot be read")
        self.assertIn('containment_tls_reloads_total{result="failed"} 3', signer.metrics())
        self.install(*self.authority.issue("good"))
        signer.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while self.shown_serial(signer) == serial and time.monotonic() < end:
            time.sleep(0.05)
        self.assertNotEqual(self.shown_serial(signer), serial)

    def test_without_tls_a_hang_up_stops_as_before(self):
        signer = Signer()
        self.addCleanup(signer.close)
        signer.start()
        signer.process.send_signal(signal.SIGHUP)
        self.assertEqual(signer.process.wait(timeout=20), 0)


class Starting(TlsCase):
    def refusal(self, signer):
        signer.start(wait=False)
        self.assertNotEqual(signer.process.wait(timeout=20), 0)
        return signer.log()

    def test_a_bad_pair_stops_the_start_with_advice(self):
        signer = self.signer(start=False)
        good = self.authority.issue("good")
        shutil.copy(good[1], self.key)
        self.assertIn("is not the key of the certificate", self.refusal(signer))
        openssl("pkey", "-in", good[1], "-aes256", "-passout", "pass:secret words", "-out", self.key)
        shutil.copy(good[0], self.certificate)
        self.assertIn("protected by a password", self.refusal(signer))
        os.remove(self.certificate)
        self.assertIn("No such file", self.refusal(signer))

    def test_a_password_from_the_environment_opens_the_key(self):
        openssl("pkey", "-in", self.key, "-aes256", "-passout", "pass:secret words", "-out", self.key + ".enc")
        os.rename(self.key + ".enc", self.key)
        signer = self.signer(file='    key_password: "env:TLS_PASSWORD"\n', TLS_PASSWORD="secret words")
        self.assertEqual(self.get(signer), (200, "OK"))
        self.assertNotIn("secret words", signer.log())
        wrong = self.signer(file='    key_password: "env:TLS_PASSWORD"\n', start=False, TLS_PASSWORD="other words")
        self.assertIn("wrong password", self.refusal(wrong))

    def test_a_certificate_about_to_expire_and_an_open_key_file_are_loud_but_start(self):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=soon", "-keyout", self.key,
                "-out", self.certificate)
        os.chmod(self.key, 0o644)
        signer = self.signer()
        self.assertIn("expires soon", signer.log())
        self.assertIn("chmod 600", signer.log())

    def test_settings_that_would_let_everybody_in_are_refused(self):
        signer = self.signer(client=f"    ca_path: {self.authority.path}\n", start=False)
        self.assertIn("tls.client.mode", self.refusal(signer))
        nobody = self.signer(client="    mode: required\n", start=False)
        self.assertIn("tls.client.ca_path", self.refusal(nobody))


if __name__ == "__main__":
    unittest.main()

"""AWS on loopback for end-to-end tests: dev-kms (strict), moto (an independent emulator), and AWS's own command line."""
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import strict_dynamodb
from harness import BINARY, SOURCE

ARNS = (
    "arn:aws:kms:us-east-1:111111111111:key/aaaaaaaa-0000-4000-8000-000000000001",
    "arn:aws:kms:eu-west-1:222222222222:key/bbbbbbbb-0000-4000-8000-000000000002",
    "arn:aws:kms:ap-southeast-1:333333333333:key/cccccccc-0000-4000-8000-000000000003",
)
# No test may ask a real metadata service.
ISOLATED = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
for name in [one for one in os.environ if one.startswith("AWS_")]:
    del os.environ[name]


class DevKms:
    def __init__(self, arns=ARNS):
        self.folder = tempfile.mkdtemp(prefix="cc-dev-kms-")
        self.arns = arns
        self.process = None
        self.port = 0

    def start(self):
        keys = [word for arn in self.arns for word in ("--key", arn)]
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen([BINARY, "dev-kms", "--data-dir", os.path.join(self.folder, "data"), "--port", str(self.port), "--allow-faults", *keys],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        text = ""
        while not text.endswith("\n}\n"):
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("dev-kms did not start:\n" + open(self.log.name, encoding="utf-8").read())
            text += line
        ready = json.loads(text)
        self.endpoint = ready["endpoint"]
        self.credentials = ready["credentials_file"]
        self.port = int(self.endpoint.rsplit(":", 1)[1])
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environment(self):
        return {**ISOLATED, "AWS_ENDPOINT_URL_KMS": self.endpoint, "AWS_SHARED_CREDENTIALS_FILE": self.credentials}

    def control(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, "/dev-kms/" + path, body=json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != 200:
                raise AssertionError(text)
            return json.loads(text)
        finally:
            connection.close()

    def fault(self, kind, key="", count=0, operation=""):
        self.control("POST", "faults", {"kind": kind, "key": key, "count": count, "operation": operation})

    def clear_faults(self):
        self.control("DELETE", "faults")

    def calls(self):
        return self.control("GET", "calls")["calls"]

    def secret_key(self):
        return self.setting("aws_secret_access_key")

    def key_id(self):
        return self.setting("aws_access_key_id")

    def setting(self, name):
        with open(self.credentials, encoding="utf-8") as text:
            return next(line.split("=", 1)[1].strip() for line in text if line.startswith(name))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class CredentialEndpoint:
    """What a container platform gives its programs: temporary credentials over HTTP, for six hours. `give()` names them: key id, secret, session token."""

    def __init__(self, give):
        self.asked = []  # of each request the path and its Authorization

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):
                self.asked.append((handler.path, handler.headers.get("Authorization")))
                key_id, secret, token = give()
                expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6 * 3600))
                body = json.dumps({"AccessKeyId": key_id, "SecretAccessKey": secret, "Token": token, "Expiration": expires}).encode()
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def environment(self):
        return {"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{self.server.server_port}/v1/credentials"}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Moto:
    """moto's server, installed by tools/moto.sh."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="cc-moto-")
        program = os.path.join(SOURCE, "build", "moto-venv", "bin", "moto_server")
        if not os.path.exists(program):
            raise AssertionError("moto is not installed: run tools/moto.sh (./dev check and ./dev test do)")
        self.port = free_port()
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(self.port)], stdout=self.log, stderr=self.log,
                                        env={"PATH": os.environ["PATH"], "HOME": self.folder, **ISOLATED})
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("moto does not listen:\n" + open(self.log.name, encoding="utf-8").read())

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self):
        return {**ISOLATED, "AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    def create_key(self, region):
        out = aws_cli(["kms", "create-key", "--region", region], self.environment, self.endpoint)
        return json.loads(out)["KeyMetadata"]["Arn"]

    def switch_key(self, verb, arn):
        """disable-key or enable-key; moto answers these only for the bare key id."""
        aws_cli(["kms", verb, "--key-id", arn.rsplit("/", 1)[1], "--region", arn.split(":")[3]], self.environment, self.endpoint)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


AWS_CLI = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else "aws"


def aws_cli(arguments, environment, endpoint, check=True):
    """AWS's own command line. Returns its stdout, or with check=False (exit code, stderr)."""
    home = tempfile.mkdtemp(prefix="cc-awscli-")
    try:
        done = subprocess.run([AWS_CLI, *arguments, "--endpoint-url", endpoint, "--output", "json"], capture_output=True, text=True, timeout=120,
                              env={"PATH": os.environ["PATH"], "HOME": home, **environment})
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if not check:
        return done.returncode, done.stderr
    if done.returncode != 0:
        raise AssertionError(f"aws {arguments}: {done.stderr}")
    return done.stdout


def table_of_the_module():
    """A table as infra/terraform makes it, in the words of CreateTable: every test runs on what users get."""
    with open(os.path.join(SOURCE, "infra", "terraform", "tables.tf"), encoding="utf-8") as text:
        block = text.read().split('resource "aws_dynamodb_table" "store" {')[1]
    said = lambda name: re.search(rf'^  {name} += "(\w+)"$', block, re.MULTILINE).group(1)
    attributes = re.findall(r'^  attribute \{\n    name = "(\w+)"\n    type = "(\w)"\n  \}$', block, re.MULTILINE)
    return {"BillingMode": said("billing_mode"), "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in attributes],
            "KeySchema": [{"AttributeName": said("hash_key"), "KeyType": "HASH"}, {"AttributeName": said("range_key"), "KeyType": "RANGE"}]}


class DynamoDb:
    """DynamoDB on loopback: the strict front (strict_dynamodb.py) over dynoxide where tools/dynoxide.sh could install it (it serialises, and
    outlives kill -9), else over moto."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="cc-dynamodb-")
        self.program = os.path.join(SOURCE, "build", "dynoxide", "bin", "dynoxide")
        self.concurrent = os.path.exists(self.program)
        self.port = free_port()
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = None
        self.strict = strict_dynamodb.StrictDynamoDb(self.port)
        self.start()

    def start(self):
        moto = os.path.join(SOURCE, "build", "moto-venv", "bin", "moto_server")
        database = os.path.join(self.folder, "tables")
        command = [self.program, "--host", "127.0.0.1", "-p", str(self.port), "--db-path", database]
        if not self.concurrent:
            command = [moto, "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env={"PATH": os.environ["PATH"], "HOME": self.folder, **ISOLATED})
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("no DynamoDB listens")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.strict.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def endpoint(self):
        return self.strict.endpoint

    def admit(self, key_id, secret, token=None):
        account = strict_dynamodb.Account(secret, token)
        self.strict.accounts[key_id] = account
        return account

    def ask(self, operation, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/", body=json.dumps(body), headers={
                "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810." + operation, "X-Amz-Date": "20261124T170000Z",
                "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261124/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def create_table(self, name):
        status, said = self.ask("CreateTable", {"TableName": name, **table_of_the_module()})
        if status != 200:
            raise AssertionError(said)

    def delete_table(self, name):
        self.ask("DeleteTable", {"TableName": name})

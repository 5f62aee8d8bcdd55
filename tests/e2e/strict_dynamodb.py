"""A DynamoDB on loopback that is as strict as AWS: it checks every request (signature, session, clock, headers, members, expressions, limits),
and passes what AWS would take on to an emulator. Faults are planted from outside: throttling, partial batches, short pages, lost answers,
conflicts, expired sessions, another clock, actions that the role may not do.

What it checks is AWS's documentation in code; tests/e2e/test_strict_dynamodb.py holds AWS's own command line against it. By itself:
    strict_dynamodb.py --upstream PORT --port PORT --account KEYID:SECRET
"""
import argparse
import base64
import calendar
import collections
import hashlib
import hmac
import http.client
import http.server
import json
import random
import re
import threading
import time

from dynamodb_expressions import Invalid, check_expressions

ITEM_LIMIT = 400 * 1024
TRANSACTION_LIMIT = 4 * 1024 * 1024
TOLERANCE_SECONDS = 300
TARGET = "DynamoDB_20120810."
MODEL = "com.amazonaws.dynamodb.v20120810#"
CORAL = "com.amazon.coral.service#"
SCHEMA = {"pk", "sk"}
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
COMMON = {"TableName", "ReturnConsumedCapacity"}
CONDITION = {"ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure"}
WRITING = COMMON | CONDITION | {"ReturnValues", "ReturnItemCollectionMetrics"}
# The members that an operation has; AWS drops others silently, and then they did not do what was meant.
MEMBERS = {
    "DescribeTable": {"TableName"},
    "GetItem": COMMON | {"Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"},
    "BatchGetItem": {"RequestItems", "ReturnConsumedCapacity"},
    "Query": COMMON | {"ConsistentRead", "IndexName", "KeyConditionExpression", "FilterExpression", "ProjectionExpression", "ExpressionAttributeNames",
                       "ExpressionAttributeValues", "ScanIndexForward", "Limit", "ExclusiveStartKey", "Select"},
    "PutItem": WRITING | {"Item"},
    "UpdateItem": WRITING | {"Key", "UpdateExpression"},
    "DeleteItem": WRITING | {"Key"},
    "TransactWriteItems": {"TransactItems", "ClientRequestToken", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"},
}


class Refusal(Exception):
    def __init__(self, code, message, status=400, model=MODEL, **more):
        super().__init__(message)
        self.status = status
        self.body = {"__type": model + code, "message": message, **more}


def validation(message):
    return Refusal("ValidationException", message, model="com.amazon.coral.validate#")


def serialization(message):
    return Refusal("SerializationException", message, model=CORAL)


# ---- the signature (Signature Version 4, with the session token inside)
class Account:
    def __init__(self, secret, token=None):
        self.secret, self.token, self.expired = secret, token, False


def canonical_header(value):
    return re.sub(r" +", " ", value.strip())


def check_signature(accounts, now, method, path, headers, body):
    """Returns the region of the credential scope."""
    given = headers.get("authorization", "")
    if not given:
        raise Refusal("MissingAuthenticationTokenException", "Request is missing Authentication Token", model=CORAL)
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})", given)
    if not match:
        raise Refusal("IncompleteSignatureException", "Authorization header requires Credential, SignedHeaders and Signature", model=CORAL)
    key_id, day, region, service, names, signature = match.groups()
    signed = names.split(";")
    must = {"host", *(name for name in headers if name.startswith("x-amz-"))}
    if signed != sorted(set(signed)) or not must <= set(signed) or not all(name in headers for name in signed):
        raise Refusal("InvalidSignatureException", f"SignedHeaders must be sorted, present, and hold {sorted(must)}", model=CORAL)
    at = headers.get("x-amz-date", "")
    if not re.fullmatch(r"\d{8}T\d{6}Z", at) or at[:8] != day:
        raise Refusal("InvalidSignatureException", "Date in Credential scope does not match X-Amz-Date", model=CORAL)
    age = now - calendar.timegm(time.strptime(at, "%Y%m%dT%H%M%SZ"))
    if abs(age) > TOLERANCE_SECONDS:
        what = "Signature expired" if age > 0 else "Signature not yet current"
        raise Refusal("InvalidSignatureException", f"{what}: {at} is not within 5 min. of {time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}", model=CORAL)
    account = accounts.get(key_id)
    if account is None or (account.token or None) != headers.get("x-amz-security-token"):
        raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.", model=CORAL)
    if account.expired:
        raise Refusal("ExpiredTokenException", "The security token included in the request is expired", model=CORAL)
    if service != "dynamodb":
        raise Refusal("InvalidSignatureException", "Credential should be scoped to correct service: 'dynamodb'.", model=CORAL)
    lines = "".join(f"{name}:{canonical_header(headers[name])}\n" for name in signed)
    request = f"{method}\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = ("AWS4" + account.secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), signature):
        raise Refusal("InvalidSignatureException", "The request signature we calculated does not match the signature you provided.", model=CORAL)
    return region


# ---- values, items, keys
def check_value(value):
    """Returns the size of an attribute value as AWS counts it."""
    if not isinstance(value, dict) or len(value) != 1:
        raise validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
    kind, content = next(iter(value.items()))
    if kind == "S" and isinstance(content, str):
        return len(content.encode())
    if kind == "N" and isinstance(content, str):
        if not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", content):
            raise validation(f"The parameter cannot be converted to a numeric value: {content}")
        if len(content.lstrip("-").replace(".", "").strip("0")) > 38:
            raise validation("Attempting to store more than 38 significant digits in a Number")
        return len(content) // 2 + 2
    if kind == "B" and isinstance(content, str):
        try:
            return len(base64.b64decode(content, validate=True))
        except ValueError:
            raise serialization("Base64 encoded length is unexpected") from None
    if kind == "BOOL" and isinstance(content, bool) or kind == "NULL" and content is True:
        return 1
    if kind == "L" and isinstance(content, list):
        return 3 + sum(1 + check_value(one) for one in content)
    if kind == "M" and isinstance(content, dict):
        return 3 + sum(1 + len(name.encode()) + check_value(one) for name, one in content.items())
    raise serialization("Unexpected token received from parser")


def check_item(item):
    if not isinstance(item, dict):
        raise serialization("Expected a map")
    size = sum(len(name.encode()) + check_value(value) for name, value in item.items())
    for name in SCHEMA:
        if name not in item:
            raise validation(f"One or more parameter values were invalid: Missing the key {name} in the item")
        check_key_value(name, item[name])
    if size > ITEM_LIMIT:
        raise validation("Item size has exceeded the maximum allowed size")
    return size


def check_key_value(name, value):
    if list(value) != ["S"]:
        raise validation(f"One or more parameter values were invalid: Type mismatch for key {name} expected: S actual: {next(iter(value), '')}")
    longest = 2048 if name == "pk" else 1024
    if not value["S"] or len(value["S"].encode()) > longest:
        raise validation(f"One or more parameter values are not valid. The AttributeValue for a key attribute must be 1 to {longest} bytes. Key: {name}")


def check_key(key):
    if not isinstance(key, dict) or set(key) != SCHEMA:
        raise validation("The provided key element does not match the schema")
    for name, value in key.items():
        check_value(value)
        check_key_value(name, value)
    return key["pk"]["S"], key["sk"]["S"]


def check_members(operation, body):
    unknown = set(body) - MEMBERS[operation]
    if unknown:
        raise validation(f"{operation} has no member {sorted(unknown)}: AWS would drop it")
    if "TableName" in MEMBERS[operation] and not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}|arn:aws[a-z-]*:dynamodb:.*", str(body.get("TableName", ""))):
        raise validation("1 validation error detected: Value at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3")


def check_write(operation, body):
    """One write, alone or as a part of a transaction. Returns its key and its size."""
    for value in (body.get("ExpressionAttributeValues") or {}).values():
        check_value(value)
    changed = check_expressions(body)
    if any(path[0] in SCHEMA for path in changed):
        raise validation("One or more parameter values were invalid: Cannot update attribute. This attribute is part of the key")
    if operation == "PutItem":
        size = check_item(body.get("Item"))
        return (body["Item"]["pk"]["S"], body["Item"]["sk"]["S"]), size
    if operation == "ConditionCheckItem" and "ConditionExpression" not in body:
        raise validation("1 validation error detected: Value null at 'conditionExpression' failed to satisfy constraint: Member must not be null")
    return check_key(body.get("Key")), sum(check_value(value) for value in (body.get("ExpressionAttributeValues") or {}).values())


def check_transaction(body):
    parts = body.get("TransactItems")
    if not isinstance(parts, list) or not 1 <= len(parts) <= 100:
        raise validation("Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")
    if not 1 <= len(body.get("ClientRequestToken", "x")) <= 36:
        raise validation("Value at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36")
    seen, total = set(), 0
    for part in parts:
        kind = next(iter(part), "")
        if len(part) != 1 or kind not in PARTS:
            raise validation("TransactItems can only contain one of Check, Put, Update or Delete")
        unknown = set(part[kind]) - {"TableName", "Item", "Key", "UpdateExpression"} - CONDITION
        if unknown:
            raise validation(f"{kind} has no member {sorted(unknown)}: AWS would drop it")
        if kind == "Update" and "UpdateExpression" not in part[kind]:
            raise validation("Value null at 'updateExpression' failed to satisfy constraint: Member must not be null")
        key, size = check_write(PARTS[kind], part[kind])
        if (part[kind].get("TableName"), key) in seen:
            raise validation("Transaction request cannot include multiple operations on one item")
        seen.add((part[kind].get("TableName"), key))
        total += size
    if total > TRANSACTION_LIMIT:
        raise validation("Collection size of the transaction exceeded 4 MB")


def check_batch(body):
    keys, count = set(), 0
    for table, wanted in (body.get("RequestItems") or {}).items():
        if set(wanted) - {"Keys", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"}:
            raise validation("BatchGetItem: unknown members")
        check_expressions({name: value for name, value in wanted.items() if name not in ("Keys", "ConsistentRead")})
        for key in wanted["Keys"]:
            keys.add((table, check_key(key)))
            count += 1
    if not 1 <= count <= 100:
        raise validation("Too many items requested for the BatchGetItem call")
    if len(keys) != count:
        raise validation("Provided list of item keys contains duplicates")


def check_request(operation, body):
    check_members(operation, body)
    if operation == "TransactWriteItems":
        check_transaction(body)
    elif operation == "BatchGetItem":
        check_batch(body)
    elif operation in WRITES:
        check_write(operation, body)
    elif operation == "GetItem":
        check_key(body.get("Key"))
        check_expressions(body)
    elif operation == "Query":
        for value in (body.get("ExpressionAttributeValues") or {}).values():
            check_value(value)
        if "KeyConditionExpression" not in body:
            raise validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
        check_expressions(body)
        if "ExclusiveStartKey" in body:
            check_key(body["ExclusiveStartKey"])
        if not isinstance(body.get("Limit", 1), int) or body.get("Limit", 1) < 1:
            raise validation("Value at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")


class Fault:
    """Planted on an operation ("" for all): the next `count` requests of it (0: all of them), each with this chance."""

    def __init__(self, kind, operation="", count=0, chance=1.0, **more):
        self.kind, self.operation, self.count, self.chance, self.more = kind, operation, count, chance, more
        self.left = count


class StrictDynamoDb:
    def __init__(self, upstream, port=0):
        """`upstream`: port of the emulator on loopback."""
        self.upstream = upstream
        self.accounts = {}
        self.clock_offset = 0
        self.region = "eu-west-1"  # where the tables are; none is anywhere else
        self.refused = collections.Counter()  # by code, what the checks themselves refused
        self.messages = []
        self.calls = collections.Counter()
        self.faults = []
        self.random = random.Random(7)
        self.lock = threading.Lock()
        strict = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                strict.serve(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # who asked was killed

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def plant(self, kind, **how):
        with self.lock:
            self.faults.append(Fault(kind, **how))

    def clear(self):
        with self.lock:
            self.faults.clear()

    def planted(self, kind, operation):
        with self.lock:
            for fault in self.faults:
                if fault.kind == kind and fault.operation in ("", operation) and self.random.random() < fault.chance:
                    fault.left -= 1
                    if fault.count and fault.left == 0:
                        self.faults.remove(fault)
                    return fault
        return None

    # ---- one request
    def serve(self, handler):
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(int(headers.get("content-length", 0)))
        try:
            operation, request = self.check(handler.command, handler.path, headers, body)
            status, answer = self.carry_out(operation, request, headers)
        except Invalid as refusal:
            status, answer = 400, validation(str(refusal)).body
            self.count_refusal(answer)
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
            self.count_refusal(answer)
        if status == 0:  # the answer is lost
            handler.close_connection = True
            handler.connection.close()
            return
        try:
            self.answer(handler, status, json.dumps(answer).encode())
        except OSError:
            handler.close_connection = True  # who asked is gone

    def answer(self, handler, status, text):
        handler.send_response(status)
        handler.send_header("Content-Type", "application/x-amz-json-1.0")
        handler.send_header("x-amzn-RequestId", "%026X" % self.random.getrandbits(100))
        handler.send_header("Date", handler.date_time_string(time.time() + self.clock_offset))
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def count_refusal(self, answer):
        with self.lock:
            self.refused[answer["__type"].rsplit("#", 1)[1]] += 1
            self.messages.append(answer["message"])

    def check(self, method, path, headers, body):
        if path != "/" or not headers.get("content-type", "").startswith("application/x-amz-json-1.0"):
            raise Refusal("UnknownOperationException", "", status=404, model=CORAL)
        target = headers.get("x-amz-target", "")
        if not target.startswith(TARGET) or target[len(TARGET):] not in MEMBERS:
            raise Refusal("UnknownOperationException", "", model=CORAL)
        operation = target[len(TARGET):]
        region = check_signature(self.accounts, time.time() + self.clock_offset, method, path, headers, body)
        try:
            request = json.loads(body)
        except ValueError:
            raise serialization("Start of structure or map found where not expected") from None
        if not isinstance(request, dict):
            raise serialization("Expected a map")
        check_request(operation, request)
        if region != self.region:
            raise Refusal("ResourceNotFoundException", "Requested resource not found: " + str(request.get("TableName", "")))
        return operation, request

    def carry_out(self, operation, request, headers):
        self.calls[operation] += 1
        if self.planted("throttle", operation):
            code = "ProvisionedThroughputExceededException" if self.calls[operation] % 2 else "ThrottlingException"
            return 400, {"__type": MODEL + code, "message": "The level of configured provisioned throughput for the table was exceeded."}
        if fault := self.planted("denied", operation):
            return 400, {"__type": CORAL + "AccessDeniedException", "message": f"User: {fault.more.get('who', 'x')} is not authorized to perform: dynamodb:{operation}"}
        if self.planted("fault", operation):
            return 500, {"__type": MODEL + "InternalServerError", "message": "Internal server error"}
        if operation == "TransactWriteItems" and self.planted("conflict", operation):
            reasons = [{"Code": "None"} for _ in request["TransactItems"]]
            reasons[0] = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
            return 400, {"__type": MODEL + "TransactionCanceledException", "CancellationReasons": reasons,
                         "message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]"}
        left = None
        if operation == "BatchGetItem" and self.planted("partial", operation):
            request, left = self.split(request)
        if operation == "Query" and (fault := self.planted("page", operation)):
            request = {**request, "Limit": min(request.get("Limit", fault.more["items"]), fault.more["items"])}
        status, answer = self.forward(operation, request, headers)
        if left and status == 200:
            answer["UnprocessedKeys"] = left
        return (0, None) if self.planted("lost", operation) else (status, answer)

    @staticmethod
    def split(request):
        """The first half of the keys is read, the rest is left over."""
        now, left = {}, {}
        for table, wanted in request["RequestItems"].items():
            half = (len(wanted["Keys"]) + 1) // 2
            now[table] = {**wanted, "Keys": wanted["Keys"][:half]}
            if wanted["Keys"][half:]:
                left[table] = {**wanted, "Keys": wanted["Keys"][half:]}
        return {**request, "RequestItems": now}, left

    def forward(self, operation, request, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=120)
        try:
            connection.request("POST", "/", body=json.dumps(request), headers={
                name: headers[name] for name in ("authorization", "x-amz-date", "x-amz-target", "content-type", "x-amz-security-token") if name in headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except OSError:
            return 0, None  # the emulator is gone: so is DynamoDB
        finally:
            connection.close()


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--upstream", type=int, required=True)
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--account", required=True)
    given = words.parse_args()
    strict = StrictDynamoDb(given.upstream, given.port)
    key_id, secret = given.account.split(":", 1)
    strict.accounts[key_id] = Account(secret)
    threading.Event().wait()


if __name__ == "__main__":
    main()

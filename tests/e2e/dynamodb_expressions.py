"""DynamoDB's expressions, checked as the developer guide words them, where emulators let things pass: syntax, reserved words, names and
values that are undefined or unused, redundant parentheses, paths that overlap. Raises Invalid with a message in AWS's manner.
"""
import os
import re

from harness import SOURCE

TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),.+\-]|\[\d+\]|#[A-Za-z0-9_]+|:[A-Za-z0-9_]+|[A-Za-z][A-Za-z0-9_]*|\S)")
CONDITIONS = {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}
COMPARATORS = {"=", "<>", "<", "<=", ">", ">="}


def reserved_words():
    """AWS's published list, as moto carries it."""
    folder = os.path.join(SOURCE, "build", "moto-venv", "lib")
    for python in os.listdir(folder):
        path = os.path.join(folder, python, "site-packages", "moto", "dynamodb", "parsing", "reserved_keywords.txt")
        if os.path.exists(path):
            with open(path, encoding="ascii") as words:
                return {word.strip().upper() for word in words if word.strip()}
    raise AssertionError("the list of reserved words is not there: run tools/moto.sh")


RESERVED = reserved_words()


class Invalid(Exception):
    """What DynamoDB answers with ValidationException."""


class Expression:
    """One expression of a request, read once; names and values used are told to the request's Placeholders."""

    def __init__(self, member, text, placeholders):
        self.member = member
        self.placeholders = placeholders
        if text == "":
            raise Invalid(f"Invalid {member}: The expression can not be empty;")
        self.tokens = TOKEN.findall(text)
        self.at = 0

    # ---- tokens
    def fail(self, why):
        raise Invalid(f"Invalid {self.member}: {why}")

    def syntax(self):
        near = " ".join(self.tokens[max(0, self.at - 1):self.at + 2])
        self.fail(f'Syntax error; token: "{self.peek()}", near: "{near}"')

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def word(self):
        return self.peek().upper()

    def take(self, *wanted):
        token = self.peek()
        if not token or (wanted and token.upper() not in wanted):
            self.syntax()
        self.at += 1
        return token

    def maybe(self, wanted):
        if self.word() != wanted:
            return False
        self.at += 1
        return True

    # ---- parts
    def path(self):
        out = []
        while True:
            token = self.take()
            if token.startswith("#"):
                out.append(self.placeholders.name(self.member, token))
            elif re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", token):
                if token.upper() in RESERVED:
                    self.fail(f"Attribute name is a reserved keyword; reserved keyword: {token}")
                out.append(token)
            else:
                self.at -= 1
                self.syntax()
            while re.fullmatch(r"\[\d+\]", self.peek()):
                out.append(self.take())
            if not self.maybe("."):
                return tuple(out)

    def value(self):
        return self.placeholders.value(self.member, self.take())

    def operand(self):
        if self.peek().startswith(":"):
            return self.value()
        if self.word() == "SIZE" and self.tokens[self.at + 1:self.at + 2] == ["("]:
            self.take()
            self.take("(")
            out = self.path()
            self.take(")")
            return out
        return self.path()

    # ---- conditions
    def condition(self):
        self.alternatives()
        self.end()

    def alternatives(self):
        self.conjunction()
        while self.maybe("OR"):
            self.conjunction()

    def conjunction(self):
        self.negation()
        while self.maybe("AND"):
            self.negation()

    def negation(self):
        while self.maybe("NOT"):
            pass
        if self.maybe("("):
            begin = self.at
            self.alternatives()
            self.take(")")
            if self.tokens[begin] == "(" and self.closing(begin) == self.at - 2:
                self.fail("The expression has redundant parentheses;")
            return
        name = self.peek().lower()
        if name in CONDITIONS and self.tokens[self.at + 1:self.at + 2] == ["("]:
            self.take()
            self.take("(")
            self.path()
            for _ in range(CONDITIONS[name] - 1):
                self.take(",")
                self.operand()
            self.take(")")
            return
        left = self.operand()
        if self.maybe("BETWEEN"):
            self.operand()
            self.take("AND")
            self.operand()
        elif self.maybe("IN"):
            self.take("(")
            self.operand()
            while self.maybe(","):
                self.operand()
            self.take(")")
        else:
            if self.peek() not in COMPARATORS:
                self.syntax()
            comparator = self.take()
            right = self.operand()
            if left == right and isinstance(left, tuple):
                self.fail(f"The first operand must be distinct from the remaining operands for this operator or function; operator: {comparator}, first operand: {list(left)}")

    def closing(self, opened):
        depth = 0
        for at in range(opened, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[at], 0)
            if depth == 0:
                return at
        return -1

    def end(self):
        if self.at != len(self.tokens):
            self.syntax()

    # ---- updates
    def update(self):
        """Returns the paths changed."""
        paths, sections = [], set()
        while self.peek():
            section = self.take("SET", "ADD", "REMOVE", "DELETE").upper()
            if section in sections:
                self.fail(f'The "{section}" section can only be used once in an update expression;')
            sections.add(section)
            while True:
                paths.append(self.path())
                if section == "SET":
                    self.take("=")
                    self.sum()
                elif section != "REMOVE":
                    self.value()
                if not self.maybe(","):
                    break
        if not sections:
            self.syntax()
        for i, one in enumerate(paths):
            for two in paths[:i]:
                if one[:len(two)] == two or two[:len(one)] == one:
                    self.fail(f"Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {list(two)}, path two: {list(one)}")
        return paths

    def sum(self):
        self.term()
        if self.peek() in ("+", "-"):
            self.take()
            self.term()

    def term(self):
        if self.peek().lower() in ("if_not_exists", "list_append") and self.tokens[self.at + 1:self.at + 2] == ["("]:
            self.take()
            self.take("(")
            self.operand()
            self.take(",")
            self.operand()
            self.take(")")
        elif self.maybe("("):
            self.sum()
            self.take(")")
        else:
            self.operand()

    # ---- keys and projections
    def key_condition(self, partition, sort):
        """pk = :value [AND sk (comparison | BETWEEN … AND … | begins_with(…))], on the table's own keys."""
        seen = []
        while True:
            if self.word() == "BEGINS_WITH":
                self.take()
                self.take("(")
                seen.append((self.path(), "begins_with"))
                self.take(",")
                self.value()
                self.take(")")
            else:
                path = self.path()
                if self.maybe("BETWEEN"):
                    self.value()
                    self.take("AND")
                    self.value()
                    seen.append((path, "between"))
                else:
                    seen.append((path, self.take("=", "<", "<=", ">", ">=")))
                    self.value()
            if not self.maybe("AND"):
                break
        self.end()
        if sum(path == (partition,) and how == "=" for path, how in seen) != 1:
            raise Invalid("Query condition missed key schema element: " + partition)
        others = [path for path, _ in seen if path != (partition,)]
        if len(others) > 1 or others not in ([], [(sort,)]):
            raise Invalid("Query key condition not supported")

    def projection(self):
        paths = [self.path()]
        while self.maybe(","):
            paths.append(self.path())
        self.end()
        if len(set(paths)) != len(paths):
            self.fail("Two document paths overlap with each other;")


class Placeholders:
    """ExpressionAttributeNames and -Values of one request or one part of a transaction."""

    def __init__(self, holder):
        self.holder = holder
        self.names = holder.get("ExpressionAttributeNames")
        self.values = holder.get("ExpressionAttributeValues")
        self.used = set()
        for member, given, sign in (("ExpressionAttributeNames", self.names, "#"), ("ExpressionAttributeValues", self.values, ":")):
            if given is not None and not given:
                raise Invalid(f"{member} must not be empty")
            for key in given or {}:
                if not re.fullmatch(re.escape(sign) + r"[A-Za-z0-9_]+", key):
                    raise Invalid(f'{member} contains invalid key: Syntax error; key: "{key}"')

    def name(self, member, token):
        if token not in (self.names or {}):
            raise Invalid(f"Invalid {member}: An expression attribute name used in the document path is not defined; attribute name: {token}")
        self.used.add(token)
        return self.names[token]

    def value(self, member, token):
        if not token.startswith(":") or token not in (self.values or {}):
            raise Invalid(f"Invalid {member}: An expression attribute value used in expression is not defined; attribute value: {token}")
        self.used.add(token)
        return token

    def finish(self, any_expression):
        for member, given, kind in (("ExpressionAttributeNames", self.names, "names"), ("ExpressionAttributeValues", self.values, "values")):
            if given and not any_expression:
                raise Invalid(f"{member} can only be specified when using expressions")
            unused = [key for key in given or {} if key not in self.used]
            if unused:
                raise Invalid(f"Value provided in {member} unused in expressions: keys: {{{', '.join(unused)}}}")


def check_expressions(holder, partition="pk", sort="sk"):
    """All expressions of one request, or of one part of a transaction. Returns the paths that an update changes."""
    placeholders = Placeholders(holder)
    readers = {
        "ConditionExpression": Expression.condition, "FilterExpression": Expression.condition, "UpdateExpression": Expression.update,
        "ProjectionExpression": Expression.projection, "KeyConditionExpression": lambda one: one.key_condition(partition, sort),
    }
    changed, found = [], False
    for member, read in readers.items():
        if member in holder:
            found = True
            out = read(Expression(member, holder[member], placeholders))
            changed = out if member == "UpdateExpression" else changed
    placeholders.finish(found)
    return changed

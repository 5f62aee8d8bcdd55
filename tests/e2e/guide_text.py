"""The operations guide's windows, replies and settings (tests/vectors/guide), cut into what can be run and compared. Nothing is corrected here."""
import json
import os
import re

from harness import SOURCE

GUIDE = os.environ.get("CC_GUIDE") or os.path.join(SOURCE, "tests", "vectors", "guide", "operations-guide.txt")


class Command:
    """One command of the guide, word for word, with its comments, and the replies printed behind it."""

    def __init__(self, line, text):
        self.line, self.text = line, text
        self.printed = []  # raw texts
        self.used = False

    def __repr__(self):
        return f"line {self.line}: {self.text}"


class Guide:
    def __init__(self):
        with open(GUIDE, encoding="utf-8") as source:
            self.text = source.read()
        self.lines = self.text.split("\n")
        self.commands, self.config, self.logs, self.http = [], [], [], []
        self._cut()

    def _cut(self):
        at = 0
        while at < len(self.lines):
            line = self.lines[at]
            if line == "Terminal window":
                at = self._shell(at + 1)
            elif line.startswith("{"):
                at, text = self._json(at)
                self._printed(text)
            elif re.match(r"(auth_policies|key_sources):$", line):
                at = self._config(at)
            elif re.match(r"(POST|DELETE|GET) /", line):
                self.http.append({"line": at + 1, "request": line, "bodies": []})
                at += 1
            else:
                if line.startswith("WARN "):
                    self.logs.append(line)
                at += 1

    def _shell(self, at):
        """A window may hold several commands; each ends where no line goes on."""
        current = []
        start = at
        while self.lines[at] and not self.lines[at].startswith("{"):
            line = self.lines[at]
            trailing_comment = line.startswith("#") and current and not current[-1].endswith("\\")
            if trailing_comment and self._next_is_command(at + 1):
                self.commands.append(Command(start + 1, "\n".join(current)))
                current, start = [], at
            current.append(line)
            at += 1
        self.commands.append(Command(start + 1, "\n".join(current)))
        return at

    def _next_is_command(self, at):
        return bool(self.lines[at]) and not self.lines[at].startswith(("#", "{"))

    def _json(self, at):
        text = ""
        while True:
            text += self.lines[at] + "\n"
            at += 1
            try:
                json.loads(text)
                return at, text.strip()
            except ValueError:
                continue

    def _printed(self, text):
        if self.http:
            self.http[-1]["bodies"].append(text)
        else:
            self.commands[-1].printed.append(text)

    def _config(self, at):
        block = []
        while self.lines[at] and re.match(r"[\w-]+:|- ", self.lines[at]):
            block.append(self.lines[at])
            at += 1
        self.config.append(block)
        return at

    # ---- asked by the test
    def command(self, *words, again=False):
        """The next command not used yet that holds all words; with again, one that was used."""
        for one in self.commands:
            if all(word in one.text for word in words) and one.used == again:
                one.used = True
                return one
        raise AssertionError(f"the guide has no {'used' if again else 'unused'} command with {words}")

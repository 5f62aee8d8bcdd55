"""What people see and type, as text: each file in sessions/ is a session at a real terminal, held against the screen to the letter.

A session file, line by line:
  # …                        a remark
  [operators a b, 2 of them] the signer is initialised with these operators; each one's token is in NAME_TOKEN
  [register a b]             they register, with the passphrase `correct horse battery NAME`
  [second signer]            one more signer, at http://second.example
  [setting YAML…]            a line more for the configuration of the signer (before it starts)
  [signer stopped], [restart], [wait STATE], [state STATE], [second stopped], [lapsed a]
  [window ROWSxCOLUMNS]      for the commands that follow
  [no terminal]              the next command has none, and nothing on stdin
  $ COMMAND                  typed at a shell; what follows up to [exit N] is the screen, whole
  «text»                     typed by the person once the terminal does not echo; the screen must not show it
  «^C»                       Ctrl and a letter
  …                          (alone or in a line) whatever varies
  [exit N]                   the command ends with this code, and the terminal is as it was before

SETUP_TOKEN, AUTH_TOKEN and NAME_TOKEN are in the environment. http://signer.example and http://second.example stand for the real addresses.
`test_sessions.py NAME…` runs only these.
"""
import glob
import json
import os
import re
import subprocess
import sys
import unittest

from harness import BINARY, PASSPHRASE, SignerTest, TOKENS
from terminal import Terminal

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sessions")
ADDRESSES = ("http://signer.example", "http://second.example")


class Session:
    def __init__(self, test, path):
        self.test, self.path = test, path
        self.settings, self.signers, self.tokens = "", [], {}
        self.window = (24, 100)
        self.terminal = True

    # ---- the world of the session
    def signer(self):
        while not self.signers:
            self.start_signer()
        return self.signers[0]

    def start_signer(self):
        self.signers.append(self.test.signer(extra=self.settings).start())
        os.makedirs(os.path.join(self.signers[0].folder, "bin"), exist_ok=True)
        program = os.path.join(self.signers[0].folder, "bin", "containment-chamber")
        if not os.path.exists(program):
            os.symlink(BINARY, program)

    def both_ways(self, text, to_real):
        for name, signer in zip(ADDRESSES, self.signers):
            text = text.replace(name, signer.url) if to_real else text.replace(signer.url, name)
        return text

    def environment(self):
        signer = self.signer()
        tokens = {f"{name.upper()}_TOKEN": token for name, token in self.tokens.items()}
        setup = re.findall(r"setup_token=(cc-setup-[\w-]+)", signer.log())
        return {**signer.environment, **tokens, "SETUP_TOKEN": setup[-1] if setup else "", "AUTH_TOKEN": TOKENS["CC_AUTH_TOKEN"],
                "PATH": os.path.join(signer.folder, "bin") + ":" + os.environ["PATH"]}

    def direct(self, words):
        verb, _, rest = words.partition(" ")
        if verb == "operators":
            names, threshold = re.fullmatch(r"([\w ]+), (\d+) of them", rest).groups()
            for signer in self.signers or [self.signer()]:
                self.tokens = signer.init_quorum(operators=tuple(names.split()), threshold=int(threshold))["operator_tokens"]
                signer.fresh_tokens = self.tokens
        elif verb == "register":
            for signer in self.signers:
                for name in rest.split():
                    signer.register(name, signer.fresh_tokens[name])
        elif verb == "setting":
            self.settings += rest.replace("\\n", "\n") + "\n"
        elif words == "second signer":
            self.signer()
            self.start_signer()
        elif words == "second stopped":
            self.signers[1].stop()
        elif words == "signer stopped":
            self.signer().stop()
        elif words == "restart":
            self.signer().restart()
        elif verb == "wait":
            for signer in self.signers:
                signer.wait_status(rest)
        elif verb == "state":
            self.test.assertEqual(self.signer().status(), rest, self.path)
        elif verb == "window":
            self.window = tuple(int(number) for number in rest.split("x"))
        elif words == "no terminal":
            self.terminal = False
        else:
            raise AssertionError(f"{self.path}: what is [{words}]?")

    # ---- commands
    def command(self, text, screen, code):
        self.signer()
        command = ["bash", "-c", self.both_ways(text, True)]
        if not self.terminal:
            self.terminal = True
            done = subprocess.run(command, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, start_new_session=True)
            self.compare(text, screen, done.stdout + done.stderr, code, done.returncode)
            return
        with Terminal(command, self.environment(), rows=self.window[0], columns=self.window[1]) as terminal:
            typed = []
            for before, answer in re.findall(r"([^\n»]*)«([^»]*)»", screen):
                terminal.expect(before)
                if answer.startswith("^"):
                    self.test.assertFalse(terminal.echoes() and before.strip(), f"{text}: the prompt is not quiet")
                    terminal.press(answer[1])
                else:
                    terminal.type(answer)
                    typed.append(answer)
            ended = terminal.end()
            for answer in typed:
                self.test.assertNotIn(answer, terminal.shown, "what was typed is on the screen")
            self.test.assertTrue(terminal.restored(), f"{text}: the terminal is not as it was")
            self.compare(text, screen, terminal.shown, code, ended)

    def compare(self, text, screen, shown, code, ended):
        wanted = re.sub("«[^»]*»", "", screen).rstrip("\n")
        shown = self.both_ways(shown, False)
        for name, token in self.tokens.items():
            shown = shown.replace(token, f"TOKEN-OF-{name.upper()}")
        shown = shown.rstrip("\n")
        pattern = "[^\n]*".join(re.escape(part) for part in wanted.split("…"))
        problem = "" if re.fullmatch(pattern, shown) and code == ended else (
            f"{os.path.basename(self.path)}: $ {text}\n--- expected, exit {code}\n{wanted}\n--- shown, exit {ended}\n{shown}\n")
        self.test.assertEqual(problem, "", problem)
        reply = shown[shown.find("{"):] if "{" in shown else ""
        try:
            self.tokens.update(json.JSONDecoder().raw_decode(reply)[0].get("operator_tokens", {}))
        except (ValueError, AttributeError):
            pass

    def run(self):
        with open(self.path, encoding="utf-8") as source:
            lines = source.read().split("\n")
        at = 0
        while at < len(lines):
            line = lines[at]
            at += 1
            if line.startswith("$ "):
                screen = []
                while not re.fullmatch(r"\[exit \d+\]", lines[at]):
                    screen.append(lines[at])
                    at += 1
                self.command(line[2:], "\n".join(screen), int(lines[at][6:-1]))
                at += 1
            elif line.startswith("["):
                self.direct(line.strip("[]"))
            elif line and not line.startswith("#"):
                raise AssertionError(f"{self.path}: what is {line!r}?")


class Sessions(SignerTest):
    """One test for each file; see below."""


class Terminals(SignerTest):
    """What a session file cannot say."""

    def asked(self):
        signer = self.signer().start()
        signer.enrolled()
        terminal = Terminal([BINARY, "operator", "unseal", "--operator", "alice", "--signer-url", signer.url], signer.environment)
        self.addCleanup(terminal.close)
        terminal.expect("Passphrase of alice: ")
        return signer, terminal

    def test_a_terminal_that_goes_away_ends_the_command_and_nothing_was_sent(self):
        signer, terminal = self.asked()
        terminal.hang_up()
        self.assertNotEqual(terminal.process.wait(timeout=60), 0)
        self.assertEqual(signer.status(), "kms_unsealed")

    def test_a_line_that_the_terminal_cut_is_not_taken_for_the_passphrase(self):
        signer, terminal = self.asked()
        terminal.type(5000 * "x")
        self.assertEqual(terminal.end(), 2, terminal.shown)
        self.assertIn("may have cut this one; pass --passphrase-stdin", terminal.shown)
        self.assertTrue(terminal.restored())
        # By stdin a passphrase is as long as one likes.
        long = 60_000 * "y"
        signer.operator("credentials", "add", "--operator", "alice", "--existing-credential-id", "password-1", "--new-credential-id", "long", "--passphrase-stdin",
                        stdin=PASSPHRASE.format("alice") + "\n" + long + "\n")
        self.assertEqual(json.loads(signer.unseal("alice", long)[1])["status"], "unsealed")


class Driver(SignerTest):
    """The driver finds what it is for."""

    def write(self, text):
        path = os.path.join(self.signer().folder, "session.txt")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def refused(self, text, words):
        with self.assertRaisesRegex(AssertionError, words):
            Session(self, self.write(text)).run()

    def test_a_planted_echo_a_changed_screen_and_a_broken_terminal_are_found(self):
        self.refused("$ stty -echo; printf 'Passphrase: '; read x; stty echo; echo $x\nPassphrase: «a secret»\na secret\n[exit 0]\n", "on the screen")
        self.refused("$ echo something else\nsomething\n[exit 0]\n", "something else")
        self.refused("$ exit 3\n\n[exit 0]\n", "shown, exit 3")
        self.refused("$ stty -echo\n\n[exit 0]\n", "not as it was")
        self.refused("$ printf 'Passphrase: '; read x\nPassphrase: «^D»\n[exit 1]\n", "not quiet")


def add(path):
    name = os.path.splitext(os.path.basename(path))[0]
    setattr(Sessions, "test_" + name, lambda self: Session(self, path).run())
    return name


for found in sorted(glob.glob(os.path.join(FOLDER, "*.txt"))):
    add(found)

if __name__ == "__main__":
    chosen = [f"Sessions.test_{name}" for name in sys.argv[1:]]
    unittest.main(verbosity=1, argv=[sys.argv[0], *chosen])

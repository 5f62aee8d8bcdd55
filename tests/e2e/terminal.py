"""A person at a terminal: a program on a pty of its own, what it shows, and what is typed. Standard library only."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

PATIENCE = 60  # seconds; a machine may be slow


class Terminal:
    """One program with stdin, stdout and stderr on a terminal that is its controlling one."""

    def __init__(self, command, environment, folder=None, rows=24, columns=100, output_to_terminal=True):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        out = None if output_to_terminal else subprocess.PIPE
        # A new session whose controlling terminal is the pty (TIOCSCTTY).
        self.process = subprocess.Popen(command, stdin=slave, stdout=out or slave, stderr=slave, env={**environment, "TERM": "xterm"}, cwd=folder,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.shown = ""
        self.seen = 0  # how far expectations have come

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, seconds):
        """False at the end of what will ever come."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.shown += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)

    def expect(self, text, pattern=False):
        """Waits until the text (or a match) is shown behind what was expected before; returns the match."""
        wanted = re.compile(text if pattern else re.escape(text))
        end = time.monotonic() + PATIENCE
        alive = True
        while True:
            found = wanted.search(self.shown, self.seen)
            if found:
                self.seen = found.end()
                return found
            if not alive or time.monotonic() > end:
                raise AssertionError(f"expected {text!r}, but the terminal shows:\n{self.shown[self.seen:]}")
            alive = self._read(0.2)

    def echoes(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def type(self, text, hidden=True, enter=True):
        """Types a line. A hidden one is typed once the terminal does not echo any more."""
        end = time.monotonic() + PATIENCE
        while hidden and self.echoes():
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("the terminal still echoes; a secret would be shown:\n" + self.shown)
            self._read(0.02)
        os.write(self.master, (text + ("\n" if enter else "")).encode())

    def press(self, key):
        """Ctrl and a letter."""
        self._read(0.05)
        os.write(self.master, bytes([ord(key.upper()) & 0x1F]))

    def end(self):
        """Reads until the program ends; returns its exit code (128 + signal, as a shell has it)."""
        end = time.monotonic() + PATIENCE
        while self._read(0.1) and (self.process.poll() is None or select.select([self.master], [], [], 0)[0]):
            if time.monotonic() > end:
                os.killpg(self.process.pid, signal.SIGKILL)
                raise AssertionError("the program does not end; the terminal shows:\n" + self.shown)
        code = self.process.wait(timeout=PATIENCE)
        return code if code >= 0 else 128 - code

    def restored(self):
        """Whether the terminal is as it was before the program came."""
        return termios.tcgetattr(self.master) == self.before

    def hang_up(self):
        """The window is closed, or the line lost."""
        os.close(self.master)
        self.master = None

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.master is not None:
            os.close(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

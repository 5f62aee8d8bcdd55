"""YubiKeys made of software behind the real smart-card service: pcscd with Debian's vpcd driver.

pcscd has one fixed socket and vpcd listens on all addresses, so both run in a mount and a network namespace of their own
(`unshare`): nothing outside can connect to the driver, and several runs do not meet. The socket is reached from outside
through /proc/PID/root. This file is both sides: imported, it starts itself inside the namespaces and gives it commands.
Standard library only.
"""
import ctypes
import fcntl
import hashlib
import hmac
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
PORT = 35963
SLOTS = 2


# ---- inside the namespaces
class Card:
    """The OTP application of a YubiKey in one slot of the driver."""

    def __init__(self, slot, options):
        self.secret = bytes.fromhex(options["secret"])
        self.serial = options.get("serial", 1000 + slot)
        self.touch = options.get("touch", False)
        self.slot2 = options.get("slot2", True)
        self.vanishes = options.get("vanishes", False)  # pulled out when it is asked
        self.other = options.get("other", False)  # some other card
        self.touched = threading.Event()
        self.powered = threading.Event()
        self.link = socket.create_connection(("127.0.0.1", PORT + slot), timeout=30)
        self.link.settimeout(None)
        threading.Thread(target=self.serve, daemon=True).start()

    def take(self, size):
        out = b""
        while len(out) < size:
            more = self.link.recv(size - len(out))
            if not more:
                raise EOFError
            out += more
        return out

    def send(self, message):
        self.link.sendall(struct.pack(">H", len(message)) + message)

    def serve(self):
        try:
            while True:
                message = self.take(struct.unpack(">H", self.take(2))[0])
                if len(message) > 1:
                    self.send(self.answer(message))
                elif message == b"\x04":  # answer to reset
                    self.send(bytes.fromhex("3bf81300008131fe15597562696b657934d4"))
                elif message == b"\x01":
                    self.powered.set()
        except (EOFError, OSError):
            pass

    def pull_out(self):
        self.touched.set()
        try:
            self.link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.link.close()

    def answer(self, command):
        instruction, slot_command = command[1], command[2]
        if instruction == 0xA4:
            known = command[5:5 + command[4]] == bytes.fromhex("a0000005272001") and not self.other
            level = (2 if self.slot2 else 0) | (8 if self.touch else 0)
            return bytes([5, 4, 3, 7, level, 0, 0x90, 0]) if known else b"\x6a\x82"
        if instruction != 1 or self.other:
            return b"\x6d\x00"
        if slot_command == 0x10:
            return struct.pack(">I", self.serial) + b"\x90\x00"
        if slot_command != 0x38 or command[4] != 64 or len(command) != 5 + 64:
            return b"\x6a\x86"
        if self.vanishes:
            self.pull_out()
            raise EOFError
        if not self.slot2:
            return b"\x69\x85"
        if self.touch and not self.touched.wait(60):
            return b"\x69\x85"
        self.touched.clear()
        frame = command[5:]
        return hmac.new(self.secret, frame.rstrip(frame[-1:]), hashlib.sha1).digest() + b"\x90\x00"


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def start_service(folder):
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.mkdir("/run/pcscd")
    readers = os.path.join(folder, "readers")
    os.mkdir(readers)
    with open(os.path.join(readers, "vpcd"), "w", encoding="utf-8") as out:
        out.write(f'FRIENDLYNAME "Virtual YubiKey"\nDEVICENAME /dev/null:0x{PORT:04X}\nLIBPATH {DRIVER}\nCHANNELID 0x{PORT:04X}\n')
    log = open(os.path.join(folder, "pcscd.log"), "w", encoding="utf-8")
    return subprocess.Popen(["pcscd", "--foreground", "--info", "--config", readers], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            preexec_fn=die_with_parent)


def inside(folder):
    die_with_parent()
    loopback_up()
    service = start_service(folder)
    end = time.monotonic() + 60
    while not os.path.exists("/run/pcscd/pcscd.comm") and service.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    print(json.dumps({"ready": os.path.exists("/run/pcscd/pcscd.comm")}), flush=True)
    cards = {}
    for line in sys.stdin:
        order = json.loads(line)
        slot = order.get("slot", 0)
        if order["do"] == "plug":
            cards[slot] = Card(slot, order)
            reply = cards[slot].powered.wait(60)
        elif order["do"] == "pull":
            cards.pop(slot).pull_out()
            reply = True
        elif order["do"] == "touch":
            cards[slot].touched.set()
            reply = True
        elif order["do"] == "stop-service":
            service.kill()
            service.wait()
            os.unlink("/run/pcscd/pcscd.comm")
            reply = True
        print(json.dumps({"done": reply}), flush=True)
    service.kill()
    service.wait()


# ---- outside
class NoNamespaces(Exception):
    """This machine does not let this user make namespaces."""


def namespaces():
    """The words before a command that give it namespaces of its own: as root, or as root of a user namespace."""
    for words in (["unshare", "--mount", "--net"], ["unshare", "--map-root-user", "--mount", "--net"]):
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    raise NoNamespaces("unshare --mount --net is refused, for root and in a user namespace")


class Desk:
    """A desk with a smart-card service and slots for two keys."""

    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen([*namespaces(), sys.executable, "-B", os.path.abspath(__file__), folder], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        answer = self.process.stdout.readline()
        if not answer or not json.loads(answer)["ready"]:
            self.close()
            raise AssertionError("pcscd did not start:\n" + self.log())
        # What any PC/SC program is told by, to find the service.
        self.environment = {"PCSCLITE_CSOCK_NAME": f"/proc/{self.process.pid}/root/run/pcscd/pcscd.comm"}

    def log(self):
        try:
            with open(os.path.join(self.folder, "pcscd.log"), encoding="utf-8", errors="replace") as text:
                return text.read()
        except FileNotFoundError:
            return ""

    def order(self, do, **more):
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer and json.loads(answer)["done"], f"{do}: {answer}\n{self.log()}"

    def plug(self, secret, slot=0, **options):
        self.order("plug", slot=slot, secret=secret.hex(), **options)

    def pull(self, slot=0):
        """Returns when the service has seen it: a key plugged in sooner would be the old one to it, and never be powered."""
        words = f"Card Removed From Virtual YubiKey 00 {slot:02X}"
        before = self.log().count(words)
        self.order("pull", slot=slot)
        end = time.monotonic() + 60
        while self.log().count(words) == before:
            assert time.monotonic() < end, "pcscd did not notice that the key is gone:\n" + self.log()
            time.sleep(0.02)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


if __name__ == "__main__":
    inside(sys.argv[1])

#!/usr/bin/env python3
"""./dev devnet: a real consensus chain on loopback whose validators sign through our signer only.

Exit codes: 0 all held, 1 something did not, 2 called wrongly or the consensus client cannot be installed.
"""
import argparse
import io
import os
import shutil
import signal
import sys
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "..", "..", "build")


def arguments():
    parser = argparse.ArgumentParser(prog="./dev devnet", description="Runs a consensus chain that signs through the signer.")
    parser.add_argument("scenario", nargs="*", help="keymanager, finality, rivals, crash, seal, two-signers; all of them when none is named")
    parser.add_argument("--keys", type=int, default=16, help="validators; 8, 16, 32 or 64 (default 16)")
    parser.add_argument("--slot-seconds", type=int, default=2, help="whole seconds (default 2)")
    options = parser.parse_args()
    if options.keys not in (8, 16, 32, 64) or options.slot_seconds < 1:
        parser.error("--keys is 8, 16, 32 or 64; --slot-seconds at least 1")
    return parser, options


def run(name, scenario, expected, options, folder):
    """One scenario; True when it held. Logs stay in FOLDER only when it did not."""
    print(f"\n── {name}: {scenario.__doc__.splitlines()[0]}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    began = time.monotonic()
    try:
        scenario(options, folder)
    except Exception as error:  # one broken run must not hide the others
        if not isinstance(error, expected):
            traceback.print_exc(file=sys.stdout)
        print(f"   FAILED: {error}\n   logs of the clients: {os.path.relpath(folder)}", flush=True)
        return False
    shutil.rmtree(folder)
    print(f"   held, {time.monotonic() - began:.0f} s", flush=True)
    return True


def checks_find_planted_faults():
    tests = unittest.defaultTestLoader.discover(HERE)
    print(f"the checks of the evidence: {tests.countTestCases()} self-tests", flush=True)
    return unittest.TextTestRunner(verbosity=0, stream=io.StringIO()).run(tests).wasSuccessful()


def main():
    parser, options = arguments()
    os.environ.setdefault("CC_BINARY", os.path.join(BUILD, "release", "containment-chamber"))
    import lodestar
    from scenarios import SCENARIOS, Failed

    unknown = [name for name in options.scenario if name not in SCENARIOS]
    if unknown:
        parser.error(f"unknown scenario {unknown[0]}; there are {', '.join(SCENARIOS)}")
    chosen = options.scenario or list(SCENARIOS)
    if not checks_find_planted_faults():
        print("devnet: not run: the checks themselves are broken")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("devnet: interrupted"))  # runs the clean-up of whatever is running
    try:
        options.entry = lodestar.install(os.path.join(BUILD, "devnet"))
    except lodestar.Unavailable as reason:
        print(f"devnet: not run: {reason}")
        return 2
    held = [name for name in chosen if run(name, SCENARIOS[name], Failed, options, os.path.join(BUILD, "devnet-run", name))]
    failed = [name for name in chosen if name not in held]
    print(f"\ndevnet: {len(held)} passed, {len(failed)} failed" + (f" ({', '.join(failed)})" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""run-host-tests.py - run the cmocka binaries given as arguments and add up their results.

Prints one line for each binary, the whole output of those that failed, and at the end
`host: N passed, N failed`.  A binary that is missing (it did not compile), crashes, or hangs
counts as one failure.  Exit status 1 if anything failed.
"""

import concurrent.futures
import os
import re
import subprocess
import sys

TIMEOUT_S = 120


def run(path):
    """Return (path, passed, failed, text to show or None)."""
    if not os.path.exists(path):
        return path, 0, 1, "was not built"
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="stdout", UBSAN_OPTIONS="print_stacktrace=1",
               ASAN_OPTIONS="detect_leaks=1:abort_on_error=0")
    try:
        done = subprocess.run([os.path.abspath(path)], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S,
                              check=False)
    except subprocess.TimeoutExpired as hung:
        text = (hung.stdout or b"").decode(errors="replace")
        return path, 0, 1, f"{text}\nno end within {TIMEOUT_S} s"
    text = done.stdout.decode(errors="replace")
    passed = len(re.findall(r"^\[       OK \]", text, re.M))
    failed = len(set(re.findall(r"^\[  FAILED  \] (\w+)$", text, re.M)))
    if done.returncode != 0 and failed == 0:
        failed = 1  # a sanitizer or a signal ended it
    if done.returncode == 0 and passed == 0:
        failed, text = 1, text + "\nno test ran"
    return path, passed, failed, text if failed else None


def main():
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, good, bad, text in pool.map(run, sys.argv[1:]):
            passed += good
            failed += bad
            print(f"  {os.path.basename(path)}: {good} passed, {bad} failed")
            if text:
                print("    " + text.strip().replace("\n", "\n    "))
    print(f"host: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

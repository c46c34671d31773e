#!/usr/bin/env python3
"""run.py - all tests of MinOS, tier by tier: `make test`.

usage: run.py [WORD]	(only boot tests whose name contains WORD, and no other tier)

Tiers: host (cmocka programs on this machine), kernel and user (self-tests inside one VM each),
boot (pytest with QEMU; several files at a time).  Prints a line for each tier and, as the very
last line, `N passed, N failed`; exit status 1 if anything failed.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAKE = os.environ.get("MAKE", "make")
PYTHON = os.environ.get("PYTHON", sys.executable)
FILE_TIMEOUT_S = 1200
# Two at a time on two CPUs: each VM keeps one busy.
WORKERS = int(os.environ.get("TEST_JOBS", 0)) or max(2, min(4, os.cpu_count() or 2))


def environment():
    """Ours, for a make of its own: variables given to `make test` stay, its job server does not."""
    given = os.environ.get("MAKEFLAGS", "").partition(" -- ")[2]
    return {**os.environ, "MAKEFLAGS": f"-j{os.cpu_count() or 2}" + (f" -- {given}" if given else "")}


def capture(argv, timeout=FILE_TIMEOUT_S):
    """Run to the end; returns (exit status, output)."""
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment()) as process:
        try:
            out, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            out += f"\nended after {timeout} s\n".encode()
            return 1, out.decode(errors="replace")
    return process.returncode, out.decode(errors="replace")


def build():
    status, text = capture([MAKE, "--no-print-directory", "all", "floppy"])
    if status:
        print(text)
        print("build: 0 passed, 1 failed")
    return status == 0


def host_tier():
    status, text = capture([MAKE, "--no-print-directory", "host-test"])
    counts = re.findall(r"^host: (\d+) passed, (\d+) failed$", text, re.M)
    passed, failed = map(int, counts[-1]) if counts else (0, 1)
    if status and not failed:
        failed = 1
    return passed, failed, text if failed else ""


def selftest_tiers():
    """One VM runs all self-tests; they are reported as two tiers.  Returns {tier: result}."""
    status, text = capture([PYTHON, "tests/boot/selftest.py"])
    results = {}
    for tier in ("kernel", "user"):
        counts = re.findall(rf"^{tier}: (\d+) passed, (\d+) failed$", text, re.M)
        passed, failed = map(int, counts[-1]) if counts else (0, 1)
        results[tier] = passed, failed, ""
    bad = sum(result[1] for result in results.values())
    if status and not bad:
        results["kernel"] = results["kernel"][0], 1, ""
    if status:
        print(text)
    return results


def pytest_file(path, word):
    argv = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "--color=no",
            "--durations=3", path]
    status, text = capture(argv + (["-k", word] if word else []))
    passed = sum(map(int, re.findall(r"(\d+) passed", text.rsplit("\n", 2)[-2])))
    failed = sum(map(int, re.findall(r"(\d+) (?:failed|error)", text.rsplit("\n", 2)[-2])))
    if status == 5 and word:
        return 0, 0, ""  # nothing of that name in this file
    if status and not failed:
        failed = 1
    return passed, failed, text if failed else ""


def boot_tier(word):
    folder = os.path.join(ROOT, "tests/boot")
    files = [os.path.join(folder, f) for f in os.listdir(folder)
             if f.startswith("test_") and f.endswith(".py")]
    # The longest first, so that no worker is left alone with one at the end.
    files.sort(key=lambda f: (not f.endswith("test_matrix.py"), -os.path.getsize(f)))
    total_passed = total_failed = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        running = {pool.submit(pytest_file, f, word): f for f in files}
        for done in concurrent.futures.as_completed(running):
            passed, failed, text = done.result()
            name = os.path.basename(running[done])
            if passed or failed:
                print(f"  {name}: {passed} passed, {failed} failed", flush=True)
            if text:
                print(text, flush=True)
            total_passed += passed
            total_failed += failed
    return total_passed, total_failed, ""


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else None
    if not build():
        print("0 passed, 1 failed")
        return 1
    totals = [0, 0]

    def report(name, result, since):
        passed, failed, text = result
        if text:
            print(text)
        print(f"{name}: {passed} passed, {failed} failed ({time.monotonic() - since:.0f} s)",
              flush=True)
        totals[0] += passed
        totals[1] += failed

    if not word:
        start = time.monotonic()
        report("host", host_tier(), start)
        start = time.monotonic()
        for tier, result in selftest_tiers().items():
            report(tier, result, start)
    start = time.monotonic()
    report("boot", boot_tier(word), start)
    print(f"{totals[0]} passed, {totals[1]} failed")
    return 1 if totals[1] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main())

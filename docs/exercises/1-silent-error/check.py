#!/usr/bin/env python3
"""check.py - exercise 1: does the boot sector notice when the BIOS reports a read error?"""

import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checklib import Erring, expect, main, reaches_prompt, vm  # noqa: E402

COMPLAINT = "bad MinOS stage2"
CUT_AT = 100 * 512  # in front of stage 2


def good_bios():
    """it boots where the BIOS makes no mistake"""
    with vm.Machine() as m:
        text = reaches_prompt(m, COMPLAINT)
    expect("copy A" in text, "stage 2 from copy A", text.split("\n")[0])


def small_transfers():
    """it boots where the BIOS reads at most 17 sectors at a time (MAX_SECTORS=17)"""
    with Erring("MAX_SECTORS=17") as m:
        text = reaches_prompt(m, COMPLAINT)
    expect("copy A" in text, "stage 2 from copy A: nothing is wrong with it", text.split("\n")[0])


def one_failure():
    """a read that fails once is tried again (FAIL_FIRST=1)"""
    with Erring("FAIL_FIRST=1") as m:
        text = reaches_prompt(m, COMPLAINT)
    expect("copy A" in text, "stage 2 from copy A: only the first attempt to read it failed",
           text.split("\n")[0])


def by_track():
    """it boots without extended reads, 5 sectors at a time (NO_EDD, MAX_SECTORS=5)"""
    with Erring("NO_EDD", "MAX_SECTORS=5") as m:
        reaches_prompt(m, COMPLAINT)


def one_sector_at_a_time():
    """it boots where only single sectors can be read (MAX_SECTORS=1)"""
    with Erring("MAX_SECTORS=1") as m:
        reaches_prompt(m, COMPLAINT)


def unreadable():
    """a disk that ends in front of stage 2 is called unreadable, not damaged"""
    folder = tempfile.mkdtemp(prefix="minos-exercise-")
    try:
        image = os.path.join(folder, "cut.img")
        with open(vm.IMAGE, "rb") as whole, open(image, "wb") as cut:
            cut.write(whole.read(CUT_AT))
        with vm.Machine(image) as m:
            said = m.expect(r"(I/O )?bad MinOS stage2 LBA 128: renew").group().decode()
    finally:
        shutil.rmtree(folder)
    expect(said.startswith("I/O "), '"I/O bad MinOS ...": nothing could be read', said)


if __name__ == "__main__":
    main(good_bios, small_transfers, one_failure, by_track, one_sector_at_a_time, unreadable)

"""exercise_wrong.py - nearly right solutions, which the checks of the exercises must refuse.

Each is a list of (file, text in the exercise's tree, text instead), and what the check says.
"""

# --- 1: the carry flag ----------------------------------------------------------------------------
STAGE1 = "boot/stage1.asm"
LATE = "\tadd\tax, cx\n\tsub\tdi, cx\n\tjc\t.failed\n"
BETWEEN = [(STAGE1, LATE, "\tadd\tax, cx\n\tjc\t.failed\n\tsub\tdi, cx\n")]
# Some bytes longer, which the message must give.
SINGLE_SECTORS = [(STAGE1, "\tmov\tsi, di\n.more:", "\tmov\tsi, 1\n.more:"),
                  (STAGE1, " LBA 128: renew", "")]

# --- 2: address line 20 ---------------------------------------------------------------------------
A20 = "boot/stage2/a20.c"
PORT92 = (A20, "/* Exercise 2, part one. */",
          "uint8_t v = inb(0x92);\n\n\tif (v != 0xff && !(v & 2))\n\t\toutb(0x92, (v | 2) & ~1);")
UNBOUNDED = """uint8_t v;

	while (inb(0x64) & 2)
		io_wait();
	outb(0x64, 0xad);
	while (inb(0x64) & 2)
		io_wait();
	outb(0x64, 0xd0);
	while (!(inb(0x64) & 1))
		io_wait();
	v = inb(0x60);
	while (inb(0x64) & 2)
		io_wait();
	outb(0x64, 0xd1);
	while (inb(0x64) & 2)
		io_wait();
	outb(0x60, v | 2);
	while (inb(0x64) & 2)
		io_wait();
	outb(0x64, 0xae);"""
FOR_EVER = [PORT92, (A20, "/* Exercise 2, part two. */", UNBOUNDED)]
KEYBOARD_OFF = [PORT92, (A20, "/* Exercise 2, part two. */",
                         UNBOUNDED.replace("outb(0x64, 0xae);", ";"))]

# --- 3: long mode ---------------------------------------------------------------------------------
LONGMODE, ENTRY = "boot/stage2/longmode.asm", "boot/stage2/entry.asm"
LME = "\tmov\tecx, MSR_EFER\n\trdmsr\n\tor\teax, 1 << 8\t\t\t; LME\n\twrmsr\n"
PG = ("\tmov\tebx, [esp + 8]\n\tmov\teax, cr0\n\tor\teax, 1 << 31\t\t\t; PG\n\tmov\tcr0, eax\n")
ORDER = (LONGMODE, PG + LME, LME + PG)
ONE_OF_TWO = [ORDER]
L_AND_D = [ORDER, (ENTRY, "00CF9B000000FFFFh\t\t; CODE64", "00EF9B000000FFFFh\t\t; CODE64")]

# --- 4: the memory map ----------------------------------------------------------------------------
SORT_AND_CUT = [("boot/stage2/e820.c", "\treturn count;\n", """
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k > 0 && out[k].start < out[k - 1].start; k--) {
			const struct boot_mem low = out[k];

			out[k] = out[k - 1];
			out[k - 1] = low;
			*quirks |= BOOT_QUIRK_MAP_OVERLAP;
		}
	for (size_t i = 1; i < count; i++)
		if (out[i - 1].start + out[i - 1].size > out[i].start)
			out[i - 1].size = out[i].start - out[i - 1].start;
	return count;
""")]

# --- 5: finding a frame ---------------------------------------------------------------------------
PMM = "mm/pmm_bits.c"
SCAN = """	while (r->level[0][word] == 0)
		word++;
	return word / 4096;
"""
NEXT_FIT = [(PMM, SCAN, """	static size_t last;
	const size_t nr = BITMAP_WORDS(r->nr);

	for (word = last % nr; r->level[0][word] == 0;)
		word = (word + 1) % nr;
	last = word;
	return word / 4096;
""")]
TWO_LEVELS = [(PMM, SCAN, """	while (r->level[1][word] == 0)
		word++;
	return word / 64;
""")]

# --- 6: the lost wake -----------------------------------------------------------------------------
WAIT = "kernel/wait.c"
SLEEP = "\treturn sched_sleep(deadline_ns, true);\n"
SCHED_CLEAR = ("kernel/sched.c", "\tt->woken = false;\n\tif (killable && t->kill_pending)",
               "\tif (t->woken)\n\t\treturn 0;\n\tif (killable && t->kill_pending)")
LOOK_AGAIN = [(WAIT, SLEEP, """	const uint64_t soon = clock_ns() + 10 * NS_PER_MS;
	const int result = sched_sleep(deadline_ns < soon ? deadline_ns : soon, true);

	return result == -ETIMEDOUT && clock_ns() < deadline_ns ? 0 : result;
""")]
CLEAR_LATER = [SCHED_CLEAR, (WAIT, SLEEP, "\tthread_self()->woken = false;\n" + SLEEP)]

# {number: (what the check says of the exercise itself, [(solution, what the check says of it)])}
EXPECTED = {
    "1": (r"\[FAIL\] it boots .*MAX_SECTORS=17\)(.|\n)*bad MinOS stage2",
          [(BETWEEN, r"\[FAIL\] it boots .*MAX_SECTORS=17"),
           (SINGLE_SECTORS, r"\[ok\] it boots .*SECTORS=17\)\n\[FAIL\] a read that fails once")]),
    "2": (r"\[FAIL\] part one(.|\n)*address line A20 stays off",
          [([PORT92], r"\[ok\] part one.*\n\[FAIL\] part two(.|\n)*stays off"),
           (KEYBOARD_OFF, r"\[FAIL\] part two(.|\n)*the keyboard is on again"),
           (FOR_EVER, r"\[ok\] part two.*\n\[FAIL\] both parts(.|\n)*i8042=off(.|\n)*for ever")]),
    "3": (r"\[FAIL\] the machine reaches the prompt(.|\n)*reset after \"jump to",
          [(ONE_OF_TWO, r"reset after \"jump to"),
           (L_AND_D, r"\[FAIL\] the code segment(.|\n)*L=1 D=1")]),
    "4": (r"\[ok\] a map that was good.*\n\[FAIL\] a map that is unsorted and overlaps",
          [(SORT_AND_CUT, r"\[FAIL\] a map that is unsorted and overlaps")]),
    "5": (r"\[ok\] the allocator(.|\n)*\[FAIL\] taking all memory(.|\n)*instructions per frame",
          [(NEXT_FIT, r"\[ok\] taking all(.|\n)*\[FAIL\] no single (.|\n)*basic blocks with"),
           (TWO_LEVELS, r"\[ok\] taking all(.|\n)*\[FAIL\] no single (.|\n)*basic blocks with")]),
    "6": (r"\[FAIL\] the kernel's self-tests(.|\n)*\[FAIL\] wait.no_lost_wake",
          [(LOOK_AGAIN, r"\[ok\] the kernel's self-tests.*\n\[FAIL\] keys (.|\n)*8 of them unread"),
           (CLEAR_LATER, r"\[FAIL\] (the kernel's self-tests|keys )")]),
}

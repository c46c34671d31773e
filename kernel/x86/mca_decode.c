/*
 * mca_decode.c - a machine-check status in words.  Pure.
 *
 * Spec: Intel SDM vol. 3B, "Interpreting the MCA Error Codes": "Simple Error Codes", "Compound
 * Error Codes"; "IA32_MCG_STATUS MSR".
 */
#include <x86/mca.h>
#include <lib/printf.h>

#define CODE_FILTERED BIT(12) /* says how corrected errors are counted; not part of the kind */

static const char *const transaction[] = {"instruction", "data", "generic", "unknown"}; /* TT */
static const char *const level[] = {"level 0", "level 1", "level 2", "any level"};	/* LL */

/* RRRR */
static const char *
request(unsigned r)
{
	static const char *const names[] = {"error",	 "read",       "write",
					    "data read", "data write", "instruction fetch",
					    "prefetch",	 "eviction",   "snoop"};

	return r < ARRAY_SIZE(names) ? names[r] : "unknown request";
}

static const char *
simple(unsigned code)
{
	switch (code) {
	case 0: return "no error";
	case 1: return "unclassified";
	case 2: return "microcode ROM parity";
	case 3: return "external error (BINIT#)";
	case 4: return "functional redundancy check";
	case 5: return "internal parity";
	case 6: return "SMM handler code access violation";
	case 0x400: return "internal timer";
	case 0xe0b: return "I/O error";
	default: return code & 0x400 ? "internal unclassified" : "unknown code";
	}
}

/* 1MMM CCCC */
static int
memory_controller(unsigned code, char *buf, size_t size)
{
	static const char *const what[] = {"generic", "read",  "write", "address or command",
					   "scrub",   "other", "other", "other"};
	const unsigned channel = code & 15;

	if (channel == 15)
		return snprintf(buf, size, "memory controller: %s", what[(code >> 4) & 7]);
	return snprintf(buf, size, "memory controller: %s, channel %u", what[(code >> 4) & 7],
			channel);
}

/* 1PPT RRRR IILL */
static int
bus(unsigned code, char *buf, size_t size)
{
	static const char *const who[] = {"own request", "response", "observed", "generic"};
	static const char *const where[] = {"memory", "reserved", "I/O", "other"};

	return snprintf(buf, size, "bus: %s, %s, %s, %s%s", who[(code >> 9) & 3],
			request((code >> 4) & 15), where[(code >> 2) & 3], level[code & 3],
			code & BIT(8) ? ", timed out" : "");
}

static int
kind(unsigned code, char *buf, size_t size)
{
	const char *tt = transaction[(code >> 2) & 3], *ll = level[code & 3];

	if ((code & 0xf800) == 0x0800 && code != 0xe0b)
		return bus(code, buf, size);
	if ((code & 0xff80) == 0x0080 || (code & 0xff80) == 0x0280)
		return memory_controller(code, buf, size);
	if ((code & 0xff00) == 0x0100)
		return snprintf(buf, size, "%s cache: %s, %s", tt, request((code >> 4) & 15), ll);
	if ((code & 0xfff0) == 0x0010)
		return snprintf(buf, size, "%s TLB, %s", tt, ll);
	if ((code & 0xfffc) == 0x000c)
		return snprintf(buf, size, "cache, %s", ll);
	return snprintf(buf, size, "%s", simple(code));
}

int
mca_describe(uint64_t status, char *buf, size_t size)
{
	char what[80];

	(void)kind((unsigned)(status & 0xffff & ~CODE_FILTERED), what, sizeof(what));
	return snprintf(buf, size, "%s%s%s, %s",
			status & MC_STATUS_UC ? "uncorrected" : "corrected",
			status & MC_STATUS_PCC ? ", processor context corrupt" : "",
			status & MC_STATUS_OVER ? ", others lost" : "", what);
}

int
mca_describe_global(uint64_t status, char *buf, size_t size)
{
	return snprintf(buf, size, "%s, %s",
			status & MCG_STATUS_RIPV ? "restartable" : "not restartable",
			status & MCG_STATUS_EIPV ? "rip is where it happened"
						 : "rip has nothing to do with it");
}

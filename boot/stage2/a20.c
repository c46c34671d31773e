/*
 * a20.c - address line 20: off on many PCs after reset, so that 1 MiB wraps to 0 as on an 8086.
 *
 * Every known switch is tried, from the most to the least civil, and after each the line is tested
 * by memory, never believed.  Spec: IBM PS/2 Hardware Interface Technical Reference, "System
 * Control Port A", "Keyboard/Auxiliary Device Controller".
 */
#include "bios.h"
#include "stage2.h"
#include "x86.h"

#define PORT92	     0x92
#define PORT92_A20   0x02
#define PORT92_RESET 0x01
#define PORTEE	     0xee
#define KBC_DATA     0x60
#define KBC_STATUS   0x64
#define KBC_OUT_FULL 0x01
#define KBC_IN_FULL  0x02
#define KBC_TIMEOUT  100000 /* polls of about 1 us */
#define SETTLE_TESTS 32	    /* about 1 us apart */

/* Compare a dword with the one 1 MiB above it; with the line off they are the same one. */
static bool
lines_differ(void)
{
	static volatile uint32_t low;
	const volatile uint32_t *high = (uint32_t *)((uint32_t)&low + 0x100000);

	low = ~*high;
	return low != *high && !TEST_STUCK;
}

/* A switch may take a while to show. */
static bool
a20_comes_on(void)
{
	for (uint32_t i = 0; i < SETTLE_TESTS; i++) {
		if (lines_differ())
			return true;
		io_wait();
	}
	return false;
}

static void
a20_nothing(void)
{
}

static void
a20_bios(void)
{
	struct bios_regs r = {.eax = 0x2401};

	bios_int(0x15, &r);
}

static void
a20_port92(void)
{
	const uint8_t v = inb(PORT92);

	if (v != 0xff && !(v & PORT92_A20)) /* FFh: no such port */
		outb(PORT92, (uint8_t)((v | PORT92_A20) & ~PORT92_RESET));
}

/* Wait until the controller takes a byte.  False: there is none, or it hangs. */
static bool
kbc_ready(void)
{
	for (uint32_t i = 0; i < KBC_TIMEOUT; i++) {
		const uint8_t status = inb(KBC_STATUS);

		if (status == 0xff)
			return false;
		if (!(status & KBC_IN_FULL))
			return true;
		if (status & KBC_OUT_FULL)
			(void)inb(KBC_DATA);
		io_wait();
	}
	return false;
}

static bool
kbc_command(uint8_t command)
{
	if (!kbc_ready())
		return false;
	outb(KBC_STATUS, command);
	return true;
}

/* Set bit 1 (A20) of the controller's output port; a 0 in bit 0 would reset the machine. */
static void
a20_kbc(void)
{
	uint32_t polls = KBC_TIMEOUT;
	uint8_t out;

	if (!kbc_command(0xad)) /* keyboard off, so that no key comes in between */
		return;
	if (!kbc_command(0xd0)) /* read output port */
		return;
	while (polls > 0 && !(inb(KBC_STATUS) & KBC_OUT_FULL))
		polls--;
	out = polls > 0 ? inb(KBC_DATA) : 0xdd;
	if (kbc_command(0xd1) && kbc_ready()) /* write output port */
		outb(KBC_DATA, out | 0x03);
	(void)kbc_command(0xae); /* keyboard on; if that fails, there is nothing to be done here */
	(void)kbc_ready();
}

/* Some machines without the other switches turn the line on when this port is read. */
static void
a20_portee(void)
{
	(void)inb(PORTEE);
}

static const struct {
	void (*enable)(void);
	char name[16];
} methods[] = {
	[BOOT_A20_ALREADY] = {a20_nothing, "on already"},
	[BOOT_A20_BIOS] = {a20_bios, "by int 15h"},
	[BOOT_A20_PORT92] = {a20_port92, "by port 92h"},
	[BOOT_A20_8042] = {a20_kbc, "by the 8042"},
	[BOOT_A20_PORTEE] = {a20_portee, "by port EEh"},
};

/* Try the methods from @first on; dies if none works. */
static uint32_t
turn_on(uint32_t first)
{
	for (uint32_t i = first; i < ARRAY_SIZE(methods); i++) {
		if (!trace_known.a20) /* not in the middle of another phase's line */
			say("%s? ", methods[i].name);
		methods[i].enable();
		if (a20_comes_on())
			return i;
	}
	die("Look in the BIOS setup for \"Gate A20\" and set it to fast or on.",
	    "address line A20 stays off; int 15h AX=2401h, port 92h, the 8042 and port EEh were "
	    "tried");
}

void
a20_enable(void)
{
	say("a20 ");
	info->a20_method = turn_on(BOOT_A20_ALREADY);
	trace_known.a20 = true;
	say("yes\n");
	trace("A20 on");
}

/* Some BIOSes, having moved data above 1 MiB, leave the line as they think it was. */
void
a20_keep(void)
{
	if (!lines_differ())
		(void)turn_on(BOOT_A20_BIOS);
}

/*
 * hwerr.c - the non-maskable interrupt, and the look each second at errors that raise nothing.
 *
 * An NMI comes in the middle of anything, a locked section included, so what is to be logged waits
 * for the next look.  By default it is a panic: where there is a button for it, it was pressed to
 * see what a machine that hangs is doing; and what the chipset reports by it is lost data.
 * Spec: Intel ICH9 data sheet, "NMI Status and Control Register" (port 61h).
 */
#include <x86/mca.h>
#include <kern/clock.h>
#include <kern/cmdline.h>
#include <kern/timer.h>
#include <lib/string.h>
#include <x86/io.h>

#define NMI_STATUS	 0x61
#define NMI_SERR	 0x80
#define NMI_IOCHK	 0x40
#define NMI_IOCHK_CLEAR	 0x08 /* set, then cleared: the source may come again */
#define NMI_SERR_CLEAR	 0x04
#define NMI_CONTROL_MASK 0x0f /* the bits that are written; the others are status */

#define LOOK_NS NS_PER_SEC

static volatile uint64_t nr_nmis;	 /* [a] survived so far */
static const char *volatile last_reason; /* [a] of the last of them */
static uint64_t nr_logged;		 /* [c] of nr_nmis */
static struct timer look_timer;

const char *
nmi_reason(void)
{
	const uint8_t status = inb(NMI_STATUS);

	return status & NMI_SERR    ? "memory parity or system error"
	       : status & NMI_IOCHK ? "I/O channel check"
				    : "no reason given";
}

static void
rearm(void)
{
	const uint8_t control = inb(NMI_STATUS) & NMI_CONTROL_MASK;

	outb(NMI_STATUS, control | NMI_IOCHK_CLEAR | NMI_SERR_CLEAR);
	outb(NMI_STATUS, control & (uint8_t) ~(NMI_IOCHK_CLEAR | NMI_SERR_CLEAR));
}

bool
nmi_survived(void)
{
	char how[8];

	if (cmdline_get("nmi", how, sizeof(how)) < 0 || strcmp(how, "report") != 0)
		return false;
	last_reason = nmi_reason();
	nr_nmis++;
	rearm();
	return true;
}

static void
look(void *arg)
{
	const uint64_t now = nr_nmis;

	if (now != nr_logged)
		log_warn("nmi: %lu came, the last: %s", now - nr_logged, last_reason);
	nr_logged = now;
	mca_poll();
	timer_arm(&look_timer, clock_ns() + LOOK_NS);
}

int
hwerr_init(void)
{
	timer_setup(&look_timer, look, NULL);
	timer_arm(&look_timer, clock_ns() + LOOK_NS);
	return 0;
}

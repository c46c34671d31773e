/*
 * cmos.c - index and data port of the CMOS RAM.
 *
 * Bit 7 of the index port masks NMIs.  The loader has set it; each access here clears it, which is
 * right since the IDT has an NMI gate by the time that anything reads the clock.
 * Spec: Intel ICH9, "RTC Registers": NMI_EN and RTC_INDX.
 */
#include <dev/cmos.h>
#include <kern/spinlock.h>
#include <x86/io.h>

#define PORT_INDEX 0x70
#define PORT_DATA  0x71

static struct spinlock lock = SPINLOCK_INIT("cmos");

uint8_t
cmos_read(uint8_t reg)
{
	const uint64_t flags = spin_lock(&lock);
	uint8_t value;

	outb(PORT_INDEX, reg & 0x7f);
	value = inb(PORT_DATA);
	spin_unlock(&lock, flags);
	return value;
}

void
cmos_write(uint8_t reg, uint8_t value)
{
	const uint64_t flags = spin_lock(&lock);

	outb(PORT_INDEX, reg & 0x7f);
	outb(PORT_DATA, value);
	spin_unlock(&lock, flags);
}

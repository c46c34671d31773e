/*
 * mca.h - what the hardware says of its own faults: machine-check banks, and the NMI.
 *
 * Implementation: kernel/x86/mca.c (banks), mca_decode.c (their words; pure), hwerr.c (NMI, and the
 * look at both each second).  docs/traps.md, "NMI and machine check".
 */
#pragma once
#include <lib/base.h>

/* IA32_MCi_STATUS.  Spec: Intel SDM vol. 3B, "IA32_MCi_STATUS MSRS". */
#define MC_STATUS_VAL	BIT(63)
#define MC_STATUS_OVER	BIT(62)
#define MC_STATUS_UC	BIT(61)
#define MC_STATUS_EN	BIT(60)
#define MC_STATUS_MISCV BIT(59)
#define MC_STATUS_ADDRV BIT(58)
#define MC_STATUS_PCC	BIT(57)

/* IA32_MCG_STATUS */
#define MCG_STATUS_RIPV BIT(0) /* the interrupted program can go on */
#define MCG_STATUS_EIPV BIT(1) /* RIP has to do with the error */
#define MCG_STATUS_MCIP BIT(2) /* one more machine check now would shut the CPU down */

/* Enable every bank; log and forget what they hold from before the reset.  Called by cpu_init(). */
void mca_init(void);
/* #MC: may the kernel go on?  Then the banks keep what they hold for mca_poll().  Takes no lock. */
bool mca_survived(void);
/*
 * Print the banks that hold an error, two lines each, and let the next #MC come.  Returns how many.
 * Takes no lock.
 */
unsigned mca_report(void);
/* Log the banks that hold an error, and empty them.  Context: any but #MC and NMI. */
void mca_poll(void);

#define MCA_TEXT_MAX 140 /* the longest with its NUL */
/* "uncorrected, data cache: read, level 1" of an IA32_MCi_STATUS.  As snprintf().  Pure. */
int mca_describe(uint64_t status, char *buf, size_t size);
/* "restartable" and so on of an IA32_MCG_STATUS. */
int mca_describe_global(uint64_t status, char *buf, size_t size);

/* NMI: may the kernel go on?  (nmi=report on the command line.)  Takes no lock. */
bool nmi_survived(void);
/* The reason that the chipset gives.  Reads port 61h. */
const char *nmi_reason(void);
/* Driver table: look for corrected errors and survived NMIs each second.  0. */
int hwerr_init(void);

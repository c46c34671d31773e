/*
 * vdso.h - the time without a system call: a page of data that the kernel keeps current and every program can read,
 * and code beside it (kernel/x86/vdso/) that reads the TSC and does the sum.
 *
 * Implementation: kernel/vdso.c.  Spec: vdso(7).
 */
#pragma once
#include <kern/base.h>
#include <lib/timescale.h>

struct aspace;

/* At the start of the page before the vDSO's code.  An odd seq: it is being changed; a reader reads again. */
struct vdso_data {
	volatile uint32_t seq;
	struct timescale scale; /* of the TSC; rate 0 = it is not the clock: ask the kernel */
	uint64_t wall_ns;	/* since 1970, at time 0 of the clock */
};

/* For the vDSO's own code: the page before it (vdso.lds).  The kernel writes to it by another name. */
extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));
/* Its code as it was linked, in whole pages (kernel/x86/vdso_image.asm). */
extern const uint8_t vdso_image[], vdso_image_end[];

/* The TSC's scale is @s from now on.  Interrupts off.  Context: any but NMI. */
void vdso_set_scale(const struct timescale *s);
/* The wall time at time 0 of the clock.  The same. */
void vdso_set_wall(uint64_t ns);
/* Map both into a new program; *@at = where the vDSO's ELF header is.  0 or -errno. */
int vdso_map(struct aspace *as, vaddr_t *at);

/*
 * kstack.c - kernel stacks and their guard pages.
 *
 * Thread stacks live in slots of twice KSTACK_SIZE at the bottom of the kernel's mapping area.  The
 * upper half of a slot is the stack, the lower half stays unmapped and guards this stack's end and the
 * start of the one below: running over either end hits nothing but that, and an address tells by
 * itself whether it is stack or guard.  The boot stack and the exception stacks (IST), which are part
 * of the image, have an unmapped page on either side.  A few freed stacks stay mapped, since the next
 * thread wants one.
 */
#include <mm/kstack.h>
#include <kern/spinlock.h>
#include <lib/bitmap.h>
#include <mm/fail.h>
#include <mm/image.h>
#include <mm/kmap.h>
#include <mm/tables.h>
#include <mm/vmm.h>
#include <x86/switch.h>
#include <x86/trap.h>

#define SLOT_SIZE (2 * KSTACK_SIZE)
#define NR_SLOTS  (KSTACK_AREA_SIZE / SLOT_SIZE - 1) /* the last one guards the one below it */
#define NR_CACHED 4

static struct spinlock kstack_lock = SPINLOCK_INIT("kstack");
static uint64_t slots[BITMAP_WORDS(NR_SLOTS)]; /* [kstack] 1 = in use (or cached) */
static void *cached[NR_CACHED];		       /* [kstack] mapped and free */
static size_t nr_cached;		       /* [kstack] */
static size_t nr_used;			       /* [kstack] */

static inline bool
in_area(vaddr_t va)
{
	return va - KSTACK_AREA_BASE < KSTACK_AREA_SIZE;
}

void
kstack_init(void)
{
	(void)vmm_unmap_page(
		(vaddr_t)boot_stack_guard); /* the image is in small pages around them */
	(void)vmm_unmap_page((vaddr_t)boot_stack_top);
	for (unsigned i = 0; i < IST_COUNT; i++)
		(void)vmm_unmap_page((vaddr_t)ist_area[i]);
	(void)vmm_unmap_page((vaddr_t)ist_guard_above);
}

static void *
take_cached(void)
{
	const uint64_t flags = spin_lock(&kstack_lock);
	void *stack = nr_cached > 0 ? cached[--nr_cached] : NULL;

	nr_used += stack != NULL;
	spin_unlock(&kstack_lock, flags);
	return stack;
}

void *
kstack_alloc(void)
{
	uint64_t flags;
	void *stack;
	size_t slot;
	vaddr_t va;

	if (fail_now(FAIL_STACK))
		return NULL;
	stack = take_cached();
	if (stack != NULL) {
		kstack_refill(stack);
		return stack;
	}
	flags = spin_lock(&kstack_lock);
	slot = bitmap_find_clear(slots, 0, NR_SLOTS);
	if (slot != BITMAP_NONE)
		bitmap_set(slots, slot);
	spin_unlock(&kstack_lock, flags);
	if (slot == BITMAP_NONE)
		return NULL;

	va = KSTACK_AREA_BASE + slot * SLOT_SIZE + KSTACK_SIZE;
	if (vmm_populate(va, KSTACK_SIZE, PMM_STACK) != 0)
		va = 0;
	flags = spin_lock(&kstack_lock);
	if (va == 0)
		bitmap_clear(slots, slot);
	else
		nr_used++;
	spin_unlock(&kstack_lock, flags);
	if (va != 0)
		kstack_fill((void *)va);
	return (void *)va;
}

void
kstack_free(void *stack)
{
	const vaddr_t va = (vaddr_t)stack;
	const size_t slot = (va - KSTACK_AREA_BASE) / SLOT_SIZE;
	uint64_t flags;

	if (!in_area(va) || va % SLOT_SIZE != KSTACK_SIZE || !bitmap_test(slots, slot))
		panic("kstack_free: %#lx is not a thread stack", va);
	flags = spin_lock(&kstack_lock);
	for (size_t i = 0; i < nr_cached; i++) {
		if (cached[i] == stack) {
			spin_unlock(&kstack_lock, flags);
			panic("kstack_free: %#lx is free already (double free)", va);
		}
	}
	nr_used--;
	if (nr_cached < NR_CACHED) {
		cached[nr_cached++] = stack;
		spin_unlock(&kstack_lock, flags);
		return;
	}
	spin_unlock(&kstack_lock, flags);
	vmm_unmap_and_free(va, KSTACK_SIZE);
	flags = spin_lock(&kstack_lock);
	bitmap_clear(slots, slot);
	spin_unlock(&kstack_lock, flags);
}

size_t
kstack_count(void)
{
	return nr_used;
}

bool
kstack_bounds(vaddr_t va, vaddr_t *lo, vaddr_t *hi)
{
	if (in_area(va) && va % SLOT_SIZE >= KSTACK_SIZE) {
		*lo = ALIGN_DOWN(va, SLOT_SIZE) + KSTACK_SIZE;
		*hi = *lo + KSTACK_SIZE;
		return true;
	}
	if (va >= (vaddr_t)boot_stack && va < (vaddr_t)boot_stack_top) {
		*lo = (vaddr_t)boot_stack;
		*hi = (vaddr_t)boot_stack_top;
		return true;
	}
	for (unsigned i = 0; i < IST_COUNT; i++) {
		*lo = (vaddr_t)ist_area[i] + PAGE_SIZE;
		*hi = *lo + IST_STACK_SIZE;
		if (va >= *lo && va < *hi)
			return true;
	}
	return false;
}

bool
kstack_contains(vaddr_t va)
{
	vaddr_t lo, hi;

	return kstack_bounds(va, &lo, &hi);
}

bool
kstack_is_guard(vaddr_t va)
{
	if (in_area(va))
		return va % SLOT_SIZE < KSTACK_SIZE;
	if (va - (vaddr_t)boot_stack_guard < PAGE_SIZE ||
	    va - (vaddr_t)boot_stack_top < PAGE_SIZE || va - (vaddr_t)ist_guard_above < PAGE_SIZE)
		return true;
	for (unsigned i = 0; i < IST_COUNT; i++) {
		if (va - (vaddr_t)ist_area[i] < PAGE_SIZE)
			return true;
	}
	return false;
}

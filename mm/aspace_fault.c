/*
 * aspace_fault.c - pages of programs as they are touched; copies of address spaces.
 *
 *   not there, anonymous	-> a frame of zeros
 *   not there, of a file	-> the file's frame; written to and private: a copy of it
 *   there, written to, but not writable: private -> a copy, or, if nobody else holds the frame, just
 *   writable; shared -> the file learns that it is dirty
 *
 * After a fork both sides show the same frames, none of them writable where the range is private.
 */
#include <mm/aspace.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/tlb.h>
#include <x86/cpu.h>
#include <x86/trap.h>
#include "aspace_tables.h"

#define STACK_GAP MIB(1) /* a stack grows no nearer to the range below */

static bool
is_shared(const struct vma *v)
{
	return (v->flags & MAP_TYPE) != MAP_PRIVATE;
}

/* May it be done at all?  0 or -EACCES. */
static int
check_rights(const struct vma *v, uint64_t error)
{
	if (v->prot == PROT_NONE || (error & PF_WRITE && !(v->prot & PROT_WRITE)) ||
	    (error & PF_FETCH && !(v->prot & PROT_EXEC)))
		return -EACCES;
	return 0;
}

static int
show(struct aspace *as, const struct vma *v, pte_t *e, paddr_t pa, bool writable)
{
	*e = pa | aspace_bits(v, writable);
	as->resident++;
	return 0;
}

static paddr_t
copy_of(paddr_t from)
{
	const paddr_t pa = pmm_alloc(PMM_USER);

	if (pa != PADDR_NONE)
		memcpy(phys_to_virt(pa), phys_to_virt(from), PAGE_SIZE);
	return pa;
}

static int
fault_zeros(struct aspace *as, const struct vma *v, pte_t *e)
{
	const paddr_t pa = pmm_alloc_zeroed(PMM_USER);

	return pa == PADDR_NONE ? -ENOMEM : show(as, v, e, pa, (v->prot & PROT_WRITE) != 0);
}

static int
fault_object(struct aspace *as, const struct vma *v, pte_t *e, vaddr_t va, bool write)
{
	const uint64_t index = (v->offset + (va - v->start)) / PAGE_SIZE;
	paddr_t pa, copy;
	int result = v->object->ops->get_page(v->object, index, &pa);

	if (result != 0)
		return result;
	if (!write)
		return show(as, v, e, pa, false);
	if (is_shared(v)) {
		v->object->ops->page_dirty(v->object, index);
		return show(as, v, e, pa, true);
	}
	copy = copy_of(pa);
	frame_put(pa);
	return copy == PADDR_NONE ? -ENOMEM : show(as, v, e, copy, true);
}

/* A page that is there is written to for the first time, or for the first time since a fork. */
static int
fault_write(const struct vma *v, pte_t *e, vaddr_t va)
{
	const paddr_t pa = *e & PTE_ADDR;

	if (is_shared(v)) {
		if (v->object != NULL)
			v->object->ops->page_dirty(v->object,
						   (v->offset + (va - v->start)) / PAGE_SIZE);
		*e = pa | aspace_bits(v, true);
	} else if (frame_shared(pa)) {
		const paddr_t copy = copy_of(pa);

		if (copy == PADDR_NONE)
			return -ENOMEM;
		*e = copy | aspace_bits(v, true);
		frame_put(pa);
	} else {
		*e = pa | aspace_bits(v, true);
	}
	tlb_flush_page(va);
	return 0;
}

/* The stack above @va grows down to it, if it may. */
static struct vma *
grow_stack(struct aspace *as, vaddr_t va)
{
	struct vma *v = aspace_find_from(as, va);
	const vaddr_t start = ALIGN_DOWN(va, PAGE_SIZE);
	const struct vma *below;

	if (v == NULL || (v->flags & MAP_GROWSDOWN) == 0 || v->end - start > as->stack_limit ||
	    start < USER_START)
		return NULL;
	below = v->node.prev == &as->vmas ? NULL : list_entry(v->node.prev, struct vma, node);
	if (below != NULL && below->prot != PROT_NONE && below->end + STACK_GAP > start)
		return NULL;
	if (below != NULL && below->end > start)
		return NULL;
	as->mapped += (v->start - start) / PAGE_SIZE;
	v->start = start;
	return v;
}

static int
fault_locked(struct aspace *as, vaddr_t va, uint64_t error)
{
	const struct vma *v = aspace_find(as, va);
	int result;
	pte_t *e;

	if (v == NULL)
		v = grow_stack(as, va);
	if (v == NULL)
		return -EFAULT;
	result = check_rights(v, error);
	if (result != 0)
		return result;
	va = ALIGN_DOWN(va, PAGE_SIZE);
	e = aspace_entry(as, va, true);
	if (e == NULL)
		return -ENOMEM;
	if ((*e & PTE_P) == 0)
		return v->object == NULL ? fault_zeros(as, v, e)
					 : fault_object(as, v, e, va, (error & PF_WRITE) != 0);
	if (error & PF_WRITE && (*e & PTE_W) == 0)
		return fault_write(v, e, va);
	tlb_flush_page(va); /* the CPU knew an older entry */
	return 0;
}

int
aspace_fault(struct aspace *as, vaddr_t va, uint64_t error)
{
	int result;

	mutex_lock(&as->lock);
	result = fault_locked(as, va, error);
	mutex_unlock(&as->lock);
	return result;
}

void
aspace_populate_locked(struct aspace *as, vaddr_t start, vaddr_t end)
{
	for (vaddr_t va = start; va < end; va += PAGE_SIZE) {
		const struct vma *v = aspace_find(as, va);

		if (v == NULL || fault_locked(as, va, v->prot & PROT_WRITE ? PF_WRITE : 0) != 0)
			return;
	}
}

/* --- fork ------------------------------------------------------------------------------------------ */

#define SHARED_AT_ONCE 64

/* @there[] shows what @e[] does, both without @drop; how many pages that are. */
static size_t
share(pte_t *there, pte_t *e, size_t n, pte_t drop)
{
	paddr_t frames[SHARED_AT_ONCE];
	size_t nr = 0;

	for (size_t i = 0; i < n; i++) {
		if (!shows_page(e[i]))
			continue;
		frames[nr++] = e[i] & PTE_ADDR;
		e[i] &= ~drop;
		there[i] = e[i];
	}
	frame_get_all(frames, nr);
	return nr;
}

/* @to shows what @from shows of @v. */
static int
copy_entries(struct aspace *to, struct aspace *from, const struct vma *v)
{
	const pte_t drop = is_shared(v) ? 0 : PTE_W;
	vaddr_t va = v->start;
	pte_t *e;

	while ((e = aspace_next_entry(from, &va, v->end)) != NULL) {
		const size_t n = entries_left(va, v->end);
		pte_t *there = aspace_entry(to, va, true);

		if (there == NULL)
			return -ENOMEM;
		for (size_t i = 0; i < n; i += SHARED_AT_ONCE)
			to->resident +=
				share(there + i, e + i, MIN(n - i, (size_t)SHARED_AT_ONCE), drop);
		va += n * PAGE_SIZE;
	}
	return 0;
}

static int
copy_range(struct aspace *to, struct aspace *from, struct vma *v)
{
	struct vma *copy = kmalloc(sizeof(*copy));

	if (copy == NULL)
		return -ENOMEM;
	*copy = *v;
	if (copy->object != NULL)
		copy->object->ops->get(copy->object);
	list_add_tail(&to->vmas, &copy->node);
	to->nr_vmas++;
	to->mapped += (v->end - v->start) / PAGE_SIZE;
	return copy_entries(to, from, v);
}

static void
copy_marks(struct aspace *to, const struct aspace *from)
{
	to->brk_start = from->brk_start;
	to->brk = from->brk;
	to->mmap_top = from->mmap_top;
	to->stack_top = from->stack_top;
	to->stack_limit = from->stack_limit;
	to->data_limit = from->data_limit;
	to->as_limit = from->as_limit;
	to->code_start = from->code_start;
	to->code_end = from->code_end;
	to->args_start = from->args_start;
	to->args_end = from->args_end;
	to->env_start = from->env_start;
	to->env_end = from->env_end;
}

struct aspace *
aspace_fork(struct aspace *src)
{
	struct aspace *as = aspace_create();
	struct vma *v;
	int result = 0;

	if (as == NULL)
		return NULL;
	mutex_lock(&src->lock);
	copy_marks(as, src);
	list_for_each_entry (v, &src->vmas, node) {
		result = copy_range(as, src, v);
		if (result != 0)
			break;
	}
	if (aspace_loaded(src))
		write_cr3(src->pml4); /* what lost the right to be written to */
	mutex_unlock(&src->lock);
	if (result != 0) {
		aspace_put(as);
		return NULL;
	}
	return as;
}

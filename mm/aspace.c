/*
 * aspace.c - address spaces of programs: their life, their ranges.  Theory: include/mm/aspace.h.
 *
 * The ranges are a list in the order of addresses; most questions are about the range that the last one was
 * about, which is remembered.
 */
#include <mm/aspace.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include "aspace_tables.h"

static struct aspace *loaded; /* [c] NULL: the kernel's own tables */

bool
aspace_loaded(const struct aspace *as)
{
	return as == loaded;
}

struct aspace *
aspace_create(void)
{
	struct aspace *as = kzalloc(sizeof(*as));

	if (as == NULL)
		return NULL;
	as->pml4 = pmm_alloc_zeroed(PMM_PAGE_TABLE);
	if (as->pml4 == PADDR_NONE) {
		kfree(as);
		return NULL;
	}
	memcpy(table_at(as->pml4) + TABLE_ENTRIES / 2,
	       table_at(vmm_kernel_pml4()) + TABLE_ENTRIES / 2, PAGE_SIZE / 2);
	mutex_init(&as->lock, "aspace");
	list_init(&as->vmas);
	as->refs = 1;
	as->mmap_top = USER_END - MIB(64);
	as->stack_top = USER_END;
	as->stack_limit = MIB(8);
	as->data_limit = as->as_limit = UINT64_MAX;
	return as;
}

void
aspace_get(struct aspace *as)
{
	__atomic_fetch_add(&as->refs, 1, __ATOMIC_RELAXED);
}

void
aspace_put(struct aspace *as)
{
	struct vma *v, *next;

	if (__atomic_sub_fetch(&as->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	assert(loaded != as);
	list_for_each_entry_safe (v, next, &as->vmas, node) {
		aspace_zap(as, v->start, v->end);
		aspace_remove(as, v);
	}
	aspace_free_tables(as);
	kfree(as);
}

void
aspace_switch(struct aspace *as)
{
	if (as == loaded)
		return;
	loaded = as;
	write_cr3(as != NULL ? as->pml4 : vmm_kernel_pml4());
}

/* --- ranges --------------------------------------------------------------------------------- */

struct vma *
aspace_find_from(struct aspace *as, vaddr_t va)
{
	struct vma *hit = as->last_hit, *v;

	if (hit != NULL && hit->start <= va && va < hit->end)
		return hit;
	list_for_each_entry (v, &as->vmas, node) {
		if (va < v->end) {
			as->last_hit = v;
			return v;
		}
	}
	return NULL;
}

struct vma *
aspace_find(struct aspace *as, vaddr_t va)
{
	struct vma *v = aspace_find_from(as, va);

	return v != NULL && va >= v->start ? v : NULL;
}

bool
aspace_range_at(struct aspace *as, vaddr_t va, struct vma *out)
{
	const struct vma *v;

	mutex_lock(&as->lock);
	v = aspace_find_from(as, va);
	if (v != NULL) {
		*out = *v;
		if (v->object != NULL)
			v->object->ops->get(v->object);
	}
	mutex_unlock(&as->lock);
	return v != NULL;
}

struct vma *
aspace_next(struct aspace *as, struct vma *v)
{
	return v->node.next == &as->vmas ? NULL : list_entry(v->node.next, struct vma, node);
}

static struct vma *
previous(struct aspace *as, struct vma *v)
{
	return v->node.prev == &as->vmas ? NULL : list_entry(v->node.prev, struct vma, node);
}

void
aspace_insert(struct aspace *as, struct vma *v)
{
	struct vma *behind = aspace_find_from(as, v->start);

	list_insert_after(behind != NULL ? behind->node.prev : as->vmas.prev, &v->node);
	as->nr_vmas++;
	as->mapped += (v->end - v->start) / PAGE_SIZE;
}

static void
forget(struct aspace *as, struct vma *v)
{
	list_del(&v->node);
	as->nr_vmas--;
	if (as->last_hit == v)
		as->last_hit = NULL;
	if (v->object != NULL)
		v->object->ops->put(v->object);
	kfree(v);
}

void
aspace_remove(struct aspace *as, struct vma *v)
{
	as->mapped -= (v->end - v->start) / PAGE_SIZE;
	forget(as, v);
}

int
aspace_split(struct aspace *as, vaddr_t va)
{
	struct vma *v = aspace_find(as, va), *upper;

	if (v == NULL || va == v->start)
		return 0;
	upper = kmalloc(sizeof(*upper));
	if (upper == NULL)
		return -ENOMEM;
	*upper = *v;
	upper->start = va;
	upper->offset += va - v->start;
	if (upper->object != NULL)
		upper->object->ops->get(upper->object);
	v->end = va;
	list_insert_after(&v->node, &upper->node);
	as->nr_vmas++;
	return 0;
}

static bool
alike(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->prot == b->prot && a->max_prot == b->max_prot &&
	       a->flags == b->flags && a->object == b->object && (a->flags & MAP_GROWSDOWN) == 0 &&
	       (a->object == NULL || a->offset + (a->end - a->start) == b->offset);
}

struct vma *
aspace_merge(struct aspace *as, struct vma *v)
{
	struct vma *before = previous(as, v), *behind = aspace_next(as, v);

	if (behind != NULL && alike(v, behind)) {
		v->end = behind->end;
		forget(as, behind);
	}
	if (before != NULL && alike(before, v)) {
		before->end = v->end;
		forget(as, v);
		return before;
	}
	return v;
}

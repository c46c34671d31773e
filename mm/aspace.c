/*
 * aspace.c - address spaces of programs.  Theory: include/mm/aspace.h.
 */
#include <mm/aspace.h>
#include <kern/process.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/cpu.h>
#include <x86/trap.h>

#define KERNEL_HALF 256 /* entries of the PML4 from here on are the kernel's */
#define LEVEL_PT    1
#define LEVEL_PML4  4

static struct aspace *loaded; /* [c] NULL: the kernel's own tables */

static inline pte_t *
table_at(pte_t e)
{
	return phys_to_virt(e & PTE_ADDR);
}

/* The entry for the page of @va; tables above it are made if @make.  NULL: none, or no memory. */
static pte_t *
entry_of(struct aspace *as, vaddr_t va, bool make)
{
	pte_t *e = table_at(as->pml4) + pte_index(va, LEVEL_PML4);

	for (unsigned level = LEVEL_PML4; level > LEVEL_PT; level--) {
		if ((*e & PTE_P) == 0) {
			const paddr_t pa = make ? pmm_alloc_zeroed(PMM_PAGE_TABLE) : PADDR_NONE;

			if (pa == PADDR_NONE)
				return NULL;
			*e = pa | PTE_P | PTE_W | PTE_U | PTE_A;
		}
		e = table_at(*e) + pte_index(va, level - 1);
	}
	return e;
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
	memcpy(table_at(as->pml4) + KERNEL_HALF, table_at(vmm_kernel_pml4()) + KERNEL_HALF,
	       KERNEL_HALF * sizeof(pte_t));
	mutex_init(&as->lock, "aspace");
	list_init(&as->vmas);
	as->refs = 1;
	as->mmap_top = USER_END - MIB(64);
	as->stack_top = USER_END;
	return as;
}

void
aspace_get(struct aspace *as)
{
	__atomic_fetch_add(&as->refs, 1, __ATOMIC_RELAXED);
}

static void
free_tables(pte_t e, unsigned level)
{
	pte_t *t = table_at(e);

	for (unsigned i = 0; i < (level == LEVEL_PML4 ? KERNEL_HALF : 512); i++) {
		if ((t[i] & PTE_P) == 0)
			continue;
		if (level == LEVEL_PT)
			frame_put(t[i] & PTE_ADDR);
		else
			free_tables(t[i], level - 1);
	}
	pmm_free(e & PTE_ADDR);
}

void
aspace_put(struct aspace *as)
{
	struct vma *v, *next;

	if (__atomic_sub_fetch(&as->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	assert(loaded != as);
	list_for_each_entry_safe (v, next, &as->vmas, node) {
		if (v->object != NULL)
			v->object->ops->put(v->object);
		kfree(v);
	}
	free_tables(as->pml4, LEVEL_PML4);
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

struct vma *
aspace_find(struct aspace *as, vaddr_t va)
{
	struct vma *v;

	list_for_each_entry (v, &as->vmas, node) {
		if (va >= v->start && va < v->end)
			return v;
	}
	return NULL;
}

int64_t
aspace_map(struct aspace *as, const struct aspace_map *m)
{
	struct vma *v = kzalloc(sizeof(*v)), *at;
	struct list *before = &as->vmas;

	if (v == NULL)
		return -ENOMEM;
	*v = (struct vma){.start = m->addr,
			  .end = m->addr + ALIGN_UP(m->len, PAGE_SIZE),
			  .prot = m->prot,
			  .max_prot = m->max_prot,
			  .flags = m->flags};
	mutex_lock(&as->lock);
	list_for_each_entry (at, &as->vmas, node) {
		if (at->start > v->start)
			break;
		before = &at->node;
	}
	list_insert_after(before, &v->node);
	mutex_unlock(&as->lock);
	return (int64_t)v->start;
}

static int
fault_locked(struct aspace *as, vaddr_t va, uint64_t error)
{
	const struct vma *v = aspace_find(as, va);
	paddr_t pa;
	pte_t *e;

	if (v == NULL)
		return -EFAULT;
	if ((error & PF_WRITE && !(v->prot & PROT_WRITE)) ||
	    (error & PF_FETCH && !(v->prot & PROT_EXEC)) || v->prot == PROT_NONE)
		return -EACCES;
	e = entry_of(as, va, true);
	if (e == NULL)
		return -ENOMEM;
	if (*e & PTE_P)
		return 0;
	pa = pmm_alloc_zeroed(PMM_USER);
	if (pa == PADDR_NONE)
		return -ENOMEM;
	*e = pa | PTE_P | PTE_U | PTE_A | PTE_D | (v->prot & PROT_WRITE ? PTE_W : 0) |
	     (v->prot & PROT_EXEC || !cpu_features.nx ? 0 : PTE_NX);
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

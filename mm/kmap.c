/*
 * kmap.c - ranges of kernel addresses: device memory, firmware tables, buffers of many pages.
 *
 * The ranges in use hang in a list sorted by address.  A new one goes into the first gap behind the
 * one given out last, round robin, with an unmapped page behind it, so that running over its end
 * faults and an address just freed is not used again at once.  The round is kept short, because the
 * page tables of every address ever used stay (vmm.c).
 */
#include <mm/kmap.h>
#include <kern/spinlock.h>
#include <lib/checked.h>
#include <lib/list.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/tables.h>
#include <mm/vmm.h>

#define REUSE_WINDOW MIB(64) /* of addresses, 32 page tables, before going on behind it */

struct kmap_range {
	struct list node; /* [kmap] */
	vaddr_t start;	  /* [I] page-aligned */
	size_t len;	  /* [I] bytes mapped; a guard page follows */
	bool owns_frames; /* [I] from vmm_alloc() */
};

static struct spinlock kmap_lock = SPINLOCK_INIT("kmap");
static struct list used = LIST_INIT(used); /* [kmap] sorted by start */
static struct list *cursor = &used;	   /* [kmap] the range given out last, or the head */

static vaddr_t
end_of(const struct list *node)
{
	const struct kmap_range *r;

	if (node == &used)
		return KMAP_BASE;
	r = list_entry(node, struct kmap_range, node);
	return r->start + r->len + PAGE_SIZE;
}

static vaddr_t
start_of(const struct list *node)
{
	return node == &used ? KMAP_END : list_entry(node, struct kmap_range, node)->start;
}

/* Put @r into the first gap after the cursor that holds it below @limit.  False when there is none. */
static bool
place_locked(struct kmap_range *r, vaddr_t limit)
{
	struct list *at = cursor;

	do {
		const vaddr_t gap = end_of(at);

		if (range_fits(gap, r->len + PAGE_SIZE, MIN(start_of(at->next), limit))) {
			r->start = gap;
			list_insert_after(at, &r->node);
			cursor = &r->node;
			return true;
		}
		at = at->next;
	} while (at != cursor);
	return false;
}

static struct kmap_range *
range_new(size_t len)
{
	struct kmap_range *r;
	uint64_t flags;
	bool placed;

	if (len == 0 || len > KMAP_END - KMAP_BASE)
		return NULL;
	r = kzalloc(sizeof(*r));
	if (r == NULL)
		return NULL;
	r->len = len;
	flags = spin_lock(&kmap_lock);
	placed = place_locked(r, KMAP_BASE + REUSE_WINDOW) || place_locked(r, KMAP_END);
	spin_unlock(&kmap_lock, flags);
	if (!placed) {
		kfree(r);
		return NULL;
	}
	return r;
}

static void
range_delete(struct kmap_range *r)
{
	const uint64_t flags = spin_lock(&kmap_lock);

	if (cursor == &r->node)
		cursor = r->node.prev;
	list_del(&r->node);
	spin_unlock(&kmap_lock, flags);
	kfree(r);
}

/* The range that holds @va, or NULL. */
static struct kmap_range *
range_find(vaddr_t va)
{
	const uint64_t flags = spin_lock(&kmap_lock);
	struct kmap_range *r, *found = NULL;

	list_for_each_entry (r, &used, node) {
		if (va - r->start < r->len) {
			found = r;
			break;
		}
	}
	spin_unlock(&kmap_lock, flags);
	return found;
}

static void *
map_physical(paddr_t pa, size_t len, unsigned prot)
{
	const paddr_t first = ALIGN_DOWN(pa, PAGE_SIZE);
	const size_t offset = pa - first;
	struct kmap_range *r;
	size_t span;

	if (!checked_add(len, offset + PAGE_SIZE - 1, &span) || len == 0 || pa + len < pa ||
	    pa + len > BIT(52))
		return NULL;
	r = range_new(ALIGN_DOWN(span, PAGE_SIZE));
	if (r == NULL)
		return NULL;
	if (vmm_map(r->start, first, r->len, prot) != 0) {
		range_delete(r);
		return NULL;
	}
	return (void *)(r->start + offset);
}

void *
vmm_map_mmio(paddr_t pa, size_t len)
{
	return map_physical(pa, len, VM_WRITE | VM_UNCACHED | VM_GLOBAL);
}

void *
vmm_map_firmware(paddr_t pa, size_t len)
{
	return map_physical(pa, len, VM_READ | VM_GLOBAL);
}

void
vmm_unmap_mmio(void *va, size_t len)
{
	struct kmap_range *r = range_find((vaddr_t)va);

	if (r == NULL || r->owns_frames)
		panic("vmm_unmap_mmio: %p (%zu bytes) was not mapped", va, len);
	vmm_unmap(r->start, r->len);
	range_delete(r);
}

void *
vmm_alloc(size_t len)
{
	struct kmap_range *r;

	if (len == 0 || len > KMAP_END - KMAP_BASE)
		return NULL;
	r = range_new(ALIGN_UP(len, PAGE_SIZE));
	if (r == NULL)
		return NULL;
	r->owns_frames = true;
	if (vmm_populate(r->start, r->len) != 0) {
		range_delete(r);
		return NULL;
	}
	return memset((void *)r->start, 0, r->len);
}

size_t
kmap_length(const void *va)
{
	const struct kmap_range *r = range_find((vaddr_t)va);

	return r != NULL && r->owns_frames && r->start == (vaddr_t)va ? r->len : 0;
}

void
vmm_free(void *va, size_t len)
{
	struct kmap_range *r = range_find((vaddr_t)va);

	if (r == NULL || !r->owns_frames || r->start != (vaddr_t)va ||
	    r->len != ALIGN_UP(len, PAGE_SIZE))
		panic("vmm_free: %p (%zu bytes) is not from vmm_alloc() or free already", va, len);
	vmm_unmap_and_free(r->start, r->len);
	range_delete(r);
}

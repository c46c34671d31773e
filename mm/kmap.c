/*
 * kmap.c - ranges of kernel addresses: device memory, firmware tables, buffers of many pages.
 *
 * There are two arenas of addresses, and in each a list of the ranges in use, sorted.  A new range
 * goes into the first gap behind the one given out last, round robin, with an unmapped page behind
 * it: running over its end faults, and an address just freed is not used again at once.  The first
 * arena is small, because the page tables of every address ever used stay (vmm.c); the second is
 * for what the first has no gap for, which each remembers (`full_for`) until something is freed.
 *
 * A range is found by its first page, in a hash table.  Mappings of physical memory hang in a list of
 * their own besides, a short one: it tells whether a page is mapped with another cache type.
 */
#include <mm/kmap.h>
#include <kern/spinlock.h>
#include <lib/checked.h>
#include <lib/list.h>
#include <lib/string.h>
#include <mm/fail.h>
#include <mm/kmalloc.h>
#include <mm/tables.h>
#include <mm/vmm.h>

#define ARENA_SMALL MIB(64) /* of addresses: 32 page tables */
#define NR_BUCKETS  256	    /* 2 KiB; a search looks at one range in 256 */
#define PHYS_LIMIT  BIT(52) /* Intel SDM vol. 3A, "4-Level Paging": MAXPHYADDR is at most 52 */

struct kmap_range {
	struct list node;	 /* [kmap] its arena's list */
	struct list device_node; /* [kmap] mapped_devices; vmm_alloc()'s hang nowhere */
	struct kmap_range *next; /* [kmap] same bucket */
	vaddr_t start;		 /* [I] page-aligned */
	size_t len;		 /* [I] bytes mapped; a guard page follows */
	paddr_t pa;		 /* [I] PADDR_NONE: frames of its own, from vmm_alloc() */
	unsigned type;		 /* [I] VM_WB, VM_UC ... */
	uint64_t caller;	 /* [I] who asked for it, for `kmap` */
};

/* Addresses [base, end). */
struct arena {
	vaddr_t base, end;   /* [I] */
	struct list used;    /* [kmap] sorted by start */
	struct list *cursor; /* [kmap] the range given out last, or the head */
	size_t full_for;     /* [kmap] no gap holds this many bytes; SIZE_MAX: not known */
};

#define ARENA(i, b, e)                                                         \
	{                                                                      \
		(b), (e), LIST_INIT(arenas[i].used), &arenas[i].used, SIZE_MAX \
	}

static struct spinlock kmap_lock = SPINLOCK_INIT("kmap");
static struct arena arenas[2] = {
	ARENA(0, KMAP_BASE, KMAP_BASE + ARENA_SMALL),
	ARENA(1, KMAP_BASE + ARENA_SMALL, KMAP_END),
};
static struct kmap_range *buckets[NR_BUCKETS];		       /* [kmap] */
static struct list mapped_devices = LIST_INIT(mapped_devices); /* [kmap] */
static struct kmap_stats stats;				       /* [kmap] */
static struct kmap_range screen = {
	.start = VGA_TEXT_VA, .len = VGA_TEXT_SIZE, .pa = VGA_TEXT_PHYS, .type = VM_WC};

/* --- finding ------------------------------------------------------------------------------ */

/* Neighbours lie a few pages apart, and the multiplication spreads them.  Knuth, TAOCP vol. 3, 6.4. */
static struct kmap_range **
bucket_of(vaddr_t page)
{
	return &buckets[((page >> PAGE_SHIFT) * 0x9e3779b97f4a7c15ULL >> 32) % NR_BUCKETS];
}

/* The range whose first page holds @va, or NULL. */
static struct kmap_range *
range_find(vaddr_t va)
{
	const vaddr_t page = ALIGN_DOWN(va, PAGE_SIZE);
	const uint64_t flags = spin_lock(&kmap_lock);
	struct kmap_range *r = *bucket_of(page);

	stats.searches++;
	for (; r != NULL; r = r->next) {
		stats.looked_at++;
		if (r->start == page)
			break;
	}
	spin_unlock(&kmap_lock, flags);
	return r;
}

/* --- placing ------------------------------------------------------------------------------ */

static vaddr_t
end_of(const struct arena *a, const struct list *node)
{
	const struct kmap_range *r;

	if (node == &a->used)
		return a->base;
	r = list_entry(node, struct kmap_range, node);
	return r->start + r->len + PAGE_SIZE;
}

static vaddr_t
start_of(const struct arena *a, const struct list *node)
{
	return node == &a->used ? a->end : list_entry(node, struct kmap_range, node)->start;
}

/* Put @r into the first gap after the cursor that holds it.  False when there is none. */
static bool
place_locked(struct arena *a, struct kmap_range *r)
{
	struct list *at = a->cursor;

	if (r->len >= a->full_for)
		return false;
	do {
		const vaddr_t gap = end_of(a, at);

		if (range_fits(gap, r->len + PAGE_SIZE, start_of(a, at->next))) {
			r->start = gap;
			list_insert_after(at, &r->node);
			a->cursor = &r->node;
			return true;
		}
		at = at->next;
	} while (at != a->cursor);
	a->full_for = r->len;
	return false;
}

/* The type with which a page of [pa, pa+len) is mapped now, -1 for none. */
static int
type_in_use_locked(paddr_t pa, size_t len)
{
	struct kmap_range *r;

	list_for_each_entry (r, &mapped_devices, device_node) {
		if (pa < r->pa + r->len && r->pa < pa + len)
			return (int)r->type;
	}
	return -1;
}

/* Is another cache type than @r's in use for its memory? */
static bool
type_conflicts_locked(const struct kmap_range *r)
{
	struct kmap_range *other;

	list_for_each_entry (other, &mapped_devices, device_node) {
		if (r->pa < other->pa + other->len && other->pa < r->pa + r->len &&
		    r->type != other->type)
			return true;
	}
	return false;
}

/* 0, -ENOMEM (no address space), -EBUSY (mapped with another cache type). */
static int
insert_locked(struct kmap_range *r)
{
	struct kmap_range **bucket;

	if (r->pa != PADDR_NONE && type_conflicts_locked(r))
		return -EBUSY;
	if (!place_locked(&arenas[0], r) && !place_locked(&arenas[1], r))
		return -ENOMEM;
	bucket = bucket_of(r->start);
	r->next = *bucket;
	*bucket = r;
	if (r->pa != PADDR_NONE)
		list_add_tail(&mapped_devices, &r->device_node);
	stats.ranges++;
	stats.bytes += r->len;
	return 0;
}

static struct kmap_range *
range_new(size_t len, paddr_t pa, unsigned type, uint64_t caller)
{
	struct kmap_range *r;
	uint64_t flags;
	int result;

	if (len == 0 || len > KMAP_END - KMAP_BASE)
		return NULL;
	r = kzalloc(sizeof(*r));
	if (r == NULL)
		return NULL;
	r->len = len;
	r->pa = pa;
	r->type = type;
	r->caller = caller;
	flags = spin_lock(&kmap_lock);
	result = insert_locked(r);
	spin_unlock(&kmap_lock, flags);
	if (result == 0)
		return r;
	if (result == -EBUSY)
		log_warn("kmap: %#lx + %zu KiB is mapped with another cache type than %s", pa,
			 len / 1024, pat_name(type >> VM_TYPE_SHIFT));
	kfree(r);
	return NULL;
}

static void
range_delete(struct kmap_range *r)
{
	const uint64_t flags = spin_lock(&kmap_lock);
	struct arena *a = &arenas[r->start >= arenas[1].base];
	struct kmap_range **link = bucket_of(r->start);

	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	if (a->cursor == &r->node)
		a->cursor = r->node.prev;
	a->full_for = SIZE_MAX;
	list_del(&r->node);
	if (r->pa != PADDR_NONE)
		list_del(&r->device_node);
	stats.ranges--;
	stats.bytes -= r->len;
	spin_unlock(&kmap_lock, flags);
	kfree(r);
}

/* --- physical memory ---------------------------------------------------------------------- */

static void *
map_physical(paddr_t pa, size_t len, unsigned prot, uint64_t caller)
{
	const paddr_t first = ALIGN_DOWN(pa, PAGE_SIZE);
	const size_t offset = pa - first;
	struct kmap_range *r;
	size_t span;

	if (!checked_add(len, offset + PAGE_SIZE - 1, &span) || len == 0 || pa + len < pa ||
	    pa + len > PHYS_LIMIT)
		return NULL;
	r = range_new(ALIGN_DOWN(span, PAGE_SIZE), first, prot & VM_TYPE_MASK, caller);
	if (r == NULL)
		return NULL;
	if (vmm_map(r->start, first, r->len, prot | VM_GLOBAL) != 0) {
		range_delete(r);
		return NULL;
	}
	return (void *)(r->start + offset);
}

void *
vmm_map_device(paddr_t pa, size_t len, unsigned type)
{
	assert((type & ~(unsigned)VM_TYPE_MASK) == 0 && type != VM_WB);
	return map_physical(pa, len, VM_WRITE | type, (uint64_t)__builtin_return_address(0));
}

void *
vmm_map_mmio(paddr_t pa, size_t len)
{
	return map_physical(pa, len, VM_WRITE | VM_UC, (uint64_t)__builtin_return_address(0));
}

void *
vmm_map_firmware(paddr_t pa, size_t len)
{
	return map_physical(pa, len, VM_READ, (uint64_t)__builtin_return_address(0));
}

void *
vmm_map_as_is(paddr_t pa, size_t len)
{
	const uint64_t flags = spin_lock(&kmap_lock);
	const int type = type_in_use_locked(ALIGN_DOWN(pa, PAGE_SIZE), len + pa % PAGE_SIZE);

	spin_unlock(&kmap_lock, flags);
	return map_physical(pa, len, VM_WRITE | (type < 0 ? VM_UC : (unsigned)type),
			    (uint64_t)__builtin_return_address(0));
}

void
vmm_unmap_mmio(void *va, size_t len)
{
	struct kmap_range *r = range_find((vaddr_t)va);

	if (r == NULL || r->pa == PADDR_NONE)
		panic("vmm_unmap_mmio: %p (%zu bytes) was not mapped", va, len);
	if (vmm_unmap(r->start, r->len) != 0)
		panic("vmm_unmap_mmio: %#lx shares a large page", r->start);
	range_delete(r);
}

/* --- memory ------------------------------------------------------------------------------- */

void *
vmm_alloc(size_t len)
{
	struct kmap_range *r;

	if (len == 0 || len > KMAP_END - KMAP_BASE || fail_now(FAIL_PAGES))
		return NULL;
	r = range_new(ALIGN_UP(len, PAGE_SIZE), PADDR_NONE, VM_WB,
		      (uint64_t)__builtin_return_address(0));
	if (r == NULL)
		return NULL;
	if (vmm_populate(r->start, r->len, PMM_VMALLOC) != 0) {
		range_delete(r);
		return NULL;
	}
	return memset((void *)r->start, 0, r->len);
}

static bool
is_allocation(const struct kmap_range *r, const void *va)
{
	return r != NULL && r->pa == PADDR_NONE && r->start == (vaddr_t)va;
}

size_t
kmap_length(const void *va)
{
	const struct kmap_range *r = range_find((vaddr_t)va);

	return is_allocation(r, va) ? r->len : 0;
}

void
vmm_free(void *va, size_t len)
{
	struct kmap_range *r = range_find((vaddr_t)va);

	if (!is_allocation(r, va) || r->len != ALIGN_UP(len, PAGE_SIZE))
		panic("vmm_free: %p (%zu bytes) is not from vmm_alloc() or free already", va, len);
	vmm_unmap_and_free(r->start, r->len);
	range_delete(r);
}

/* --- for people --------------------------------------------------------------------------- */

void
kmap_init(void)
{
	list_add_tail(&mapped_devices, &screen.device_node);
}

static void
describe(const struct kmap_range *r, struct kmap_info *out)
{
	*out = (struct kmap_info){.start = r->start,
				  .len = r->len,
				  .pa = r->pa,
				  .type = r->type >> VM_TYPE_SHIFT,
				  .caller = r->caller};
}

size_t
kmap_snapshot(vaddr_t from, struct kmap_info *out, size_t max)
{
	const uint64_t flags = spin_lock(&kmap_lock);
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(arenas); i++) {
		struct kmap_range *r;

		list_for_each_entry (r, &arenas[i].used, node) {
			if (r->start >= from && n < max)
				describe(r, &out[n++]);
		}
	}
	spin_unlock(&kmap_lock, flags);
	return n;
}

void
kmap_stats(struct kmap_stats *out)
{
	const uint64_t flags = spin_lock(&kmap_lock);

	*out = stats;
	for (size_t i = 0; i < NR_BUCKETS; i++) {
		size_t length = 0;

		for (const struct kmap_range *r = buckets[i]; r != NULL; r = r->next)
			length++;
		out->longest = MAX(out->longest, length);
	}
	spin_unlock(&kmap_lock, flags);
}

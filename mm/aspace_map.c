/*
 * aspace_map.c - mmap, munmap, mprotect, mremap, madvise, brk on the ranges of an address space.
 */
#include <mm/aspace.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include "aspace_tables.h"

/* Pages that were promised beyond what there is could never be had. */
static bool
too_much(const struct aspace *as, size_t len, unsigned prot, unsigned flags)
{
	struct pmm_stats s;

	if (len / PAGE_SIZE + as->mapped > as->as_limit / PAGE_SIZE)
		return true;
	if ((flags & (MAP_NORESERVE | MAP_SHARED)) != 0 || (prot & PROT_WRITE) == 0)
		return false;
	pmm_stats(&s);
	return len / PAGE_SIZE > s.total;
}

static bool
is_free(struct aspace *as, vaddr_t start, vaddr_t end)
{
	const struct vma *v = aspace_find_from(as, start);

	return v == NULL || v->start >= end;
}

/* The highest gap of @len bytes below @top; 0 = none. */
static vaddr_t
find_gap(struct aspace *as, size_t len, vaddr_t top)
{
	vaddr_t end = top;
	struct vma *v;

	list_for_each_entry_reverse(v, &as->vmas, node)
	{
		if (v->start >= end)
			continue;
		if (v->end <= end && end - v->end >= len)
			return end - len;
		end = v->start;
	}
	return end >= USER_START + len ? end - len : 0;
}

static vaddr_t
place(struct aspace *as, const struct aspace_map *m, size_t len)
{
	const vaddr_t hint = ALIGN_UP(m->addr, PAGE_SIZE);

	if (hint >= USER_START && hint < USER_END - len && is_free(as, hint, hint + len))
		return hint;
	return find_gap(as, len, as->mmap_top);
}

/* [addr, addr + len) as pages within the user half?  0 or -EINVAL. */
static int
check_range(vaddr_t addr, size_t len)
{
	if (!IS_ALIGNED(addr, PAGE_SIZE) || addr > USER_END || ALIGN_UP(len, PAGE_SIZE) < len ||
	    ALIGN_UP(len, PAGE_SIZE) > USER_END - addr)
		return -EINVAL;
	return 0;
}

static int unmap_locked(struct aspace *as, vaddr_t addr, size_t len);

static int64_t
map_locked(struct aspace *as, const struct aspace_map *m, size_t len)
{
	struct vma *v;
	vaddr_t at = m->addr;

	if (m->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (check_range(at, len) != 0)
			return IS_ALIGNED(at, PAGE_SIZE) ? -ENOMEM : -EINVAL;
		if (at < USER_START)
			return -EPERM;
		if (m->flags & MAP_FIXED_NOREPLACE && !is_free(as, at, at + len))
			return -EEXIST;
	} else {
		at = place(as, m, len);
		if (at == 0)
			return -ENOMEM;
	}
	if (as->nr_vmas >= VMAS_MAX)
		return -ENOMEM;
	v = kmalloc(sizeof(*v));
	if (v == NULL || unmap_locked(as, at, len) != 0) {
		kfree(v);
		return -ENOMEM;
	}
	*v = (struct vma){.start = at,
			  .end = at + len,
			  .prot = m->prot,
			  .max_prot = m->max_prot,
			  .flags = m->flags & VMA_FLAGS,
			  .object = m->object,
			  .offset = m->offset};
	if (v->object != NULL)
		v->object->ops->get(v->object);
	aspace_insert(as, v);
	(void)aspace_merge(as, v);
	return (int64_t)at;
}

int64_t
aspace_map(struct aspace *as, const struct aspace_map *m)
{
	const size_t len = ALIGN_UP(m->len, PAGE_SIZE);
	int64_t at;

	if (m->len == 0)
		return -EINVAL;
	if (len == 0 || len > USER_END)
		return -ENOMEM;
	mutex_lock(&as->lock);
	at = too_much(as, len, m->prot, m->flags) ? -ENOMEM : map_locked(as, m, len);
	if (at >= 0 && m->flags & MAP_POPULATE && m->prot != PROT_NONE)
		aspace_populate_locked(as, (vaddr_t)at, (vaddr_t)at + len);
	mutex_unlock(&as->lock);
	return at;
}

/* Ranges begin and end at @start and @end, if there are any there. */
static int
cut_at(struct aspace *as, vaddr_t start, vaddr_t end)
{
	const int result = aspace_split(as, start);

	return result == 0 ? aspace_split(as, end) : result;
}

static int
unmap_locked(struct aspace *as, vaddr_t addr, size_t len)
{
	const vaddr_t end = addr + len;
	struct vma *v = aspace_find_from(as, addr);
	int result;

	if (v == NULL || v->start >= end)
		return 0;
	result = cut_at(as, addr, end);
	if (result != 0)
		return result;
	aspace_zap(as, addr, end);
	while ((v = aspace_find_from(as, addr)) != NULL && v->start < end)
		aspace_remove(as, v);
	return 0;
}

int
aspace_unmap(struct aspace *as, vaddr_t addr, size_t len)
{
	int result = check_range(addr, len);

	if (result != 0 || len == 0)
		return -EINVAL;
	mutex_lock(&as->lock);
	result = unmap_locked(as, addr, ALIGN_UP(len, PAGE_SIZE));
	mutex_unlock(&as->lock);
	return result;
}

/* --- rights ----------------------------------------------------------------------------------- */

/* Pages keep what they show; what they may lose is taken from them, what they gain comes with faults. */
static void
change_entries(struct aspace *as, const struct vma *v)
{
	vaddr_t va = v->start;
	pte_t *e;

	while ((e = aspace_next_entry(as, &va, v->end)) != NULL) {
		for (size_t n = entries_left(va, v->end); n > 0; n--, e++, va += PAGE_SIZE) {
			if (!shows_page(*e))
				continue;
			if (v->prot == PROT_NONE)
				*e = (*e & PTE_ADDR) | PTE_KEPT;
			else
				*e = (*e & PTE_ADDR) |
				     aspace_bits(v, v->prot & PROT_WRITE && *e & PTE_W);
		}
	}
	aspace_flush(as, v->start, v->end);
}

static int
protect_locked(struct aspace *as, vaddr_t addr, vaddr_t end, unsigned prot)
{
	vaddr_t at = addr;
	struct vma *v;
	int result = cut_at(as, addr, end);

	if (result != 0)
		return result;
	while (at < end) {
		v = aspace_find(as, at);
		if (v == NULL)
			return -ENOMEM;
		if (prot & ~v->max_prot)
			return -EACCES;
		v->prot = prot;
		change_entries(as, v);
		v = aspace_merge(as, v);
		at = v->end;
	}
	v = aspace_find(as, end);
	if (v != NULL && v->start == end)
		(void)aspace_merge(as, v);
	return 0;
}

int
aspace_protect(struct aspace *as, vaddr_t addr, size_t len, unsigned prot)
{
	const size_t pages = ALIGN_UP(len, PAGE_SIZE);
	int result;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (len == 0)
		return 0;
	if (pages == 0 || check_range(addr, len) != 0)
		return -ENOMEM;
	mutex_lock(&as->lock);
	result = protect_locked(as, addr, addr + pages, prot);
	mutex_unlock(&as->lock);
	return result;
}

/* --- mremap ----------------------------------------------------------------------------------- */

static int64_t
move_locked(struct aspace *as, struct vma *v, const struct aspace_remap *r)
{
	const bool fixed = (r->flags & MREMAP_FIXED) != 0;
	struct aspace_map m = {.addr = fixed ? r->new_addr : 0,
			       .prot = v->prot,
			       .max_prot = v->max_prot,
			       .flags = (v->flags & ~(unsigned)MAP_GROWSDOWN) |
					(fixed ? MAP_FIXED : 0),
			       .object = v->object,
			       .offset = v->offset + (r->old - v->start)};
	int64_t at = map_locked(as, &m, r->new_len);

	if (at < 0)
		return at;
	if (cut_at(as, r->old, r->old + r->old_len) != 0 ||
	    aspace_move_pages(as, r->old, (vaddr_t)at, MIN(r->old_len, r->new_len)) != 0) {
		(void)unmap_locked(as, (vaddr_t)at, r->new_len);
		return -ENOMEM;
	}
	(void)unmap_locked(as, r->old, r->old_len); /* which is cut already: needs no memory */
	return at;
}

static int64_t
remap_locked(struct aspace *as, const struct aspace_remap *r)
{
	struct vma *v = aspace_find(as, r->old);

	if (v == NULL || r->old_len > v->end - r->old)
		return -EFAULT;
	if (r->flags & MREMAP_FIXED)
		return move_locked(as, v, r);
	if (r->new_len <= r->old_len)
		return unmap_locked(as, r->old + r->new_len, r->old_len - r->new_len) != 0
			       ? -ENOMEM
			       : (int64_t)r->old;
	if (too_much(as, r->new_len - r->old_len, v->prot, v->flags))
		return -ENOMEM;
	if (r->old + r->old_len == v->end && r->new_len < USER_END - r->old &&
	    is_free(as, v->end, r->old + r->new_len)) {
		as->mapped += (r->new_len - r->old_len) / PAGE_SIZE;
		v->end = r->old + r->new_len;
		(void)aspace_merge(as, v);
		return (int64_t)r->old;
	}
	return r->flags & MREMAP_MAYMOVE ? move_locked(as, v, r) : -ENOMEM;
}

/* Do the two ranges meet? */
static bool
remap_overlaps(const struct aspace_remap *r)
{
	return r->new_addr < r->old + r->old_len && r->old < r->new_addr + r->new_len;
}

int64_t
aspace_remap(struct aspace *as, const struct aspace_remap *request)
{
	struct aspace_remap r = *request;
	int64_t result;

	r.old_len = ALIGN_UP(r.old_len, PAGE_SIZE);
	r.new_len = ALIGN_UP(r.new_len, PAGE_SIZE);
	if (r.flags & ~(unsigned)(MREMAP_MAYMOVE | MREMAP_FIXED) || !IS_ALIGNED(r.old, PAGE_SIZE) ||
	    r.new_len == 0 || r.old_len == 0 ||
	    (r.flags & MREMAP_FIXED && !(r.flags & MREMAP_MAYMOVE)))
		return -EINVAL;
	if (r.flags & MREMAP_FIXED && (check_range(r.new_addr, r.new_len) != 0 ||
				       r.new_addr < USER_START || remap_overlaps(&r)))
		return -EINVAL;
	mutex_lock(&as->lock);
	result = remap_locked(as, &r);
	mutex_unlock(&as->lock);
	return result;
}

/* --- madvise, brk -------------------------------------------------------------------------------- */

static int
advise_one(struct aspace *as, const struct vma *v, vaddr_t start, vaddr_t end, int advice)
{
	switch (advice) {
	case MADV_FREE:
		if (v->object != NULL)
			return -EINVAL;
		aspace_zap(as, start, end);
		return 0;
	case MADV_DONTNEED: aspace_zap(as, start, end); return 0;
	default: return 0;
	}
}

int
aspace_advise(struct aspace *as, vaddr_t addr, size_t len, int advice)
{
	const vaddr_t end = addr + ALIGN_UP(len, PAGE_SIZE);
	int result = 0;

	if (advice < 0 || (advice > MADV_DONTNEED && advice < MADV_FREE) || advice > MADV_COLD ||
	    check_range(addr, len) != 0)
		return -EINVAL;
	mutex_lock(&as->lock);
	for (vaddr_t at = addr; at < end;) {
		const struct vma *v = aspace_find_from(as, at);
		int one;

		if (v == NULL || v->start >= end) {
			result = -ENOMEM;
			break;
		}
		if (v->start > at)
			result = -ENOMEM; /* said at the end; what is there is advised */
		one = advise_one(as, v, MAX(at, v->start), MIN(end, v->end), advice);
		if (one != 0) {
			result = one;
			break;
		}
		at = v->end;
	}
	mutex_unlock(&as->lock);
	return result;
}

static vaddr_t
brk_locked(struct aspace *as, vaddr_t end)
{
	const vaddr_t old_page = ALIGN_UP(as->brk, PAGE_SIZE), page = ALIGN_UP(end, PAGE_SIZE);
	const struct aspace_map m = {.addr = old_page,
				     .prot = PROT_READ | PROT_WRITE,
				     .max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
				     .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};

	if (end < as->brk_start || end >= USER_END)
		return as->brk;
	if (page < old_page && unmap_locked(as, page, old_page - page) != 0)
		return as->brk;
	if (page > old_page &&
	    (end - as->brk_start > as->data_limit || !is_free(as, old_page, page) ||
	     too_much(as, page - old_page, m.prot, m.flags) ||
	     map_locked(as, &m, page - old_page) < 0))
		return as->brk;
	as->brk = end;
	return end;
}

vaddr_t
aspace_brk(struct aspace *as, vaddr_t end)
{
	vaddr_t result;

	mutex_lock(&as->lock);
	result = brk_locked(as, end);
	mutex_unlock(&as->lock);
	return result;
}

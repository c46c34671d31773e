/*
 * sys_mm.c - system calls on memory: their arguments checked, then mm/aspace_map.c.
 */
#include <fs/tmpfs.h>
#include <fs/vfs.h>
#include <kern/process.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <lib/string.h>
#include <mm/aspace.h>

/* --- mmap ---------------------------------------------------------------------------------------------- */

/* What a file's access mode allows of a mapping: 0 or -errno; fills @m in. */
static int
from_file(struct file *f, struct aspace_map *m)
{
	const unsigned access = f->flags & O_ACCMODE;
	const bool shared = (m->flags & MAP_TYPE) != MAP_PRIVATE;

	if (f->flags & O_PATH)
		return -EBADF;
	if (access == O_WRONLY)
		return -EACCES;
	if (shared && m->prot & PROT_WRITE && access != O_RDWR)
		return -EACCES;
	if (shared && access != O_RDWR)
		m->max_prot &= ~(unsigned)PROT_WRITE;
	if (f->ops->mmap == NULL)
		return -ENODEV;
	return f->ops->mmap(f, &m->object, m->prot, m->flags);
}

static int64_t
map_file(struct aspace_map *m, int fd)
{
	struct file *f = fd_get(fd);
	int64_t result;

	if (f == NULL)
		return -EBADF;
	result = from_file(f, m);
	if (result == 0)
		result = aspace_map(process_self()->as, m);
	file_put(f);
	return result;
}

/* Memory that stays shared over fork(): a file without a name. */
static int64_t
map_shared_zeros(struct aspace_map *m)
{
	struct file *f;
	int64_t result = tmpfs_unnamed(ALIGN_UP(m->len, PAGE_SIZE), &f);

	if (result != 0)
		return result;
	m->offset = 0;
	result = f->ops->mmap(f, &m->object, m->prot, m->flags);
	if (result == 0)
		result = aspace_map(process_self()->as, m);
	file_put(f);
	return result;
}

int64_t
sys_mmap(uint64_t addr, uint64_t len, uint64_t prot, uint64_t flags, int fd, uint64_t offset)
{
	struct aspace_map m = {.addr = addr,
			       .len = len,
			       .prot = (unsigned)prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
			       .max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
			       .flags = (unsigned)flags,
			       .offset = offset};
	const unsigned type = m.flags & MAP_TYPE;

	if (offset % PAGE_SIZE != 0)
		return -EINVAL;
	if ((flags & MAP_ANONYMOUS) == 0) {
		struct file *f = fd_get(fd);

		if (f == NULL)
			return -EBADF;
		file_put(f);
	}
	if (len == 0)
		return -EINVAL;
	if (ALIGN_UP(len, PAGE_SIZE) == 0 || len > USER_END)
		return -ENOMEM;
	if (offset + len < offset)
		return -EOVERFLOW;
	if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if ((flags & MAP_ANONYMOUS) == 0)
		return map_file(&m, fd);
	return type == MAP_PRIVATE ? aspace_map(process_self()->as, &m) : map_shared_zeros(&m);
}

int64_t
sys_munmap(uint64_t addr, uint64_t len)
{
	return aspace_unmap(process_self()->as, addr, len);
}

int64_t
sys_mprotect(uint64_t addr, uint64_t len, uint64_t prot)
{
	if (prot & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	return aspace_protect(process_self()->as, addr, len, (unsigned)prot & 7);
}

int64_t
sys_mremap(uint64_t old, uint64_t old_len, uint64_t new_len, uint64_t flags, uint64_t new_addr)
{
	const struct aspace_remap r = {.old = old,
				       .old_len = old_len,
				       .new_len = new_len,
				       .flags = (unsigned)flags,
				       .new_addr = new_addr};

	return aspace_remap(process_self()->as, &r);
}

int64_t
sys_brk(uint64_t end)
{
	return (int64_t)aspace_brk(process_self()->as, end);
}

int64_t
sys_madvise(uint64_t addr, uint64_t len, int advice)
{
	return aspace_advise(process_self()->as, addr, len, advice);
}

/* Is all of [addr, addr + len) mapped? */
static int
check_mapped(uint64_t addr, uint64_t len)
{
	struct aspace *as = process_self()->as;
	const uint64_t end = addr + ALIGN_UP(len, PAGE_SIZE);
	int result = 0;

	if (end < addr || end > USER_END)
		return -ENOMEM;
	mutex_lock(&as->lock);
	for (uint64_t at = addr; at < end;) {
		const struct vma *v = aspace_find(as, at);

		if (v == NULL) {
			result = -ENOMEM;
			break;
		}
		at = v->end;
	}
	mutex_unlock(&as->lock);
	return result;
}

int64_t
sys_msync(uint64_t addr, uint64_t len, int flags)
{
	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || addr % PAGE_SIZE != 0 ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	return check_mapped(addr, len);
}

int64_t
sys_mincore(uint64_t addr, uint64_t len, uptr_t out)
{
	int result;

	if (addr % PAGE_SIZE != 0)
		return -EINVAL;
	if (addr >= USER_END || len > USER_END)
		return -ENOMEM;
	result = check_mapped(addr, len);
	for (uint64_t i = 0; result == 0 && i < ALIGN_UP(len, PAGE_SIZE) / PAGE_SIZE; i++) {
		const uint8_t there = aspace_resident(process_self()->as, addr + i * PAGE_SIZE);

		result = put_user(there, uptr_add(out, i));
	}
	return result;
}

/* Nothing is ever paged out, so these have nothing to do but to bring pages in. */
static int64_t
lock_range(uint64_t addr, uint64_t len)
{
	const uint64_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	struct aspace *as = process_self()->as;
	const int result = check_mapped(start, len + (addr - start));

	if (result != 0)
		return result;
	mutex_lock(&as->lock);
	aspace_populate_locked(as, start, ALIGN_UP(addr + len, PAGE_SIZE));
	mutex_unlock(&as->lock);
	return 0;
}

int64_t
sys_mlock(uint64_t addr, uint64_t len)
{
	return lock_range(addr, len);
}

int64_t
sys_munlock(uint64_t addr, uint64_t len)
{
	const uint64_t start = ALIGN_DOWN(addr, PAGE_SIZE);

	return check_mapped(start, len + (addr - start));
}

int64_t
sys_mlockall(int flags)
{
	if (flags == 0 || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	return 0;
}

int64_t
sys_munlockall(void)
{
	return 0;
}

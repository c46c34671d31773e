/*
 * vdso.c - keeps the vDSO's page of data, and maps it and its code into programs.
 */
#include <kern/vdso.h>
#include <kern/spinlock.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/pmm.h>

#define CODE_SIZE ((size_t)((uintptr_t)vdso_image_end - (uintptr_t)vdso_image))

/* A page that programs see has nothing else in it. */
static union {
	struct vdso_data data;
	uint8_t page[PAGE_SIZE];
} shown __attribute__((aligned(PAGE_SIZE)));

static struct spinlock lock = SPINLOCK_INIT("vdso"); /* who changes it */

static uint64_t ACQUIRE(lock) change_begin(void)
{
	const uint64_t flags = spin_lock(&lock);

	__atomic_store_n(&shown.data.seq, shown.data.seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return flags;
}

static void RELEASE(lock) change_end(uint64_t flags)
{
	__atomic_store_n(&shown.data.seq, shown.data.seq + 1, __ATOMIC_RELEASE);
	spin_unlock(&lock, flags);
}

void
vdso_set_scale(const struct timescale *s)
{
	const uint64_t flags = change_begin();

	shown.data.scale = *s;
	change_end(flags);
}

void
vdso_set_wall(uint64_t ns)
{
	const uint64_t flags = change_begin();

	shown.data.wall_ns = ns;
	change_end(flags);
}

/* --- mapping ----------------------------------------------------------------------------------------- */

/* Frames of the kernel's image: it holds them itself, so that they are never given back. */
static int
show(const void *page, paddr_t *frame)
{
	*frame = virt_to_phys(page);
	frame_get(*frame);
	return 0;
}

static int
data_page(struct vm_object *o, uint64_t index, paddr_t *frame)
{
	(void)o;
	return index == 0 ? show(&shown, frame) : -ENXIO;
}

static int
code_page(struct vm_object *o, uint64_t index, paddr_t *frame)
{
	(void)o;
	return index < CODE_SIZE / PAGE_SIZE ? show(vdso_image + index * PAGE_SIZE, frame) : -ENXIO;
}

static void
nothing(struct vm_object *o)
{
	(void)o;
}

static void
not_written(struct vm_object *o, uint64_t index)
{
	(void)o;
	(void)index;
}

static void
describe_data(struct vm_object *o, struct vm_name *out)
{
	(void)o;
	out->device = out->inode = 0;
	(void)strlcpy(out->name, "[vvar]", sizeof(out->name));
}

static void
describe_code(struct vm_object *o, struct vm_name *out)
{
	(void)o;
	out->device = out->inode = 0;
	(void)strlcpy(out->name, "[vdso]", sizeof(out->name));
}

static const struct vm_object_ops data_ops = {data_page, not_written, nothing, nothing,
					      describe_data};
static const struct vm_object_ops code_ops = {code_page, not_written, nothing, nothing,
					      describe_code};
static struct vm_object data_object = {&data_ops}, code_object = {&code_ops};

static int64_t
map_part(struct aspace *as, vaddr_t at, size_t len, unsigned prot, struct vm_object *o)
{
	const struct aspace_map m = {.addr = at,
				     .len = len,
				     .prot = prot,
				     .max_prot = prot,
				     .flags = MAP_PRIVATE | MAP_FIXED,
				     .object = o};

	return aspace_map(as, &m);
}

int
vdso_map(struct aspace *as, vaddr_t *at)
{
	const vaddr_t start = as->mmap_top - PAGE_SIZE - CODE_SIZE;
	int64_t result = map_part(as, start, PAGE_SIZE, PROT_READ, &data_object);

	if (result >= 0)
		result = map_part(as, start + PAGE_SIZE, CODE_SIZE, PROT_READ | PROT_EXEC,
				  &code_object);
	if (result < 0)
		return (int)result;
	as->mmap_top = start;
	*at = start + PAGE_SIZE;
	return 0;
}

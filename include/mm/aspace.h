/*
 * aspace.h - the memory of a program: an address space of ranges, filled as it is touched.
 *
 * Implementation: mm/aspace*.c.  A range (struct vma) has rights, and what its pages come from: zeros,
 * or an object (a file).  Its page tables are filled by aspace_fault(); private pages that
 * are shared after a fork are copied when one side writes (mm/frame.h counts holders).  The upper
 * half of each PML4 is the kernel's, the same for all.
 * Theory and drawing: docs/memory.md, "Programs".
 */
#pragma once
#include <kern/base.h>
#include <kern/sync.h>
#include <lib/list.h>
#include <uapi/mman.h>

/*
 * Pages of something that can be mapped: implemented by the page cache of files.  The frame is held
 * (frame_get) for the caller, who gives it back with frame_put().
 */
struct vm_object;
/* What is mapped: st_dev, st_ino, and a path. */
struct vm_name {
	uint64_t device, inode;
	char name[1024];
};
struct vm_object_ops {
	/* The frame of page @index, read in if need be.  0, -EIO, -ENOMEM, -ENXIO past the end (SIGBUS). */
	int (*get_page)(struct vm_object *o, uint64_t index, paddr_t *frame);
	/* A shared mapping is about to write to it. */
	void (*page_dirty)(struct vm_object *o, uint64_t index);
	void (*get)(struct vm_object *o); /* one user more, one less */
	void (*put)(struct vm_object *o);
	/* For /proc/PID/maps. */
	void (*describe)(struct vm_object *o, struct vm_name *out);
};
struct vm_object {
	const struct vm_object_ops *ops;
};

/* Legend: [as] aspace.lock. */
struct vma {
	struct list node;   /* [as] in aspace.vmas, by address */
	vaddr_t start, end; /* [as] page-aligned */
	unsigned prot;	    /* [as] PROT_* */
	unsigned
		max_prot; /* [as] what mprotect() may give: a shared file opened read-only stays so */
	unsigned flags;	  /* [as] MAP_PRIVATE or MAP_SHARED, MAP_ANONYMOUS, MAP_GROWSDOWN ... */
	struct vm_object
		*object; /* [as] NULL = zeros; shared anonymous memory has an object, too */
	uint64_t offset; /* [as] of start in the object, bytes */
};

struct aspace {
	struct mutex lock;	 /* after an inode's, before a page cache's: docs/locking.md */
	paddr_t pml4;		 /* [I] */
	paddr_t *tables;	 /* [as] frames of the tables below it */
	size_t nr_tables, room;	 /* [as] how many; and for how many there is room */
	unsigned refs;		 /* [a] tasks that run in it, and who looks at it */
	struct list vmas;	 /* [as] */
	struct vma *last_hit;	 /* [as] what the last question was about, or NULL */
	size_t nr_vmas;		 /* [as] */
	vaddr_t brk_start, brk;	 /* [as] */
	vaddr_t mmap_top;	 /* [I] mappings are placed downwards from here */
	vaddr_t stack_top;	 /* [I] */
	size_t mapped, resident; /* [as] pages: in ranges; with a frame of their own */
	uint64_t stack_limit, data_limit, as_limit; /* [as] bytes, RLIMIT_STACK, _DATA, _AS */
	/* What execve() put where, for /proc. */
	vaddr_t code_start, code_end, args_start, args_end, env_start, env_end;
};

#define VMAS_MAX   65530     /* ranges, as Linux's vm.max_map_count */
#define USER_START 0x10000UL /* nothing is mapped below, as with Linux's vm.mmap_min_addr */
/* Of a mapping's flags, those that a range keeps. */
#define VMA_FLAGS  (MAP_TYPE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_NORESERVE | MAP_STACK)

/* Empty.  NULL when memory is short. */
struct aspace *aspace_create(void) MUST_CHECK;
/* A copy for fork(): private pages are shared until written to.  NULL when memory is short. */
struct aspace *aspace_fork(struct aspace *src) MUST_CHECK;
void aspace_get(struct aspace *as);
/* The last one frees it.  Not while it is loaded: aspace_switch() away first. */
void aspace_put(struct aspace *as);
/* Load its tables, unless they are loaded; NULL = the kernel's own, which no kernel thread needs. */
void aspace_switch(struct aspace *as);

/*
 * What mmap(2) does, with checked arguments or not: the address, or -EINVAL, -ENOMEM, -EEXIST
 * (MAP_FIXED_NOREPLACE), -EPERM ... as a negative number.  Takes a user of @object more (NULL =
 * anonymous).  @offset: bytes.
 */
struct aspace_map {
	vaddr_t addr;
	size_t len;
	unsigned prot, max_prot, flags;
	struct vm_object *object;
	uint64_t offset;
};
int64_t aspace_map(struct aspace *as, const struct aspace_map *m);
int aspace_unmap(struct aspace *as, vaddr_t addr, size_t len);
int aspace_protect(struct aspace *as, vaddr_t addr, size_t len, unsigned prot);
/* What mremap(2) does: the new address, or -errno. */
struct aspace_remap {
	vaddr_t old;
	size_t old_len, new_len;
	unsigned flags;	  /* MREMAP_* */
	vaddr_t new_addr; /* with MREMAP_FIXED */
};
int64_t aspace_remap(struct aspace *as, const struct aspace_remap *request);
int aspace_advise(struct aspace *as, vaddr_t addr, size_t len, int advice);
/* The new end, or the old one when it cannot be: what brk(2) returns. */
vaddr_t aspace_brk(struct aspace *as, vaddr_t end);

/*
 * Bring in the page of @va for an access as the page-fault error code @error says.  0; -EFAULT
 * (nothing mapped: SEGV_MAPERR), -EACCES (SEGV_ACCERR), -ENXIO (past the end of a file: SIGBUS), -EIO,
 * -ENOMEM (the caller has the OOM killer choose).  Context: thread, no spinlock held.
 */
int aspace_fault(struct aspace *as, vaddr_t va, uint64_t error);

/*
 * For who looks at them one after the other: *@out is a copy of the first range that ends behind @va, its object with
 * a reference more.  False: there is none.
 */
bool aspace_range_at(struct aspace *as, vaddr_t va, struct vma *out);
/* Copy @n bytes at @va, within one page, from any address space, loaded or not.  0, or -EFAULT: it is not there. */
int aspace_peek(struct aspace *as, vaddr_t va, void *buf, size_t n);
/* Is the page of @va there? */
bool aspace_resident(struct aspace *as, vaddr_t va);
/* Are its tables the ones that the CPU uses? */
bool aspace_loaded(const struct aspace *as);
/* Bring in all pages of [start, end) that can be; as->lock is held. */
void aspace_populate_locked(struct aspace *as, vaddr_t start, vaddr_t end);
/* The range that holds @va, or NULL; as->lock is held. */
struct vma *aspace_find(struct aspace *as, vaddr_t va);

/*
 * pmm_shim.h - the frame allocator on the host: an invented memory map, and memory behind it as far
 * as it is touched.  Include it in one file per program.
 */
#pragma once
#include "host.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include "mm_shim.h"
#include <boot/boot_info.h>
#include <kern/boot_trace.h>
#include <mm/pmm.h>
#include <mm/shrink.h>
#include <x86/cpu.h>

#define IMAGE_START MIB(1)
#define IMAGE_END   (MIB(1) + KIB(300))

static struct boot_info info;
static struct boot_mem ram_map[32];
static size_t nr_map;

const struct boot_info *
boot_info(void)
{
	return &info;
}

const struct boot_mem *
boot_map(size_t *count)
{
	*count = nr_map;
	return ram_map;
}

/* Frames that the heap could give back: there is none here. */
size_t
mm_shrink(size_t want)
{
	(void)want;
	return 0;
}

void
page_zero(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

static inline void
add(uint64_t start, uint64_t end, uint32_t type)
{
	ram_map[nr_map++] = (struct boot_mem){start, end - start, type, 1};
}

static inline void
new_map(void)
{
	nr_map = 0;
	memset(&info, 0, sizeof(info));
	info.kernel_start = IMAGE_START;
	info.kernel_end = IMAGE_END;
}

/* "Physical memory" below 4 GiB, backed as it is touched: the allocator keeps its tables there. */
static inline void
start_allocator(void)
{
	void *arena = mmap(NULL, GIB(4), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(arena != MAP_FAILED);
	direct_map_base = (uint64_t)arena;
	assert_int_equal(pmm_init(), 0);
}

/* The allocator is one per kernel: each scenario gets a process of its own. */
static inline void
in_child(void (*fn)(void))
{
	int status = 0;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the scenario failed (status %#x)", status);
}

#define CHILD_CHECK(e)                                                          \
	do {                                                                    \
		if (!(e)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #e); \
			_exit(1);                                               \
		}                                                               \
	} while (0)

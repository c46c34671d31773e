/*
 * test_init.c - start-up code and data are gone, and known by name.
 */
#include "tests.h"
#include <kern/init.h>
#include <kern/ksym.h>
#include <kern/selftest.h>
#include <lib/string.h>
#include <mm/image.h>
#include <mm/pmm.h>
#include <mm/vmm.h>
#include <x86/trap.h>

static void
call(void *fn)
{
	void (*f)(void);

	memcpy(&f, &fn, sizeof(f));
	f();
}

static void
check_gone(const uint8_t *start, const uint8_t *end)
{
	struct vmm_walk w;

	CHECK(start < end);
	for (const uint8_t *p = start; p < end; p += PAGE_SIZE) {
		CHECK_EQ(vmm_translate((vaddr_t)p, NULL), -ENOENT);
		CHECK(pmm_is_ram(virt_to_phys(p)));
		vmm_walk((vaddr_t)phys_to_virt(virt_to_phys(p)), &w);
		CHECK(w.present && w.write); /* ordinary memory */
	}
}

void
test_init_freed(void)
{
	const uint64_t fn = ksym_find("pat_init"); /* a name: a reference would not link */
	uint64_t offset = 1;
	char text[64];
	const char *name = ksym_lookup(fn, &offset);

	check_gone(kernel_init_text_start, kernel_init_text_end);
	check_gone(kernel_init_data_start, kernel_init_data_end);
	CHECK_EQ(init_released(), (size_t)(kernel_init_text_end - kernel_init_text_start) +
					  (size_t)(kernel_init_data_end - kernel_init_data_start));
	CHECK(name != NULL && strcmp(name, "pat_init") == 0 && offset == 0);
	CHECK(ksym_is_code(fn) && init_is_gone(fn) && !init_is_gone((vaddr_t)test_init_freed));
	CHECK_EQ(selftest_catch(call, (void *)fn), TRAP_PF);
	CHECK(init_describe(fn, text, sizeof(text)));
	CHECK(strcmp(text, "freed .init code: pat_init") == 0);
	CHECK(init_describe((vaddr_t)kernel_init_data_start, text, sizeof(text)));
	CHECK(strstr(text, "freed .init data: ") == text);
	CHECK(!init_describe((vaddr_t)test_init_freed, text, sizeof(text)));
}

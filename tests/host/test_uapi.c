/*
 * test_uapi.c - include/uapi says of numbers and layouts what the host's headers say: so programs find Linux' here.
 *
 * SOURCES: tests/host/uapi_ours.c
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <linux/auxvec.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include "uapi.h"
#include <cmocka.h>

#define VALUE(n)	       {#n, (long long)(n)},
#define SIZE(ours, theirs)     {"size of " #theirs, sizeof(theirs)},
#define AT(ours, f, theirs, g) {#theirs ": " #g, offsetof(theirs, g)},

static const struct uapi_entry theirs[] = {
#include "uapi_list.h"
};

static void
test_same_as_the_host(void **state)
{
	int wrong = 0;

	(void)state;
	assert_int_equal(uapi_ours_count, sizeof(theirs) / sizeof(theirs[0]));
	assert_true(uapi_ours_count > 200);
	for (size_t i = 0; i < uapi_ours_count; i++) {
		assert_string_equal(uapi_ours[i].name, theirs[i].name);
		if (uapi_ours[i].value != theirs[i].value) {
			print_message("%s: ours %lld, the host's %lld\n", theirs[i].name,
				      uapi_ours[i].value, theirs[i].value);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * uapi.h - between uapi_ours.c and test_uapi.c: a name and its number.
 */
#pragma once
#include <stddef.h>

struct uapi_entry {
	const char *name;
	long long value;
};
extern const struct uapi_entry uapi_ours[];
extern const size_t uapi_ours_count;

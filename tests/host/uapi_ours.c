/*
 * uapi_ours.c - the numbers of uapi_list.h by include/uapi, with none of the host's headers in sight.
 */
#include <uapi/elf.h>
#include <uapi/fcntl.h>
#include <uapi/mman.h>
#include <uapi/prctl.h>
#include <uapi/resource.h>
#include <uapi/sched.h>
#include <uapi/signal.h>
#include <uapi/socket.h>
#include <uapi/stat.h>
#include <uapi/statfs.h>
#include <uapi/time.h>
#include "uapi.h"

#define VALUE(n)	       {#n, (long long)(n)},
#define SIZE(ours, theirs)     {"size of " #theirs, sizeof(struct ours)},
#define AT(ours, f, theirs, g) {#theirs ": " #g, offsetof(struct ours, f)},

const struct uapi_entry uapi_ours[] = {
#include "uapi_list.h"
};
const size_t uapi_ours_count = sizeof(uapi_ours) / sizeof(uapi_ours[0]);

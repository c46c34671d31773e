/*
 * resource.h - getrusage(2), times(2), sysinfo(2), uname(2) as Linux x86-64 programs see them.
 */
#pragma once
#include <stdint.h>

struct k_timeval {
	int64_t sec, usec;
};

struct k_rusage {
	struct k_timeval utime, stime;
	int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd,
		msgrcv, nsignals, nvcsw, nivcsw;
};

#define RUSAGE_SELF	0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_BOTH	(-2)
#define RUSAGE_THREAD	1

struct k_tms {
	int64_t utime, stime, cutime, cstime;
};

struct k_sysinfo {
	int64_t uptime;
	uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit, pad2;
};

/* What programs take for the kernel's version: the Linux whose calls these are. */
#define LINUX_RELEASE "6.1.0-minos"

#define UTSNAME_LEN 65
struct k_utsname {
	char sysname[UTSNAME_LEN], nodename[UTSNAME_LEN], release[UTSNAME_LEN],
		version[UTSNAME_LEN], machine[UTSNAME_LEN], domainname[UTSNAME_LEN];
};

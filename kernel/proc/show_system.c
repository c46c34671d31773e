/*
 * show_system.c - files of /proc about the machine and the system.  Formats: proc(5).
 */
#include <fs/pipe.h>
#include <fs/procfs.h>
#include <kern/clock.h>
#include <kern/cmdline.h>
#include <kern/irq.h>
#include <kern/ksym.h>
#include <kern/random.h>
#include <kern/sched.h>
#include <kern/version.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/pmm.h>
#include <uapi/resource.h>
#include <x86/cpu.h>
#include "show.h"

static void
show_kib(struct text *t, const char *name, uint64_t frames)
{
	text_printf(t, "%-15s %8lu kB\n", name, frames * (PAGE_SIZE / 1024));
}

static void
show_meminfo(struct text *t, struct process *p)
{
	size_t by[PMM_NR_OWNERS];
	struct pmm_stats s;

	(void)p;
	pmm_stats(&s);
	pmm_owner_counts(by);
	show_kib(t, "MemTotal:", s.total);
	show_kib(t, "MemFree:", s.free);
	show_kib(t, "MemAvailable:", s.free);
	show_kib(t, "Buffers:", 0);
	show_kib(t, "Cached:", by[PMM_CACHE & PMM_ID]);
	show_kib(t, "SwapCached:", 0);
	show_kib(t, "AnonPages:", by[PMM_USER & PMM_ID]);
	show_kib(t, "Shmem:", by[PMM_CACHE & PMM_ID]); /* files live in memory alone */
	show_kib(t, "Slab:", by[PMM_SLAB & PMM_ID] + by[PMM_LARGE & PMM_ID]);
	show_kib(t, "SReclaimable:", 0);
	show_kib(t, "KernelStack:", by[PMM_STACK & PMM_ID]);
	show_kib(t, "PageTables:", by[PMM_PAGE_TABLE & PMM_ID]);
	show_kib(t, "SwapTotal:", 0);
	show_kib(t, "SwapFree:", 0);
}

static void
show_uptime(struct text *t, struct process *p)
{
	const uint64_t up = clock_ns() / 10000000, idle = sched_idle_ns() / 10000000;

	(void)p;
	text_printf(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
}

static void
show_loadavg(struct text *t, struct process *p)
{
	unsigned running = 0, all = 0;
	int last;

	(void)p;
	for (unsigned k = 0; k < 3; k++) {
		const uint64_t hundredths = load_average(k) * 100 / 65536;

		text_printf(t, "%lu.%02lu ", hundredths / 100, hundredths % 100);
	}
	mutex_lock(&process_lock);
	list_for_each_entry (p, &process_all, all_node) {
		running += process_state(p) == 'R';
		all++;
	}
	last = process_last_pid;
	mutex_unlock(&process_lock);
	text_printf(t, "%u/%u %d\n", running, all, last);
}

static void
show_stat(struct text *t, struct process *p)
{
	const struct cpu_ticks ticks = process_all_ticks();
	const uint64_t idle = sched_idle_ns() / NS_PER_TICK;
	uint64_t irqs = 0, started;
	unsigned running = 0;

	mutex_lock(&process_lock);
	list_for_each_entry (p, &process_all, all_node)
		running += process_state(p) == 'R';
	started = process_nr_started;
	mutex_unlock(&process_lock);
	for (unsigned cpu = 0; cpu < 2; cpu++) /* the sum of all, then the one there is */
		text_printf(t, "cpu%s %lu 0 %lu %lu 0 0 0 0 0 0\n", cpu == 0 ? " " : "0",
			    ticks.user, ticks.system, idle);
	for (unsigned i = 0; i < IRQ_MAX; i++)
		irqs += irq_count(i);
	text_printf(
		t,
		"intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %u\nprocs_blocked 0\n",
		irqs, sched_switches(), (uint64_t)(clock_wall() - clock_ns() / NS_PER_SEC), started,
		running);
}

static void
show_version(struct text *t, struct process *p)
{
	(void)p;
	text_printf(t, "Linux version %s (%s) %s\n", LINUX_RELEASE, "MinOS",
		    MINOS_NAME " " MINOS_VERSION " " MINOS_MACHINE);
}

static void
show_cmdline(struct text *t, struct process *p)
{
	(void)p;
	text_printf(t, "%s\n", cmdline_raw());
}

/* --- the processor ------------------------------------------------------------------------------- */

struct flags {
	uint32_t leaf;
	uint8_t reg; /* eax 0, ebx 1, ecx 2, edx 3 */
	const char *names;
};

/* As Linux names them; "-" for bits that it does not show. */
static const struct flags cpu_flags[] = {
	{1, 3,
	 "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - "
	 "dts acpi mmx fxsr "
	 "sse sse2 ss ht tm ia64 pbe"},
	{0x80000001, 3,
	 "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - "
	 "lm 3dnowext 3dnow"},
	{1, 2,
	 "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - "
	 "pcid dca sse4_1 "
	 "sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor"},
	{0x80000001, 2,
	 "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs "
	 "xop skinit wdt - lwp "
	 "fma4 tce - nodeid_msr - tbm topoext"},
	{7, 1,
	 "fsgsbase tsc_adjust - bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - - - avx512f "
	 "avx512dq rdseed adx smap "
	 "avx512ifma - clflushopt clwb - avx512pf avx512er avx512cd sha_ni avx512bw avx512vl"},
	{7, 2, "- avx512vbmi umip pku ospke - - - gfni vaes vpclmulqdq"},
};

static void
show_flags(struct text *t, const struct flags *f)
{
	const struct cpuid_regs r = cpuid(f->leaf, 0);
	const uint32_t regs[] = {r.eax, r.ebx, r.ecx, r.edx};
	const char *name = f->names;

	for (uint32_t bits = regs[f->reg]; *name != '\0'; bits >>= 1) {
		const char *end = strchr(name, ' ');
		const size_t len = end != NULL ? (size_t)(end - name) : strlen(name);

		if ((bits & 1) != 0 && *name != '-')
			text_printf(t, " %.*s", (int)len, name);
		name += len + (end != NULL);
	}
}

static void
show_cpuinfo(struct text *t, struct process *p)
{
	const struct cpu_features *f = &cpu_features;
	const uint64_t khz = clock_tsc_hz() / 1000;

	(void)p;
	text_printf(t,
		    "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel "
		    "name\t: %s\n",
		    f->vendor, f->family, f->model, f->brand);
	text_printf(t,
		    "stepping\t: %u\ncpu MHz\t\t: %lu.%03lu\nphysical id\t: 0\nsiblings\t: 1\ncore "
		    "id\t\t: 0\n"
		    "cpu cores\t: 1\nfpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\nflags\t\t:",
		    f->stepping, khz / 1000, khz % 1000);
	for (size_t i = 0; i < ARRAY_SIZE(cpu_flags); i++) {
		if (cpu_flags[i].leaf <=
		    (cpu_flags[i].leaf & 0x80000000 ? f->max_ext_leaf : f->max_leaf))
			show_flags(t, &cpu_flags[i]);
	}
	text_printf(
		t,
		"\nbogomips\t: %lu.%02lu\naddress sizes\t: %u bits physical, %u bits virtual\n\n",
		khz / 500, khz / 5 % 100, f->phys_bits, f->virt_bits);
}

static void
show_interrupts(struct text *t, struct process *p)
{
	(void)p;
	text_printf(t, "           CPU0\n");
	for (unsigned i = 0; i < IRQ_MAX; i++) {
		struct irq_stat s;

		irq_stat(i, &s);
		if (s.name != NULL)
			text_printf(t, "%3u: %10lu   %s %s   %s\n", i, s.count,
				    s.chip != NULL ? s.chip : "-", s.where, s.name);
	}
}

static void
show_kallsyms(struct text *t, struct process *p)
{
	const char *name;
	uint64_t addr;

	(void)p;
	for (size_t i = 0; (name = ksym_at(i, &addr)) != NULL; i++)
		text_printf(t, "%016lx %c %s\n", addr, ksym_is_code(addr) ? 't' : 'd', name);
}

/* --- tables ---------------------------------------------------------------------------------------- */

static void
show_filesystems(struct text *t, struct process *p)
{
	(void)p;
	fs_types_show(t);
}

static void
show_devices(struct text *t, struct process *p)
{
	(void)p;
	text_printf(
		t,
		"Character devices:\n  1 mem\n  4 tty\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n\n"
		"Block devices:\n");
}

static void
show_partitions(struct text *t, struct process *p)
{
	(void)p;
	text_printf(t, "major minor  #blocks  name\n\n");
}

static void
show_swaps(struct text *t, struct process *p)
{
	(void)p;
	text_printf(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
}

/* --- sys/ ------------------------------------------------------------------------------------------- */

static void
show_hostname(struct text *t, struct process *p)
{
	char name[UTSNAME_LEN];

	(void)p;
	host_name_get(name);
	text_printf(t, "%s\n", name);
}

static int
store_hostname(struct process *p, const char *value)
{
	(void)p;
	return host_name_set(value);
}

#define TEXT(name, value)                                   \
	static void name(struct text *t, struct process *p) \
	{                                                   \
		(void)p;                                    \
		text_printf(t, "%s\n", value);              \
	}
#define NUMBER(name, value)                                 \
	static void name(struct text *t, struct process *p) \
	{                                                   \
		(void)p;                                    \
		text_printf(t, "%lu\n", (uint64_t)(value)); \
	}

TEXT(show_ostype, "Linux")
TEXT(show_osrelease, LINUX_RELEASE)
TEXT(show_osversion, "MinOS " MINOS_VERSION)
NUMBER(show_pid_max, PID_MAX)
NUMBER(show_ngroups_max, NGROUPS_MAX)
NUMBER(show_overcommit, 0) /* as Linux by default: refuses what is plainly too much */
NUMBER(show_max_map_count, VMAS_MAX)
NUMBER(show_mmap_min, USER_START)
NUMBER(show_pipe_max, PIPE_SIZE_MAX)
NUMBER(show_file_max, FILES_LIMIT)

static void
show_uuid(struct text *t, struct process *p)
{
	uint8_t b[16];

	(void)p;
	random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40; /* RFC 4122: version 4, variant 1 */
	b[8] = (b[8] & 0x3f) | 0x80;
	for (unsigned i = 0; i < sizeof(b); i++)
		text_printf(t, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	text_printf(t, "\n");
}

/* Files of one folder stand together. */
const struct proc_file proc_system_files[] = {
	{"cmdline", 0444, show_cmdline, NULL},
	{"cpuinfo", 0444, show_cpuinfo, NULL},
	{"devices", 0444, show_devices, NULL},
	{"filesystems", 0444, show_filesystems, NULL},
	{"interrupts", 0444, show_interrupts, NULL},
	{"kallsyms", 0400, show_kallsyms, NULL},
	{"loadavg", 0444, show_loadavg, NULL},
	{"meminfo", 0444, show_meminfo, NULL},
	{"mounts", 0444, show_mounts, NULL},
	{"partitions", 0444, show_partitions, NULL},
	{"stat", 0444, show_stat, NULL},
	{"swaps", 0444, show_swaps, NULL},
	{"uptime", 0444, show_uptime, NULL},
	{"version", 0444, show_version, NULL},
	{"sys/fs/file-max", 0444, show_file_max, NULL},
	{"sys/fs/pipe-max-size", 0444, show_pipe_max, NULL},
	{"sys/kernel/hostname", 0644, show_hostname, store_hostname},
	{"sys/kernel/ngroups_max", 0444, show_ngroups_max, NULL},
	{"sys/kernel/osrelease", 0444, show_osrelease, NULL},
	{"sys/kernel/ostype", 0444, show_ostype, NULL},
	{"sys/kernel/pid_max", 0444, show_pid_max, NULL},
	{"sys/kernel/random/uuid", 0444, show_uuid, NULL},
	{"sys/kernel/version", 0444, show_osversion, NULL},
	{"sys/vm/max_map_count", 0444, show_max_map_count, NULL},
	{"sys/vm/mmap_min_addr", 0444, show_mmap_min, NULL},
	{"sys/vm/overcommit_memory", 0444, show_overcommit, NULL},
	{NULL, 0, NULL, NULL},
};

/*
 * sys_info.c - limits, usage, the machine's name and state.
 */
#include <dev/power.h>
#include <kern/clock.h>
#include <kern/process.h>
#include <kern/random.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <kern/version.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/kmalloc.h>
#include <mm/pmm.h>
#include <uapi/resource.h>
#include <uapi/sched.h>
#include "proc/internal.h"

static struct mutex names_lock = MUTEX_INIT(names_lock, "host name");
static char node_name[UTSNAME_LEN] = "minos", domain_name[UTSNAME_LEN] = "(none)"; /* [names] */

void
host_name_get(char *buf)
{
	mutex_lock(&names_lock);
	memcpy(buf, node_name, UTSNAME_LEN);
	mutex_unlock(&names_lock);
}

int
host_name_set(const char *name)
{
	if (strlen(name) >= UTSNAME_LEN)
		return -EINVAL;
	mutex_lock(&names_lock);
	memset(node_name, 0, sizeof(node_name));
	(void)strlcpy(node_name, name, sizeof(node_name));
	mutex_unlock(&names_lock);
	return 0;
}

int64_t
sys_uname(uptr_t out)
{
	struct k_utsname u = {0};

	(void)strlcpy(u.sysname, "Linux", sizeof(u.sysname));
	(void)strlcpy(u.release, LINUX_RELEASE, sizeof(u.release));
	(void)strlcpy(u.version, "MinOS " MINOS_VERSION, sizeof(u.version));
	(void)strlcpy(u.machine, "x86_64", sizeof(u.machine));
	mutex_lock(&names_lock);
	memcpy(u.nodename, node_name, sizeof(u.nodename));
	memcpy(u.domainname, domain_name, sizeof(u.domainname));
	mutex_unlock(&names_lock);
	return copy_to_user(out, &u, sizeof(u));
}

#define REBOOT_MAGIC1  0xfee1dead
#define REBOOT_RESTART 0x01234567
#define REBOOT_HALT    0xcdef0123
#define REBOOT_OFF     0x4321fedc
#define REBOOT_CAD_ON  0x89abcdef
#define REBOOT_CAD_OFF 0

int64_t
sys_reboot(unsigned magic1, unsigned magic2, unsigned cmd, uptr_t arg)
{
	static const unsigned magic[] = {672274793, 85072278, 369367448, 537993216};
	bool known = false;

	(void)arg;
	if (process_self()->cred.euid != 0)
		return -EPERM;
	for (size_t i = 0; i < ARRAY_SIZE(magic); i++)
		known |= magic2 == magic[i];
	if (magic1 != REBOOT_MAGIC1 || !known)
		return -EINVAL;
	switch (cmd) {
	case REBOOT_RESTART: power_reboot();
	case REBOOT_HALT:
	case REBOOT_OFF: power_off();
	case REBOOT_CAD_ON:
	case REBOOT_CAD_OFF: return 0; /* Ctrl-Alt-Del restarts in any case */
	default: return -EINVAL;
	}
}

static int64_t
set_name(char *place, uptr_t name, int len)
{
	char buf[UTSNAME_LEN] = {0};

	if (process_self()->cred.euid != 0)
		return -EPERM;
	if (len < 0 || len >= UTSNAME_LEN)
		return -EINVAL;
	if (copy_from_user(buf, name, (size_t)len) != 0)
		return -EFAULT;
	mutex_lock(&names_lock);
	memcpy(place, buf, sizeof(buf));
	mutex_unlock(&names_lock);
	return 0;
}

int64_t
sys_sethostname(uptr_t name, int len)
{
	return set_name(node_name, name, len);
}

int64_t
sys_setdomainname(uptr_t name, int len)
{
	return set_name(domain_name, name, len);
}

int64_t
sys_sysinfo(uptr_t out)
{
	struct k_sysinfo s = {.uptime = (int64_t)(clock_ns() / NS_PER_SEC), .mem_unit = 1};
	const struct process *p;
	struct pmm_stats pmm;

	pmm_stats(&pmm);
	for (unsigned i = 0; i < ARRAY_SIZE(s.loads); i++)
		s.loads[i] = load_average(i);
	s.totalram = pmm.total * PAGE_SIZE;
	s.freeram = pmm.free * PAGE_SIZE;
	mutex_lock(&process_lock);
	list_for_each_entry (p, &process_all, all_node)
		s.procs++;
	mutex_unlock(&process_lock);
	return copy_to_user(out, &s, sizeof(s));
}

#define GRND_NONBLOCK 1
#define GRND_RANDOM   2
#define GRND_INSECURE 4

int64_t
sys_getrandom(uptr_t buf, uint64_t n, unsigned flags)
{
	uint8_t piece[256];
	uint64_t done = 0;

	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	n = MIN(n, (uint64_t)INT32_MAX);
	while (done < n) {
		const size_t part = MIN(n - done, sizeof(piece));

		random_bytes(piece, part);
		if (copy_to_user(uptr_add(buf, done), piece, part) != 0)
			return done != 0 ? (int64_t)done : -EFAULT;
		done += part;
		if (signal_pending())
			break;
	}
	return (int64_t)done;
}

/* --- limits ------------------------------------------------------------------------------------------------ */

static void
apply_limit(struct process *p, unsigned which)
{
	if (p->as == NULL)
		return;
	if (which == RLIMIT_STACK)
		p->as->stack_limit = p->rlimits[which].cur;
	else if (which == RLIMIT_DATA)
		p->as->data_limit = p->rlimits[which].cur;
	else if (which == RLIMIT_AS)
		p->as->as_limit = p->rlimits[which].cur;
}

static int REQUIRES(process_lock)
	set_limit_locked(struct process *p, unsigned which, const struct rlimit64 *new)
{
	struct rlimit64 *l = &p->rlimits[which];

	if (new->cur > new->max)
		return -EINVAL;
	if (new->max > l->max && process_self()->cred.euid != 0)
		return -EPERM;
	if (which == RLIMIT_NOFILE && new->max > FILES_LIMIT)
		return -EPERM;
	*l = *new;
	apply_limit(p, which);
	return 0;
}

static int64_t
limit(int pid, unsigned which, const struct rlimit64 *new, struct rlimit64 *old)
{
	const struct cred *c = &process_self()->cred;
	struct process *p;
	int result = 0;

	if (which >= NR_RLIMITS)
		return -EINVAL;
	mutex_lock(&process_lock);
	p = pid == 0 ? process_self() : process_find_locked(pid);
	if (p == NULL || process_is_kernel(p))
		result = -ESRCH;
	else if (p != process_self() && c->euid != 0 && c->uid != p->cred.uid)
		result = -EPERM;
	if (result == 0) {
		*old = p->rlimits[which];
		if (new != NULL)
			result = set_limit_locked(p, which, new);
	}
	mutex_unlock(&process_lock);
	return result;
}

int64_t
sys_prlimit64(int pid, unsigned which, uptr_t new, uptr_t old)
{
	struct rlimit64 n, o;
	int64_t result;

	if (!uptr_null(new) && copy_from_user(&n, new, sizeof(n)) != 0)
		return -EFAULT;
	result = limit(pid, which, uptr_null(new) ? NULL : &n, &o);
	if (result == 0 && !uptr_null(old))
		result = copy_to_user(old, &o, sizeof(o));
	return result;
}

int64_t
sys_getrlimit(unsigned which, uptr_t out)
{
	struct rlimit64 o;
	const int64_t result = limit(0, which, NULL, &o);

	return result != 0 ? result : copy_to_user(out, &o, sizeof(o));
}

int64_t
sys_setrlimit(unsigned which, uptr_t in)
{
	struct rlimit64 n, o;

	if (copy_from_user(&n, in, sizeof(n)) != 0)
		return -EFAULT;
	return limit(0, which, &n, &o);
}

int64_t
sys_getrusage(int who, uptr_t out)
{
	struct k_rusage u;

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
		return -EINVAL;
	process_usage(process_self(), who, &u);
	return copy_to_user(out, &u, sizeof(u));
}

int64_t
sys_times(uptr_t out)
{
	const struct process *p = process_self();
	const uint64_t tick = NS_PER_SEC / 100;
	const struct k_tms t = {
		.utime = (int64_t)process_ticks(p, true),
		.stime = (int64_t)process_ticks(p, false),
		.cutime = (int64_t)(clock_cycles_to_ns(p->child_utime_cycles) / tick),
		.cstime = (int64_t)(clock_cycles_to_ns(p->child_stime_cycles) / tick),
	};

	if (!uptr_null(out) && copy_to_user(out, &t, sizeof(t)) != 0)
		return -EFAULT;
	return (int64_t)(clock_ns() / tick);
}

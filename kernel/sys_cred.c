/*
 * sys_cred.c - who a process is: user, groups.  Rules: credentials(7), setresuid(2).
 */
#include <kern/process.h>
#include <kern/sys.h>
#include <kern/usercopy.h>
#include <lib/string.h>

#define KEEP UINT32_MAX /* -1: leave it */

int64_t
sys_getuid(void)
{
	return process_self()->cred.uid;
}

int64_t
sys_geteuid(void)
{
	return process_self()->cred.euid;
}

int64_t
sys_getgid(void)
{
	return process_self()->cred.gid;
}

int64_t
sys_getegid(void)
{
	return process_self()->cred.egid;
}

static bool
is_root(void)
{
	return process_self()->cred.euid == 0;
}

/* The three numbers of a user, or of a group. */
struct ids {
	uint32_t real, effective, saved;
};

static bool
may_become(const struct ids *now, uint32_t id)
{
	return id == KEEP || is_root() || id == now->real || id == now->effective ||
	       id == now->saved;
}

static struct ids
users(void)
{
	const struct cred *c = &process_self()->cred;

	return (struct ids){c->uid, c->euid, c->suid};
}

static struct ids
groups(void)
{
	const struct cred *c = &process_self()->cred;

	return (struct ids){c->gid, c->egid, c->sgid};
}

static int64_t
set_users(const struct ids *i)
{
	struct cred *c = &process_self()->cred;

	c->uid = i->real;
	c->euid = c->fsuid = i->effective;
	c->suid = i->saved;
	return 0;
}

static int64_t
set_groups(const struct ids *i)
{
	struct cred *c = &process_self()->cred;

	c->gid = i->real;
	c->egid = c->fsgid = i->effective;
	c->sgid = i->saved;
	return 0;
}

static int
change_one(struct ids *i, uint32_t id)
{
	if (id == KEEP)
		return -EINVAL;
	if (is_root())
		*i = (struct ids){id, id, id};
	else if (id == i->real || id == i->saved)
		i->effective = id;
	else
		return -EPERM;
	return 0;
}

int64_t
sys_setuid(unsigned uid)
{
	struct ids i = users();
	const int result = change_one(&i, uid);

	return result != 0 ? result : set_users(&i);
}

int64_t
sys_setgid(unsigned gid)
{
	struct ids i = groups();
	const int result = change_one(&i, gid);

	return result != 0 ? result : set_groups(&i);
}

static int
change_two(struct ids *i, uint32_t real, uint32_t effective)
{
	const struct ids was = *i;

	if (real != KEEP) {
		if (!is_root() && real != was.real && real != was.effective)
			return -EPERM;
		i->real = real;
	}
	if (effective != KEEP) {
		if (!may_become(&was, effective))
			return -EPERM;
		i->effective = effective;
	}
	if (real != KEEP || (effective != KEEP && effective != was.real))
		i->saved = i->effective;
	return 0;
}

int64_t
sys_setreuid(unsigned real, unsigned effective)
{
	struct ids i = users();
	const int result = change_two(&i, real, effective);

	return result != 0 ? result : set_users(&i);
}

int64_t
sys_setregid(unsigned real, unsigned effective)
{
	struct ids i = groups();
	const int result = change_two(&i, real, effective);

	return result != 0 ? result : set_groups(&i);
}

static int
change_three(struct ids *i, uint32_t real, uint32_t effective, uint32_t saved)
{
	const struct ids was = *i;

	if (!may_become(&was, real) || !may_become(&was, effective) || !may_become(&was, saved))
		return -EPERM;
	if (real != KEEP)
		i->real = real;
	if (effective != KEEP)
		i->effective = effective;
	if (saved != KEEP)
		i->saved = saved;
	return 0;
}

int64_t
sys_setresuid(unsigned real, unsigned effective, unsigned saved)
{
	struct ids i = users();
	const int result = change_three(&i, real, effective, saved);

	return result != 0 ? result : set_users(&i);
}

int64_t
sys_setresgid(unsigned real, unsigned effective, unsigned saved)
{
	struct ids i = groups();
	const int result = change_three(&i, real, effective, saved);

	return result != 0 ? result : set_groups(&i);
}

static int64_t
put_three(const struct ids *i, uptr_t real, uptr_t effective, uptr_t saved)
{
	if (put_user(i->real, real) != 0 || put_user(i->effective, effective) != 0 ||
	    put_user(i->saved, saved) != 0)
		return -EFAULT;
	return 0;
}

int64_t
sys_getresuid(uptr_t real, uptr_t effective, uptr_t saved)
{
	const struct ids i = users();

	return put_three(&i, real, effective, saved);
}

int64_t
sys_getresgid(uptr_t real, uptr_t effective, uptr_t saved)
{
	const struct ids i = groups();

	return put_three(&i, real, effective, saved);
}

/* What is used for files alone; these two calls cannot say that they failed. */
int64_t
sys_setfsuid(unsigned uid)
{
	struct cred *c = &process_self()->cred;
	const struct ids i = users();
	const uint32_t old = c->fsuid;

	if (uid != KEEP && (may_become(&i, uid) || uid == old))
		c->fsuid = uid;
	return old;
}

int64_t
sys_setfsgid(unsigned gid)
{
	struct cred *c = &process_self()->cred;
	const struct ids i = groups();
	const uint32_t old = c->fsgid;

	if (gid != KEEP && (may_become(&i, gid) || gid == old))
		c->fsgid = gid;
	return old;
}

int64_t
sys_getgroups(int n, uptr_t list)
{
	const struct cred *c = &process_self()->cred;

	if (n < 0)
		return -EINVAL;
	if (n == 0)
		return c->nr_groups;
	if ((unsigned)n < c->nr_groups)
		return -EINVAL;
	if (copy_to_user(list, c->groups, c->nr_groups * sizeof(c->groups[0])) != 0)
		return -EFAULT;
	return c->nr_groups;
}

int64_t
sys_setgroups(int n, uptr_t list)
{
	struct cred *c = &process_self()->cred;
	uint32_t new_groups[NGROUPS_MAX];

	if (!is_root())
		return -EPERM;
	if (n < 0 || n > NGROUPS_MAX)
		return -EINVAL;
	if (copy_from_user(new_groups, list, (size_t)n * sizeof(new_groups[0])) != 0)
		return -EFAULT;
	memcpy(c->groups, new_groups, (size_t)n * sizeof(new_groups[0]));
	c->nr_groups = (unsigned)n;
	return 0;
}

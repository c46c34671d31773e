/*
 * errno.h - error numbers.  The values are those of Linux x86-64, since they reach user programs.
 *
 * Functions return 0 or a negative one of these.
 */
#pragma once

#define EPERM	   1
#define ENOENT	   2
#define EINTR	   4
#define EIO	   5
#define ENXIO	   6
#define E2BIG	   7
#define ENOEXEC	   8
#define EAGAIN	   11
#define ENOMEM	   12
#define EFAULT	   14
#define EBUSY	   16
#define EEXIST	   17
#define ENODEV	   19
#define EINVAL	   22
#define ENOSPC	   28
#define ERANGE	   34
#define EDEADLK	   35
#define ENOSYS	   38
#define EPROTO	   71
#define EOVERFLOW  75
#define EILSEQ	   84
#define EOPNOTSUPP 95
#define ETIMEDOUT  110

/*
 * pipe.h - pipes and FIFOs (fs/pipe.c).
 */
#pragma once
#include <fs/vfs.h>

#define PIPE_SIZE_MAX MIB(1) /* what F_SETPIPE_SZ may ask for */

/* Two files, to read from and to write to; @flags: O_NONBLOCK, O_DIRECT.  0 or -ENOMEM. */
int pipe_make(unsigned flags, struct file *end[2]);
extern const struct file_ops fifo_fops;
/* The caller wrote where nobody reads: SIGPIPE, and -EPIPE. */
ssize_t pipe_broken(void);
/* F_GETPIPE_SZ and F_SETPIPE_SZ: bytes, or -EBADF (no pipe), -EINVAL, -EPERM, -EBUSY, -ENOMEM. */
int64_t pipe_size_control(struct file *f, int cmd, uint64_t arg);

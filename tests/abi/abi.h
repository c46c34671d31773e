/*
 * abi.h - for programs that show what system calls return, here and under Linux: the same text.
 *
 * T(e) shows an expression and its value or error; N(e) only whether it is negative, zero or positive, for
 * values that differ from run to run.
 */
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define BAD	    ((void *)0x10)		   /* nothing is mapped there */
#define KERNEL_ADDR ((void *)0xffffffff80100000UL) /* the kernel's half */

static inline void
show(const char *what, long r, int error)
{
	if (r == -1 && error != 0)
		printf("%s: %s\n", what, strerror(error));
	else
		printf("%s = %ld\n", what, r);
	fflush(stdout);
}

#define T(e)                         \
	do {                         \
		long r_;             \
		errno = 0;           \
		r_ = (long)(e);      \
		show(#e, r_, errno); \
	} while (0)
#define N(e)                                                           \
	do {                                                           \
		long r_;                                               \
		errno = 0;                                             \
		r_ = (long)(e);                                        \
		show(#e, r_ == -1 ? -1 : r_ < 0 ? -2 : r_ > 0, errno); \
	} while (0)
/* A child runs @body; how it ended is shown. */
#define CHILD(...)                                                    \
	do {                                                          \
		int st_;                                              \
		pid_t pid_ = fork();                                  \
		if (pid_ == 0) {                                      \
			__VA_ARGS__;                                  \
			_exit(99);                                    \
		}                                                     \
		waitpid(pid_, &st_, 0);                               \
		if (WIFEXITED(st_))                                   \
			printf("child: exit %d\n", WEXITSTATUS(st_)); \
		else                                                  \
			printf("child: signal %d\n", WTERMSIG(st_));  \
		fflush(stdout);                                       \
	} while (0)

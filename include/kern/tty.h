/*
 * tty.h - the terminal of programs: a line discipline over the console.
 *
 * One terminal today, /dev/console.  What is typed is the kernel shell's until a program runs in the
 * foreground; then bytes come here: to be edited and echoed in canonical mode, turned into signals, or handed
 * on as they are.  Spec: termios(3).  Implementation: kernel/tty*.c.
 */
#pragma once
#include <kern/process.h>
#include <uapi/termios.h>

#define TTY_LINE_MAX 4096 /* bytes of a line in canonical mode, its end included */

/* Init row "terminal". */
int tty_init(void);
/* @p, a fresh process, leads a session on the console and is in the foreground. */
void tty_adopt(struct process *p);
/* Bytes that were typed before tty_take_console(), for who is in the foreground then. */
void tty_preload(const char *bytes, size_t n);
/* What is typed goes to the terminal from now on / to the kernel's shell again, with what nobody read. */
void tty_take_console(int pgid);
void tty_give_console_back(void);
/* @p ends: the terminal of the session that it led is free. */
void tty_process_gone(struct process *p);
/* For /proc/PID/stat: device number of its controlling terminal (0 = none), and the group in its foreground (-1). */
int tty_number(const struct process *p);
int tty_foreground(const struct process *p);

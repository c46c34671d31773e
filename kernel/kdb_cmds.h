/*
 * kdb_cmds.h - what the files of the panic debugger share.
 */
#pragma once
#include <kern/base.h>

#define KDB_WORDS_MAX 4

/* Run the command that words[0] names, or say that there is none. */
void kdb_run(int n, char **words);
/* @n lines were printed: asks to go on when the screen is full.  False: no more, please. */
bool kdb_more(unsigned n);
/* An address: number, symbol[+offset], or the name of a register.  Complains and returns false. */
bool kdb_address(const char *s, uint64_t *out);

/* kdb_threads.c */
void kdb_threads(int n, char **words);
void kdb_bt(int n, char **words);

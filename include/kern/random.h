/*
 * random.h - random bytes that cannot be guessed: ChaCha20, keyed from the hardware (kernel/random.c).
 */
#pragma once
#include <lib/base.h>
#include <stddef.h>

void random_bytes(void *buf, size_t n);
uint64_t random_u64(void);
/* Anything unpredictable, mixed into the key.  Context: any. */
void random_stir(uint64_t value);

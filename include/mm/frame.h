/*
 * frame.h - how many hold a page frame of a program or file: the count behind copy-on-write.
 *
 * Four bytes for each frame of RAM (1 MiB per GiB), in a table by frame number at a fixed place of
 * the kernel's mappings, with memory behind only those parts that stand for RAM.  A frame
 * that pmm_alloc() returns has count 0 here, which means: one holder.
 */
#pragma once
#include <mm/pmm.h>

/* Init row "shares", after "heap".  0 or -ENOMEM. */
int frame_init(void);
/* One holder more. */
void frame_get(paddr_t pa);
void frame_get_all(const paddr_t *frames, size_t n);
/* One holder less; the last one gives the frame back to pmm_free(). */
void frame_put(paddr_t pa);
/* The same for many at once: those of @frames that nobody holds any more are given back. */
void frame_put_all(const paddr_t *frames, size_t n);
/* Is there more than one holder? */
bool frame_shared(paddr_t pa);

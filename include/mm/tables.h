/*
 * tables.h - inside mm/: the page-table primitives that vmm.c shares with kmap.c and kstack.c.
 */
#pragma once
#include <kern/base.h>
#include <x86/pte.h>

/* Map one 4 KiB page of the kernel half that is not mapped now.  0 or -ENOMEM. */
int vmm_map_page(vaddr_t va, paddr_t pa, unsigned prot);
/* Unmap one 4 KiB page and return the frame it showed, PADDR_NONE if none. */
paddr_t vmm_unmap_page(vaddr_t va);
/* Give the frames behind [va, va+len) back and unmap it. */
void vmm_unmap_and_free(vaddr_t va, size_t len);
/* Fill [va, va+len) with new frames.  0, or -ENOMEM with nothing mapped. */
int vmm_populate(vaddr_t va, size_t len);

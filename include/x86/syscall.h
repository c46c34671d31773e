/*
 * syscall.h - labels of kernel/x86/syscall.asm.
 */
#pragma once
#include <lib/base.h>

extern uint8_t syscall_entry[], syscall_exit[];

/*
 * interrupted.h - what was running when this interrupt came (kernel/x86/interrupted.c).
 */
#pragma once
#include <lib/base.h>

struct trapframe;

/*
 * Copy the registers of the code that the innermost trap or interrupt stopped.  False outside of one,
 * or when the stack does not lead there.  Context: any; takes no lock.
 */
bool interrupted_frame(struct trapframe *out);

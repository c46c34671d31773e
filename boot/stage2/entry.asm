; entry.asm - the first bytes of stage 2, the way to protected mode and back for BIOS calls.
;
; Stage 1 jumps to STAGE2_ENTRY in real mode: CS = DS = ES = SS = 0, struct stage1_handoff at SP,
; CPU possibly a 386.  Everything after the switch is 32-bit C, which comes back here for the BIOS.
; Spec: Intel SDM vol. 3A, "Switching to Protected Mode", "Switching Back to Real-Address Mode".
%include "offsets.inc"

CODE32	equ 08h
DATA32	equ 10h
CODE16	equ 18h
DATA16	equ 20h
CODE64	equ 28h

extern stage2_main, fault_real_mode, bss_start, bss_end
global stage2_entry, bios_int, gdt_pointer, entry_state, idt32_pointer

section .header exec
	bits	16
	dd	STAGE2_MAGIC
	dw	0				; length and sum: the image builder's
	dd	0
stage2_entry:
	cli
	cld
	movzx	esp, sp
	mov	[entry_state.sp], esp
	pushfd
	pop	dword [entry_state.flags]
	mov	dword [6 * 4], .no_rdtsc	; a 386 or 486 raises invalid opcode
	rdtsc
	mov	[entry_state.tsc], eax
	mov	[entry_state.tsc + 4], edx
	jmp	.timed
.no_rdtsc:
	xor	eax, eax
	mov	[entry_state.tsc], eax
	mov	[entry_state.tsc + 4], eax
.timed:
	mov	sp, LOADER_STACK
	mov	dword [6 * 4], real_mode_fault	; from now on it is a fault
	mov	eax, cr0
	mov	[entry_state.cr0], eax
	xor	eax, eax			; no IDT yet: an exception would reset the machine
	mov	[idt32_pointer], eax
	mov	[idt32_pointer + 2], eax
	mov	dword [return32], start32
	jmp	to_protected

	bits	32
start32:
	mov	esp, LOADER_STACK
	mov	edi, bss_start
	mov	ecx, bss_end
	sub	ecx, edi
	shr	ecx, 2
	xor	eax, eax
	rep	stosd
	jmp	stage2_main

; Leave real mode and go to [return32].  Clobbers EAX and ESP's upper half; interrupts off.
	bits	16
to_protected:
	o32 lgdt [gdt_pointer]			; again each time: a BIOS may have loaded its own
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
.far:					; protected mode, but CS is still real mode's
	jmp	dword CODE32:.in
	bits	32
.in:
	mov	ax, DATA32
	mov	ds, eax
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	ss, eax
	movzx	esp, sp
	lidt	[idt32_pointer]
	jmp	[return32]

section .text
; void bios_int(uint8_t n, struct bios_regs *r)
; The stack lies below 64 KiB, so that SS:SP with SS = 0 is the same place in both modes.
bios_int:
	pushad
	movzx	eax, byte [esp + 36]
	mov	eax, [eax * 4]			; interrupt vector: segment and offset
	mov	[vector], eax
	mov	eax, [esp + 40]
	mov	[regs], eax
	mov	[saved_esp], esp
	mov	dword [return32], .back
	lidt	[real_idt]
	jmp	CODE16:.protected16
	bits	16
.protected16:
	mov	ax, DATA16			; limits of 64 KiB, as real mode expects them
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	eax, cr0
	and	al, ~1
	mov	cr0, eax
	jmp	0:.real
.real:
	xor	ax, ax
	mov	ds, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	sp, [regs]			; interrupts are off
	popad
	pop	es
	pop	ds
	mov	sp, [cs:saved_esp]
	push	word 202h			; as INT pushes: flags (IF), CS, IP
	push	cs
	push	word .returned
	jmp	far [cs:vector]
.returned:
	pushf
	cli
	cld
	mov	[cs:result_ds], ds
	push	word 0
	pop	ds
	pop	word [result_flags]
	mov	[result_es], es
	mov	sp, [regs]
	add	sp, 32
	pushad
	mov	bx, sp
	mov	ax, [result_es]
	mov	[bx + 32], ax
	mov	ax, [result_ds]
	mov	[bx + 34], ax
	mov	ax, [result_flags]
	mov	[bx + 36], ax
	jmp	to_protected
	bits	32
.back:
	mov	esp, [saved_esp]
	popad
	ret

; Invalid opcode while the BIOS runs: its own handler would return to the instruction for ever.
	bits	16
real_mode_fault:
	cli
	pop	ax
	pop	bx
	mov	[cs:fault_ip], ax
	mov	[cs:fault_cs], bx
	xor	ax, ax
	mov	ds, ax
	mov	ss, ax
	mov	sp, LOADER_STACK
	mov	dword [return32], .report
	jmp	to_protected
	bits	32
.report:
	push	dword [fault_ip]
	push	dword [fault_cs]
	call	fault_real_mode

section .data align=8
; The CPU sets a descriptor's accessed bit when it is loaded; here it is set already.
gdt:
	dq	0
	dq	00CF9B000000FFFFh		; CODE32: 4 GiB, execute/read
	dq	00CF93000000FFFFh		; DATA32
	dq	00009B000000FFFFh		; CODE16: 64 KiB
	dq	000093000000FFFFh		; DATA16
	dq	00AF9B000000FFFFh		; CODE64: L = 1, D = 0
gdt_end:
gdt_pointer:
	dw	gdt_end - gdt - 1
	dd	gdt, 0				; eight bytes of address for 64-bit LGDT
real_idt:
	dw	3FFh
	dd	0

section .low nobits alloc write align=8
idt32_pointer	resw 3				; until fault_init(): nothing
		resw 1
return32	resd 1
vector		resd 1
regs		resd 1
saved_esp	resd 1
result_ds	resw 1
result_es	resw 1
result_flags	resw 1
		resw 1
fault_ip	resd 1
fault_cs	resd 1
entry_state:					; struct entry_state (stage2.h)
.tsc		resd 2
.sp		resd 1
.flags		resd 1
.cr0		resd 1

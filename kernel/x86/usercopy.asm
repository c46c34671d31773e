; usercopy.asm - copying between the kernel and a program's memory.
;
; A fault that cannot be mended at one of the instructions named in .ex_table goes on at the address
; beside it (kernel/x86/extable.c).  STAC and CLAC stand as NOPs of three bytes until cpu_init() finds
; SMAP; their places are listed in .smap_sites.
bits 64
default rel
%include "offsets.inc"

global user_copy
global user_clear
global user_string

%macro smap_site 1			; 1 = STAC, 0 = CLAC
%%here:	db	0x0f, 0x1f, 0x00
	[section .smap_sites]
	dq	%%here + (%1 << 63)	; of a kernel address, so that bit 63 says CLAC
	__?SECT?__
%endmacro
%macro on_fault 2
	[section .ex_table]
	dq	%1, %2
	__?SECT?__
%endmacro

section .ex_table progbits alloc noexec nowrite align=8
section .smap_sites progbits alloc noexec nowrite align=8
section .text exec

; size_t user_copy(void *dst, const void *src, size_t n)
; In: rdi, rsi, rdx; one of the two is in the user half, checked.  Out: rax = bytes not copied.
; Clobbers rcx, rdx, rsi, rdi.
align 16
user_copy:
	smap_site 1
	mov	rcx, rdx
	shr	rcx, 3
	and	edx, 7
.words:	rep movsq
	mov	ecx, edx
.bytes:	rep movsb
	smap_site 0
	xor	eax, eax
	ret
.words_left:				; up to the very byte
	lea	rcx, [rcx * 8 + rdx]
	jmp	.bytes
.bytes_left:
	smap_site 0
	mov	rax, rcx
	ret
	on_fault .words, .words_left
	on_fault .bytes, .bytes_left

; size_t user_clear(void *dst, size_t n)
; In: rdi, rsi.  Out: rax = bytes not cleared.  Clobbers rcx, rdi.
align 16
user_clear:
	smap_site 1
	xor	eax, eax
	mov	rcx, rsi
	shr	rcx, 3
	and	esi, 7
.words:	rep stosq
	mov	ecx, esi
.bytes:	rep stosb
	smap_site 0
	mov	rax, rcx
	ret
.words_left:
	lea	rcx, [rcx * 8 + rsi]
	jmp	.bytes
.bytes_left:
	smap_site 0
	mov	rax, rcx
	ret
	on_fault .words, .words_left
	on_fault .bytes, .bytes_left

; ssize_t user_string(char *dst, const char *src, size_t n)
; In: rdi, rsi (user), rdx > 0.  Out: rax = length without the NUL, rdx's value if there was none
; within it, or -1 after a fault.  Clobbers rcx, r8, rsi, rdi.
align 16
user_string:
	smap_site 1
	xor	eax, eax
.next:	mov	cl, [rsi + rax]
	mov	[rdi + rax], cl
	test	cl, cl
	jz	.end
	inc	rax
	cmp	rax, rdx
	jb	.next
.end:	smap_site 0
	ret
.fault:	smap_site 0
	mov	rax, -1
	ret
	on_fault .next, .fault

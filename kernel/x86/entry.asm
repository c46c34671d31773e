; entry.asm - where the loader jumps to: the kernel's first instructions.
;
; In: long mode, interrupts off, the loader's page tables (first 4 GiB 1:1, first GiB also at
; KERNEL_VMA), RDI = physical address of struct boot_info.  Nothing else is relied upon: segments,
; flags and stack are the loader's until replaced here and in gdt_init().
bits 64
default rel
%include "offsets.inc"

extern kernel_main
extern kernel_bss_start
extern kernel_bss_end
global _start:function (_start.end - _start)
global boot_stack_guard
global boot_stack
global boot_stack_top

; Where the BIOS keeps the cursor, and the loader as well.
BDA_CURSOR	equ 450h		; byte: column; byte: row
TEXT_MEMORY	equ 0B8000h
ROW_BYTES	equ 160

section .text.entry exec
_start:
	cli
	cld
	; Until the console starts, this word on the screen tells that the jump has arrived.
	cmp	dword [rdi + BI_DISPLAY], BOOT_DISPLAY_TEXT
	jne	.no_screen
	movzx	eax, byte [abs BDA_CURSOR + 1]
	imul	eax, eax, ROW_BYTES
	mov	rdx, "k" | 7 << 8 | "e" << 16 | 7 << 24 | "r" << 32 | 7 << 40 | "n" << 48 | 7 << 56
	mov	[rax + TEXT_MEMORY], rdx
	mov	dword [rax + TEXT_MEMORY + 8], "e" | 7 << 8 | "l" << 16 | 7 << 24
.no_screen:
	mov	rdx, rdi		; boot info, kept while BSS is cleared
	lea	rdi, [kernel_bss_start]	; a stack lives in it: clear first, push later
	lea	rcx, [kernel_bss_end]
	sub	rcx, rdi
	shr	rcx, 3			; both ends are page-aligned (linker.ld)
	xor	eax, eax
	rep	stosq
	lea	rsp, [boot_stack_top]
	xor	ebp, ebp		; the end of every backtrace
	mov	rdi, rdx
	call	kernel_main		; paddr_t boot_info; does not return
.hang:
	cli
	hlt
	jmp	.hang
.end:

; The boot stack, later thread "main"'s.  vmm_init() unmaps the pages below and above it.
section .bss nobits alloc noexec write align=4096
boot_stack_guard:
	resb	PAGE_SIZE
boot_stack:
	resb	KSTACK_SIZE
boot_stack_top:
	resb	PAGE_SIZE		; a guard, too

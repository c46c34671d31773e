; entry32.asm - where other boot loaders come in: Multiboot 1, Multiboot 2, PVH.
;
; All three jump to 32-bit code with paging off and flat segments, and point at a description of
; the machine in a format of their own.  Here the way to 64-bit mode is made up for: the same page
; tables as stage 2 builds (first 4 GiB 1:1, first GiB also at KERNEL_VMA), long mode, a stack.
; Then entry_adapt() (kernel/entry/) turns the foreign description into a struct boot_info, and
; kernel_main() cannot tell the difference.  Our own loader never comes here.  docs/entry.md.
;
; Until the jump to the upper half, symbols stand for virtual addresses and code runs at physical
; ones: P() converts.
; Spec: Multiboot Specification 0.6.96, "OS image format", "Machine state"; Multiboot2
; Specification 2.0, "OS image format", "I386 machine state"; Xen, "x86/HVM direct boot ABI";
; Intel SDM vol. 3A, "Initializing IA-32e Mode".
%include "offsets.inc"

%define P(symbol) (symbol - KERNEL_VMA)

extern kernel_image_start, kernel_image_end
extern kernel_bss_start, kernel_bss_end, kernel_ksyms_start, kernel_ksyms_end
extern kernel_multiboot_end
extern boot_stack_top
extern entry_adapt
extern kernel_main
global entry_state
global entry_tables
global entry_tables_end

; --- the headers ---------------------------------------------------------------------------------
; linker.ld puts this section behind _start, in the first 8 KiB of the file.
section .text.entry32 exec
MB1_HEADER	equ 1BADB002h
MB1_FLAGS	equ 1 << 0 | 1 << 1 | 1 << 16	; modules page-aligned, memory info, address fields

; The address fields are for QEMU, which takes no 64-bit ELF file without them.  They make a loader
; copy the file in one piece, from the first section on; see move_symbols.
	align	4, db 0
multiboot1_header:
	dd	MB1_HEADER, MB1_FLAGS, 100000000h - (MB1_HEADER + MB1_FLAGS)
	dd	P(multiboot1_header)
	dd	P(kernel_image_start)		; load_addr
	dd	P(kernel_multiboot_end)		; load_end_addr: what the file holds
	dd	P(kernel_image_end)		; bss_end_addr: keep modules off
	dd	P(multiboot_entry)

MB2_HEADER	equ 0E85250D6h
MB2_I386	equ 0
MB2_TAG_ENTRY	equ 3
MB2_TAG_ALIGN	equ 6
	align	8, db 0
multiboot2_header:
	dd	MB2_HEADER, MB2_I386, .end - multiboot2_header
	dd	100000000h - (MB2_HEADER + MB2_I386 + (.end - multiboot2_header))
	dw	MB2_TAG_ENTRY, 0		; ELF's entry point is the 64-bit one
	dd	12, P(multiboot_entry)
	align	8, db 0
	dw	MB2_TAG_ALIGN, 0		; modules on pages of their own
	dd	8
	dw	0, 0
	dd	8
.end:

; A program header of type PT_NOTE points at this.  64-bit ELF: the entry point has 8 bytes.
section .note.pvh alloc noexec nowrite align=4
XEN_ELFNOTE_PHYS32_ENTRY equ 18
	dd	4, 8, XEN_ELFNOTE_PHYS32_ENTRY	; lengths of name and value, type
	db	"Xen", 0
	dq	P(pvh_entry)

; --- 32-bit code ---------------------------------------------------------------------------------
section .text.entry32
	bits	32
; In:  EBX = physical address of the start info, EAX = anything.
pvh_entry:
	mov	eax, PVH_MAGIC
; In:  EAX = the protocol's magic number, EBX = physical address of its information.  Paging off,
; flat segments, A20 on; no stack that could be used.
; Kept on the way: EBP = magic, EBX = information, EDX = ESP as found.
multiboot_entry:
	cli
	cld
	mov	ebp, eax
	mov	edx, esp
	cmp	eax, MULTIBOOT1_MAGIC
	jne	.clear

; The address fields had the file copied in one piece: the symbol table, which stands behind BSS in
; memory and behind .data in the file, lies at the start of BSS.  Move it, from its end on, since
; the two places may overlap.
	std
	mov	esi, P(kernel_multiboot_end) - 4
	mov	edi, P(kernel_ksyms_end) - 4
	mov	ecx, P(kernel_ksyms_end)
	sub	ecx, P(kernel_ksyms_start)
	shr	ecx, 2				; whole pages (linker.ld)
	rep	movsd
	cld
.clear:
	mov	edi, P(kernel_bss_start)
	mov	ecx, P(kernel_bss_end)
	sub	ecx, edi
	shr	ecx, 2
	xor	eax, eax
	rep	stosd

; The descriptor table may be gone, and PVH says nothing of SS: no segment register may be loaded
; before a table of our own is there.
	mov	ecx, cs				; as found, for the record
	lgdt	[P(entry_gdt_pointer)]
	mov	eax, DATA32
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	esp, P(boot_stack_top)		; in BSS: free for use from here on
	mov	[P(entry_state) + ES_MAGIC], ebp
	mov	[P(entry_state) + ES_INFO], ebx
	mov	[P(entry_state) + ES_ESP], edx
	mov	dword [P(entry_state) + ES_EIP], P(multiboot_entry)
	mov	[P(entry_state) + ES_CS], ecx
	pushfd
	pop	dword [P(entry_state) + ES_EFLAGS]
	mov	eax, cr0
	mov	[P(entry_state) + ES_CR0], eax
	call	entry_check_cpu
	mov	eax, cr4			; these three exist, as is known by now
	mov	[P(entry_state) + ES_CR4], eax
	rdtsc
	mov	[P(entry_state) + ES_TSC], eax
	mov	[P(entry_state) + ES_TSC + 4], edx
	call	entry_build_tables

	mov	eax, cr4
	or	eax, 1 << 5			; PAE
	mov	cr4, eax
	mov	eax, P(entry_tables)
	mov	cr3, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, 1 << 8			; LME
	wrmsr
	lidt	[P(entry_no_idt)]		; a fault before the kernel has gates is a reset
	mov	eax, cr0
	or	eax, 1 << 31			; PG: long mode is active
	mov	cr0, eax
	jmp	CODE64:P(entry_long_mode)

MSR_EFER	equ 0C0000080h
PTE_P		equ 01h
PTE_W		equ 02h
PTE_PS		equ 80h
PML4		equ entry_tables
PDPT		equ entry_tables + 1000h
PDS		equ entry_tables + 2000h	; four, for 1 GiB each

; One page directory pointer table serves both halves: its entries 0-3 show the first 4 GiB, entry
; 510 is what KERNEL_VMA needs.  That each half has the other's entries too hurts nobody.
; In:  the tables are 0.  Clobbers EAX, ECX, EDI.
entry_build_tables:
	mov	edi, P(PDS)
	mov	eax, PTE_P | PTE_W | PTE_PS
	mov	ecx, 4 * 512
.page:
	mov	[edi], eax			; the upper half of the entry stays 0
	add	eax, 2 << 20
	add	edi, 8
	loop	.page
	mov	edi, P(PDPT)
	mov	eax, P(PDS) + (PTE_P | PTE_W)
.gib:
	mov	[edi + ecx * 8], eax
	add	eax, 1000h
	inc	ecx
	cmp	ecx, 4
	jb	.gib
	mov	dword [P(PDPT) + 510 * 8], P(PDS) + (PTE_P | PTE_W)
	mov	dword [P(PML4)], P(PDPT) + (PTE_P | PTE_W)
	mov	dword [P(PML4) + 511 * 8], P(PDPT) + (PTE_P | PTE_W)
	ret

EFLAGS_ID	equ 1 << 21
CPUID_NEEDED	equ 1 << 4 | 1 << 5 | 1 << 6 | 1 << 24	; TSC, MSR, PAE, FXSAVE: stage 2's list
CPUID_LM	equ 1 << 29

; Returns if the CPU can run the kernel.  Clobbers EAX, ECX, EDX, ESI; keeps EBX.
; Spec: Intel SDM vol. 2A, "CPUID".
entry_check_cpu:
	push	ebx
	pushfd
	pop	eax
	mov	ecx, eax
	xor	eax, EFLAGS_ID
	push	eax
	popfd
	pushfd
	pop	eax
	xor	eax, ecx
	test	eax, EFLAGS_ID
	mov	esi, P(no_cpuid)
	jz	entry_fail
	mov	esi, P(no_long_mode)
	mov	eax, 80000000h
	cpuid
	cmp	eax, 80000001h
	jb	entry_fail
	mov	eax, 80000001h
	cpuid
	test	edx, CPUID_LM
	jz	entry_fail
	mov	esi, P(no_feature)
	mov	eax, 1
	cpuid
	and	edx, CPUID_NEEDED
	cmp	edx, CPUID_NEEDED
	jne	entry_fail
	pop	ebx
	ret

COM1		equ 3F8h
LSR_THR_FREE	equ 20h
PATIENCE	equ 100000			; polls: a UART that is stuck or absent

; In:  ESI = text, ends in 0.  To the screen's first line and COM1, then stop for good.
entry_fail:
	mov	edi, 0B8000h
	mov	edx, COM1 + 3
	mov	al, 80h				; DLAB: the next two are the divisor
	out	dx, al
	mov	edx, COM1
	mov	al, 1				; 115200 baud
	out	dx, al
	inc	edx
	mov	al, 0
	out	dx, al
	mov	edx, COM1 + 3
	mov	al, 3				; 8N1
	out	dx, al
.char:
	lodsb
	test	al, al
	jz	.stop
	mov	ah, 4Fh				; white on red
	cmp	al, ' '
	jb	.serial
	stosw
.serial:
	mov	bl, al
	mov	ecx, PATIENCE
	mov	edx, COM1 + 5
.wait:
	in	al, dx
	test	al, LSR_THR_FREE
	loopz	.wait
	mov	edx, COM1
	mov	al, bl
	out	dx, al
	jmp	.char
.stop:
	cli
	hlt
	jmp	.stop

; --- 64-bit code ---------------------------------------------------------------------------------
	bits	64
	default	rel
; In:  long mode, at the physical address.
entry_long_mode:
	xor	eax, eax
	mov	ds, eax				; 64-bit code needs no data segments
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	ss, eax
	mov	rax, .upper			; an absolute address, not a relative one
	jmp	rax
.upper:
	mov	rsp, boot_stack_top
	xor	ebp, ebp			; the end of every backtrace
	lea	rdi, [entry_state]
	call	entry_adapt
	mov	rdi, rax
	call	kernel_main			; paddr_t boot_info; does not return
.hang:
	cli
	hlt
	jmp	.hang

; --- data ----------------------------------------------------------------------------------------
section .rodata
; The kernel has its own soon (kernel/x86/gdt.c).
align 8
entry_gdt:
	dq	0
	dq	00209A0000000000h		; code, L = 1
CODE64	equ	8
	dq	00CF92000000FFFFh		; data, 0 to 4 GiB
DATA32	equ	16
entry_gdt_pointer:
	dw	$ - entry_gdt - 1
	dd	P(entry_gdt)
entry_no_idt:
	dw	0
	dd	0
no_cpuid:
	db	"MinOS: this CPU has no CPUID: a 64-bit PC (x86-64) is needed.", 13, 10, 0
no_long_mode:
	db	"MinOS: this CPU has no long mode: a 64-bit PC (x86-64) is needed.", 13, 10, 0
no_feature:
	db	"MinOS: this CPU lacks TSC, MSR, PAE or FXSAVE: a 64-bit PC is needed.", 13, 10, 0

; The tables are used until vmm_init() has its own.
section .bss nobits alloc noexec write align=4096
entry_tables:
	resb	6 * PAGE_SIZE
entry_tables_end:
entry_state:
	resb	ES_SIZE

; longmode.asm - the last steps: paging, 64-bit code, the kernel.
;
; Three trace records are filled in on the way, each with what its mode can read.
; Spec: Intel SDM vol. 3A, "Initializing IA-32e Mode".
%include "offsets.inc"

CODE64	equ 28h
MSR_EFER equ 0C0000080h

extern gdt_pointer, idt64_pointer
global long_mode

section .text
	bits	32
; void long_mode(uint32_t cr3, struct boot_trace_entry *records, uint64_t entry)
long_mode:
	mov	eax, cr4
	or	eax, 1 << 5			; PAE
	mov	cr4, eax
	mov	eax, [esp + 4]
	mov	cr3, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, 1 << 8			; LME
	wrmsr
	mov	ebx, [esp + 8]
	mov	eax, cr0
	or	eax, 1 << 31			; PG: long mode is active from here on
	mov	cr0, eax

; Compatibility mode: 32-bit code, paging on.
	call	.here
.here:
	pop	dword [ebx + BT_IP]
	mov	[ebx + BT_SP], esp
	mov	byte [ebx + BT_BITS], 32
	call	record32

	mov	esi, [esp + 12]
	mov	edi, [esp + 16]
	jmp	CODE64:.long
	bits	64
.long:
	shl	rdi, 32
	mov	esi, esi
	or	rsi, rdi			; entry point
	xor	eax, eax
	mov	ds, eax				; 64-bit code needs no data segments
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	ss, eax
	lgdt	[abs gdt_pointer]
	lidt	[abs idt64_pointer]
	add	ebx, BT_SIZE
	lea	rax, [rel .long]		; where 64-bit code began
	mov	[rbx + BT_IP], rax
	call	record64
	add	ebx, BT_SIZE
	mov	[rbx + BT_IP], rsi		; the kernel's first instruction
	call	record64
	mov	edi, BOOT_INFO_ADDR
	jmp	rsi

; In: EBX = record.  Clobbers EAX, ECX, EDX.
	bits	32
record32:
	pushfd
	pop	dword [ebx + BT_RFLAGS]
	mov	eax, cr0
	mov	[ebx + BT_CR0], eax
	mov	eax, cr3
	mov	[ebx + BT_CR3], eax
	mov	eax, cr4
	mov	[ebx + BT_CR4], eax
	mov	[ebx + BT_CS], cs
	mov	ecx, MSR_EFER
	rdmsr
	mov	[ebx + BT_EFER], eax
	mov	[ebx + BT_EFER + 4], edx
	rdtsc
	mov	[ebx + BT_TSC], eax
	mov	[ebx + BT_TSC + 4], edx
	ret

	bits	64
record64:
	lea	rax, [rsp + 8]
	mov	[rbx + BT_SP], rax
	pushfq
	pop	qword [rbx + BT_RFLAGS]
	mov	rax, cr0
	mov	[rbx + BT_CR0], eax
	mov	rax, cr3
	mov	[rbx + BT_CR3], rax
	mov	rax, cr4
	mov	[rbx + BT_CR4], eax
	mov	[rbx + BT_CS], cs
	mov	byte [rbx + BT_BITS], 64
	mov	ecx, MSR_EFER
	rdmsr
	mov	[rbx + BT_EFER], eax
	mov	[rbx + BT_EFER + 4], edx
	rdtsc
	mov	[rbx + BT_TSC], eax
	mov	[rbx + BT_TSC + 4], edx
	ret

; longmode.asm - from real mode to long mode in one step, with three page tables.
;
; -DDESC=value: the code descriptor of the far jump.  -DROOT=address: what CR3 gets.
; Spec: Intel SDM vol. 3A, "Initializing IA-32e Mode", "Code-Segment Descriptor in 64-bit Mode".
%include "sector.inc"
%ifndef DESC
 %define DESC 00AF9B000000FFFFh			; L = 1, D = 0
%endif
%ifndef ROOT
 %define ROOT PML4
%endif
PML4	equ 1000h
PDPT	equ 2000h
PD	equ 3000h

	jmp	0:main
main:
	cli
	xor	eax, eax
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	sp, 7C00h
	mov	di, PML4
	mov	cx, 3 * 1000h / 4
	cld
	rep	stosd
	mov	word [PML4], PDPT | 3		; three tables: this, ...
	mov	word [PDPT], PD | 3		; ... this, ...
	mov	word [PD], 83h			; ... and this one: a page of 2 MiB at 0
	mov	eax, 20h			; PAE
	mov	cr4, eax
	mov	eax, ROOT
	mov	cr3, eax
	mov	ecx, 0C0000080h			; EFER
	rdmsr
	or	ax, 100h			; LME
	wrmsr
	lidt	[no_idt]			; an exception resets the machine
	lgdt	[gdt_pointer]
	mov	eax, 80000011h			; PG, ET and PE at once
	mov	cr0, eax
	rdmsr					; still the old CS, still 16-bit code
	say	"before any jump: EFER "
	say_word ax
	say	13, 10
	jmp	8:probe

	bits	32
probe:
	xor	eax, eax
	db	48h				; 32-bit code: DEC EAX; 64-bit: a prefix of NOP
	nop
	mov	edx, 3F8h
	test	eax, eax
	jz	.long
	put	'3'
	put	'2'
	jmp	short .end
.long:
	put	'6'
	put	'4'
.end:
	put	13
	put	10
	mov	edx, 0F4h
	out	dx, al
	jmp	short $

	bits	16
gdt:
	dq	0, DESC
gdt_pointer:
	dw	15
	dd	gdt
no_idt:
	dw	0
	dd	0
	sector_end

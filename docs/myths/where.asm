; where.asm - what the BIOS passes to a boot sector: registers and flags at the first instruction.
%include "sector.inc"

	pushf					; the stack is the BIOS's, but there is one
	call	.here
.here:
	push	ds
	push	ss
	push	cs
	jmp	0:main
main:
	mov	bp, sp				; SS may be anything: [bp] goes through it
	say	"CS:IP "
	say_word [bp]
	mov	ax, [bp + 6]
	sub	ax, 4				; back to the first instruction: PUSHF and CALL
	say	":"
	say_word ax
	say	13, 10, "DL "
	say_word dx
	say	13, 10, "DS "
	say_word [bp + 4]
	say	13, 10, "flags "
	mov	ax, [bp + 8]
	test	ax, 400h
	jz	.forward
	say	"DF "
.forward:
	test	ax, 200h
	jz	.end
	say	"IF"
.end:
	say	13, 10
	quit
	sector_end

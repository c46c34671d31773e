; cli.asm - with interrupts off: an exception all the same.
; Spec: Intel SDM vol. 3A, "Masking Maskable Hardware Interrupts".
%include "sector.inc"

	jmp	0:main
main:
	cli
	xor	ax, ax
	mov	ds, ax
	mov	ss, ax
	mov	sp, 7C00h
	mov	word [0], divided
	mov	[2], ax
	div	al				; by 0
divided:
	pushf
	pop	ax
	and	ax, 200h
	say	"exception 0 with IF "
	say_word ax
	say	13, 10
	quit
	sector_end

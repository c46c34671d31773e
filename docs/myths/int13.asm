; int13.asm - what int 13h AH=41h leaves of the registers that it returns nothing in.
; Spec: BIOS Enhanced Disk Drive Specification 3.0, "Check Extensions Present".
%include "sector.inc"

%macro changed 3				; value now, value before, name
	cmp	%1, %2
	je	%%same
	say	%3, " "
%%same:
%endmacro

	jmp	0:main
main:
	xor	ax, ax
	mov	ss, ax
	mov	sp, 7C00h
	mov	ds, ax
	mov	es, ax
	mov	ax, 4100h
	mov	bx, 55AAh
	mov	dx, 80h
	mov	si, 1111h
	mov	di, 2222h
	mov	bp, 3333h
	sti
	cld
	int	13h
	pushf
	say	"spoiled: "
	changed	si, 1111h, "SI"
	changed	di, 2222h, "DI"
	changed	bp, 3333h, "BP"
	mov	ax, ds
	changed	ax, 0, "DS"
	mov	ax, es
	changed	ax, 0, "ES"
	pop	ax
	and	ax, 600h
	test	ax, 400h
	jz	.forward
	say	"DF "
.forward:
	test	ax, 200h
	jnz	.end
	say	"IF "
.end:
	say	".", 13, 10
	quit
	sector_end

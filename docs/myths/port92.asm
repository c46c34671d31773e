; port92.asm - System Control Port A.  -DBLIND: write it as some tutorials do.
; Spec: IBM PS/2 Hardware Interface Technical Reference, "System Control Port A".
%include "sector.inc"

	jmp	0:main
main:
	in	al, 92h
	xor	ah, ah
	say	"port 92h reads "
	say_word ax
	say	13, 10
%ifdef BLIND
	mov	al, 0FFh			; "set all bits, A20 will be one of them"
	out	92h, al
	say	"still here", 13, 10
%endif
	quit
	sector_end

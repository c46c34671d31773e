; limit.asm - real mode as it is, limit 64 KiB: read behind the limit.  A CPU raises exception 13.
; Spec: Intel SDM vol. 3A, "Limit Checking"; vol. 3B, "8086 Emulation", exceptions of real mode.
%include "sector.inc"

	jmp	0:main
main:
	cli
	xor	ax, ax
	mov	ds, ax
	mov	ss, ax
	mov	sp, 7C00h
	mov	word [13 * 4], fault
	mov	[13 * 4 + 2], ax
	mov	ebx, 100000h
	mov	al, [ebx]			; no "unreal mode" was set up
	say	"no exception: this machine does not check limits", 13, 10
	quit
fault:
	say	"exception 13, as it should be", 13, 10
	quit
	sector_end

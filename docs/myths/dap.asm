; dap.asm - a disk address packet that wants its data at 0000:10000h.  It cannot say so.
; Spec: BIOS Enhanced Disk Drive Specification 3.0, "Device Address Packet".
	db	10h, 0				; size of the packet
	dw	1				; sectors
	dw	10000h				; offset
	dw	0				; segment
	dq	0				; LBA

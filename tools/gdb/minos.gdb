# minos.gdb - runs the machine from reset to the kernel's first instruction.
#
# Read by tools/debug after gdb has the kernel's symbols and is connected to QEMU, which stands at
# the reset vector.  The breakpoint is a hardware one: a software breakpoint would be written into
# memory that the loader fills only later.
set architecture i386:x86-64
set disassembly-flavor intel
set pagination off
hbreak _start
continue

define regs
  info registers rip rsp eflags cr0 cr2 cr3 cr4 efer
end
document regs
The registers that say which mode the processor is in.
end

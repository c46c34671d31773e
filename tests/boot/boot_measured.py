"""boot_measured.py - from a run (bootfacts.Run) to the named facts that docs/boot.md states.

Each function asks one witness: the image's bytes, the stopped machine's memory, its registers.
Only limits that no run can show are read from the sources.
"""

import os
import re
import struct

import vm
from docnumbers import Fact

KIB, SECTOR = 1024, 512
# Offsets in struct boot_info (include/boot/boot_info.h).
INFO = {"map": 0x48, "raw_map_count": 0x58, "kernel_start": 0x68, "tables_end": 0xA8}


def constant(path, name):
    """A number that a header defines: for limits that only the code knows."""
    with open(os.path.join(vm.ROOT, path), encoding="utf-8") as f:
        text = re.search(rf"(?m)^#define\s+{name}\s+\(?([0-9a-fx]+)", f.read()).group(1)
    return int(text, 0)


def image_facts(image):
    """From the bytes of the image alone."""
    word = lambda at, form="<I": struct.unpack_from(form, image, at)[0]  # noqa: E731
    iso = image.index(b"\x01CD001")
    catalog = word(iso + 2048 + 0x47) * 2048
    copies = [at for at in range(0, 1 << 20, SECTOR) if image[at:at + 4] == b"MOS2"]
    entry = next(at for at in range(0x100, SECTOR - 16)
                 if image[at:at + 1] == b"\x80" and word(at + 12) * SECTOR + word(at + 8) * SECTOR
                 == len(image))
    volume = word(entry + 8) * SECTOR
    code = 2 + image[1]
    places = {"stage1": 0, "iso": iso, "catalog": catalog, "root": word(iso + 158) * 2048,
              "copy": word(catalog + 40) * 2048, "a": copies[0], "b": copies[1],
              "volume": volume, "end": len(image)}
    serial = image[volume + 39:volume + 43]  # FAT16's volume id is the disk id
    mark = image.index(b"\x55\xaa", entry)
    facts = {"mbr.jump0": image[0], "mbr.jump1": image[1], "mbr.jump2": image[2],
             "mbr.code": code, "mbr.id": image.index(serial), "mbr.partition1": entry,
             "mbr.active": image[entry], "mbr.type": image[entry + 4],
             "mbr.first": word(entry + 8), "mbr.partition2": entry + 16, "mbr.mark": mark,
             "mbr.mark0": image[mark], "mbr.mark1": image[mark + 1],
             "mbr.bytes": mark + 2, "iso.sector": iso // 2048, "image.mib": len(image) >> 20,
             "copy.kib": (copies[1] - copies[0]) // KIB, "stage2.magic": word(copies[0])}
    facts["mbr.bpb"] = next(i for i in range(3, SECTOR) if image[i]) - 3
    facts["copy.sectors"] = (copies[1] - copies[0]) // SECTOR
    facts["mbr.room"] = facts["mbr.id"] - code
    assert not any(image[entry + 16:mark]), "partitions 2 to 4 are empty"
    for name, at in places.items():
        facts[f"lba.{name}"], facts[f"byte.{name}"] = at // SECTOR, at
    return facts


def file_facts():
    with open(os.path.join(vm.BUILD, "image", "MINOS.ELF"), "rb") as f:
        data = f.read()
    mark = data.rindex(b"MINOSCRC")
    assert struct.unpack_from("<I", data, mark + 8)[0] == mark
    return {"trailer": len(data) - mark}


def loader_memory(run):
    """Where things were found in the stopped machine's memory."""
    at_entry, memory = run.memory["stage2_entry"], run.memory["_start"]
    stops, symbols = run.stops, run.symbols["stage2"]
    info = memory.index(b"BotMinOS")
    a = image_facts(run.image)["byte.a"]
    idt32 = struct.pack("<HI", stops["bios_int"]["IDTR"]["limit"], symbols["idt"])
    with open(os.path.join(vm.BUILD, "image", "INITRD.TAR"), "rb") as f:
        initrd = f.read()
    sectors = {initrd[i:i + SECTOR].ljust(SECTOR, b"\0") for i in range(0, len(initrd), SECTOR)}
    sectors.discard(bytes(SECTOR))
    bounce = next(p for p in range(0x18000, len(memory) - SECTOR, SECTOR)
                  if memory[p:p + SECTOR] in sectors)
    volume = image_facts(run.image)["byte.volume"]
    cache = memory.index(run.image[volume:volume + SECTOR], bounce + 0x10000)
    kib = constant("boot/stage2/volume.c", "CACHE_SIZE") * SECTOR // KIB
    assert memory[cache:cache + kib * KIB] == run.image[volume:volume + kib * KIB]
    end = constant("include/boot/loader.h", "LOADER_END")
    untouched = constant("boot/stage2/firmware.c", "EBDA_LOWEST")
    assert not any(memory[end:untouched]), "nothing was written there"
    stage2, entry = at_entry.index(run.image[a:a + SECTOR]), stops["stage2_entry"]["IP"]
    return {"header": entry - stage2, "mem.info": info,
            "mem.raw": stops["bios_int.returned"]["DI"] & 0xFFFF,
            "mem.map": qword(memory, info + INFO["map"]), "mem.trace": memory.index(b"stage 1\0"),
            "mem.low": memory.index(idt32), "mem.stack": stops["to_protected.far"]["SP"],
            "mem.stack_end": constant("include/boot/loader.h", "LOADER_STACK_END"),
            "mem.handoff": stops["stage2_entry"]["SP"], "mem.stage1": stops["stage1"]["IP"],
            "mem.stage2": stage2, "mem.entry": entry, "mem.tables": stops["_start"]["CR3"],
            "mem.idt64": stops["_start"]["IDTR"]["base"],
            "mem.tables_end": qword(memory, info + INFO["tables_end"]),
            "mem.bounce": bounce, "mem.bss": symbols["bss_start"], "mem.cache": cache,
            "cache.kib": kib, "mem.free": end, "mem.untouched": untouched,
            "bounce.kib": constant("include/boot/loader.h", "LOADER_BOUNCE_SIZE") // KIB,
            "mem.kernel": qword(memory, info + INFO["kernel_start"])}


def firmware_facts(run):
    """What the reset and the BIOS made: read when the boot sector begins."""
    stops, bios, reset = run.stops, run.memory["stage1"], run.stops["reset"]
    vectors = (stops["stage1"]["IDTR"]["limit"] + 1) // 4
    first_end = struct.unpack_from("<Q", run.memory["_start"], 0x1000 + 8)[0]
    text = re.search(b"m.i.n.O.S.>", run.video, re.S).start() + 0xA0000
    first = reset["CS"]["base"] + reset["IP"]
    return {
        "vectors": vectors, "bda": vectors * 4, "ebda": Fact(word16(bios, 0x40E) << 4, True),
        "ebda.word": next(at for at in range(0x400, 0x500) if word16(bios, at) << 4 == first_end),
        "screen": text & ~0x7FFF, "screen.columns": word16(bios, 0x44A),
        "screen.rows": bios[0x484] + 1, "bios": word16(bios, 0x13 * 4 + 2) << 4,
        "reset.cs": reset["CS"]["sel"], "reset.base": reset["CS"]["base"],
        "reset.at": first, "reset.below": (1 << 32) - first,
        "drive": Fact(stops["stage1"]["DX"] & 0xFF, True),
        "reset.ip": Fact(word16(run.reset_code, 1), True),
        **{f"reset.{i}": Fact(byte, True) for i, byte in enumerate(run.reset_code)}}


def call_facts(run):
    """The first BIOS call: its number and struct bios_regs (boot/stage2/bios.h), by the stack."""
    memory, sp = run.memory["bios_int"], run.stops["bios_int"]["SP"]
    regs = dword(memory, sp + 8)
    return {"first.call": dword(memory, sp + 4), "first.ax": dword(memory, regs + 28),
            "e820.bytes": dword(memory, regs + 24), "smap": dword(memory, regs + 20)}


def loader_facts(run):
    """Registers of the loader's stops."""
    stops, memory = run.stops, run.memory["_start"]
    info = memory.index(b"BotMinOS")
    clean = qword(memory, info + INFO["map"])
    checked = cpu_bits()
    return {
        "stage1.bp": stops["stage2_entry"]["BP"],
        "dap": stops["int13"]["SI"], "dap.bytes": run.memory["int13"][stops["int13"]["SI"]],
        "flat.limit": stops["to_protected.in"]["CS"]["limit"],
        "old.limit": stops["to_protected.in"]["DS"]["limit"],
        "p16.limit": stops["bios_int.protected16"]["CS"]["limit"],
        "gates32": (stops["bios_int"]["IDTR"]["limit"] + 1) // 8,
        "code.type": gdt_type(memory, stops, 1), "data.type": gdt_type(memory, stops, 2),
        "e820.count": Fact(dword(memory, info + INFO["raw_map_count"]), True),
        "e820.cut": Fact(qword(memory, clean + 8), True),
        "read.sectors": constant("boot/stage2/disk.c", "MAX_TRANSFER"),
        "read.cd_sectors": constant("boot/stage2/disk.c", "MAX_TRANSFER") * SECTOR // 2048,
        "baud": 115200 // run.uart["divisor"], "uart.bits": 5 + (run.uart["lcr"] & 3),
        "uart.stop": 1 + (run.uart["lcr"] >> 2 & 1),
        "pic1.masked": run.pics["_start"][0][0], "pic2.masked": run.pics["_start"][1][0],
        "efer": stops["wrmsr"]["CX"], "gates64": (stops["_start"]["IDTR"]["limit"] + 1) // 16,
        "tables": (stops["_start"]["IDTR"]["base"] - stops["_start"]["CR3"]) // 4096,
        **{f"cpuid.{i}": bit for i, bit in enumerate(checked)}}


def cpu_bits():
    """The bits of EDX that boot/stage2/cpu.c asks for, in its order."""
    with open(os.path.join(vm.ROOT, "boot/stage2/cpu.c"), encoding="utf-8") as f:
        return [int(bit) for bit in re.findall(r"\{CPUID_\w+, (\d+), ", f.read())]


def kernel_facts(run):
    stops, kernel = run.stops, run.symbols["kernel"]
    tss = qword(run.kernel_gdt, 0x28)
    loaded = qword(run.memory["_start"], stops["_start"]["DI"] + INFO["kernel_start"])
    return {
        "entry": stops["_start"]["IP"], "kernel.vma": stops["_start"]["IP"] - loaded,
        "kernel.offset": stops["_start"]["IP"] & 0x1FFFFF,
        "stack.kib": (kernel["boot_stack_top"] - kernel["boot_stack"]) // KIB,
        "thread.kib": constant("include/mm/layout.h", "KSTACK_SIZE") // KIB,
        "thread.low": constant("include/mm/layout.h", "KERNEL_MAP_BASE"),
        "thread.high": constant("include/mm/layout.h", "KERNEL_MAP_BASE")
        + constant("include/mm/layout.h", "KERNEL_MAP_SIZE"),
        "frame": stops["prompt"]["CR3"] >> 20,
        "gates": (stops["prompt"]["IDTR"]["limit"] + 1) // 16,
        "tss.limit": tss & 0xFFFF, "tss.bytes": (tss & 0xFFFF) + 1, "tss.type": tss >> 40 & 0xF,
        "pic.first": run.pics["prompt"][0][1], "pic.last": run.pics["prompt"][1][1] + 7,
        "hz": constant("include/kern/clock.h", "CLOCK_HZ")}


def gdt_type(memory, stops, index):
    """The type of a descriptor in the loader's GDT."""
    return memory[stops["_start"]["GDTR"]["base"] + 8 * index + 5] & 0xF


def qword(memory, at):
    return struct.unpack_from("<Q", memory, at)[0]


def dword(memory, at):
    return struct.unpack_from("<I", memory, at)[0]


def word16(memory, at):
    return struct.unpack_from("<H", memory, at)[0]


def table_facts(run):
    """The page tables as stage 2 wrote them, read before paging is on."""
    memory, base = run.memory["long_mode"], run.stops["_start"]["CR3"]
    entry = lambda table, i: struct.unpack_from("<Q", memory, table + 8 * i)[0]  # noqa: E731
    facts = {"cr3": base}
    low, high = entry(base, 0) & ~0xFFF, entry(base, 511) & ~0xFFF
    tables = {"pml4": base, "low": low, "high": high}
    tables.update({f"pd{i}": entry(low, i) & ~0xFFF for i in range(4)})
    for name, at in tables.items():
        facts[f"t.{name}"] = at
        used = [i for i in range(512) if entry(at, i)]
        for i in (0, 1, 2, 3, 510, 511):
            facts[f"{name}.{i}"] = entry(at, i)
        facts[f"{name}.used"] = len(used)
    facts["page.mib"] = (facts["pd0.1"] - facts["pd0.0"]) >> 20
    facts["mapped.gib"] = ((facts["pd3.511"] & ~0xFFF) + (facts["page.mib"] << 20)) >> 30
    for i in range(4):
        assert facts[f"pd{i}.used"] == 512, "the directories are full"
    assert [facts[f"{n}.used"] for n in ("pml4", "low", "high")] == [2, 4, 1], "the rest is 0"
    return facts


def derive(run):
    facts = {}
    for part in (image_facts(run.image), file_facts(), loader_memory(run), firmware_facts(run),
                 call_facts(run), loader_facts(run), kernel_facts(run), table_facts(run)):
        facts.update(part)
    return {k: v if isinstance(v, Fact) else Fact(v) for k, v in facts.items()}

/*
 * pci_names.c - names of PCI vendors, devices and classes.
 *
 * The devices that QEMU and other virtual machines offer, and chips of common PCs; everything else
 * has at least the name of its class.
 * Spec: PCI Code and ID Assignment, "Class Codes"; QEMU, docs/specs/pci-ids.
 */
#include <dev/pci.h>

static const struct {
	uint16_t vendor;
	const char *name;
} vendors[] = {
	{0x1000, "LSI Logic"},	  {0x1002, "AMD/ATI"},	{0x100b, "National Semiconductor"},
	{0x1013, "Cirrus Logic"}, {0x1022, "AMD"},	{0x1033, "NEC"},
	{0x106b, "Apple"},	  {0x10b7, "3Com"},	{0x10de, "NVIDIA"},
	{0x10ec, "Realtek"},	  {0x1106, "VIA"},	{0x1180, "Ricoh"},
	{0x1234, "QEMU"},	  {0x1274, "Ensoniq"},	{0x13f6, "C-Media"},
	{0x144d, "Samsung"},	  {0x14e4, "Broadcom"}, {0x15ad, "VMware"},
	{0x15b7, "SanDisk"},	  {0x168c, "Atheros"},	{0x1912, "Renesas"},
	{0x197b, "JMicron"},	  {0x1af4, "Red Hat"},	{0x1b21, "ASMedia"},
	{0x1b36, "Red Hat"},	  {0x1b73, "Fresco"},	{0x5333, "S3"},
	{0x80ee, "VirtualBox"},	  {0x8086, "Intel"},
};

static const struct {
	uint16_t vendor, device;
	const char *name;
} devices[] = {
	{0x1000, 0x0012, "53C895A SCSI"},
	{0x1000, 0x0030, "53C1030 SCSI"},
	{0x1000, 0x0060, "MegaRAID SAS 1078"},
	{0x1013, 0x00b8, "CL-GD5446 VGA"},
	{0x1022, 0x2000, "PCnet Ethernet"},
	{0x1022, 0x2020, "53C974 SCSI"},
	{0x1022, 0x7801, "FCH SATA AHCI"},
	{0x1022, 0x7901, "FCH SATA AHCI"},
	{0x1022, 0x790b, "FCH SMBus"},
	{0x1022, 0x790e, "FCH LPC bridge"},
	{0x1033, 0x0194, "uPD720200 USB 3 xHCI"},
	{0x106b, 0x003f, "KeyLargo USB"},
	{0x10ec, 0x8029, "RTL8029 Ethernet (NE2000)"},
	{0x10ec, 0x8139, "RTL8139 Ethernet"},
	{0x10ec, 0x8168, "RTL8111/8168 Ethernet"},
	{0x1234, 0x1111, "standard VGA"},
	{0x1234, 0x11e8, "edu device"},
	{0x1274, 0x5000, "AudioPCI ES1370"},
	{0x15ad, 0x0405, "SVGA II"},
	{0x15ad, 0x07b0, "VMXNET3 Ethernet"},
	{0x15ad, 0x07c0, "PVSCSI"},
	{0x15ad, 0x0740, "VMCI"},
	{0x1912, 0x0014, "uPD720201 USB 3 xHCI"},
	{0x1912, 0x0015, "uPD720202 USB 3 xHCI"},
	{0x1af4, 0x1000, "virtio network"},
	{0x1af4, 0x1001, "virtio block"},
	{0x1af4, 0x1002, "virtio balloon"},
	{0x1af4, 0x1003, "virtio console"},
	{0x1af4, 0x1004, "virtio SCSI"},
	{0x1af4, 0x1005, "virtio random"},
	{0x1af4, 0x1009, "virtio 9P"},
	{0x1af4, 0x1041, "virtio 1.0 network"},
	{0x1af4, 0x1042, "virtio 1.0 block"},
	{0x1af4, 0x1043, "virtio 1.0 console"},
	{0x1af4, 0x1044, "virtio 1.0 random"},
	{0x1af4, 0x1045, "virtio 1.0 balloon"},
	{0x1af4, 0x1048, "virtio 1.0 SCSI"},
	{0x1af4, 0x1049, "virtio 1.0 9P"},
	{0x1af4, 0x1050, "virtio 1.0 GPU"},
	{0x1af4, 0x1052, "virtio 1.0 input"},
	{0x1af4, 0x1053, "virtio 1.0 vsock"},
	{0x1af4, 0x105a, "virtio 1.0 file system"},
	{0x1af4, 0x1110, "inter-VM shared memory"},
	{0x1b36, 0x0001, "PCI-PCI bridge"},
	{0x1b36, 0x0002, "PCI serial port"},
	{0x1b36, 0x0003, "PCI serial ports (2)"},
	{0x1b36, 0x0004, "PCI serial ports (4)"},
	{0x1b36, 0x0005, "PCI test device"},
	{0x1b36, 0x0007, "SD host controller"},
	{0x1b36, 0x0008, "PCIe host bridge"},
	{0x1b36, 0x0009, "PCI expander bridge"},
	{0x1b36, 0x000b, "PCIe expander bridge"},
	{0x1b36, 0x000c, "PCIe root port"},
	{0x1b36, 0x000d, "USB 3 xHCI"},
	{0x1b36, 0x000e, "PCIe-PCI bridge"},
	{0x1b36, 0x0010, "NVMe controller"},
	{0x1b36, 0x0011, "PVpanic"},
	{0x1b36, 0x0100, "QXL display"},
	{0x80ee, 0xbeef, "graphics adapter"},
	{0x80ee, 0xcafe, "guest service"},
	{0x8086, 0x0d53, "i210 Ethernet"},
	{0x8086, 0x100e, "82540EM Gigabit Ethernet (e1000)"},
	{0x8086, 0x100f, "82545EM Gigabit Ethernet"},
	{0x8086, 0x10d3, "82574L Gigabit Ethernet (e1000e)"},
	{0x8086, 0x10c9, "82576 Gigabit Ethernet"},
	{0x8086, 0x1209, "82551 Ethernet"},
	{0x8086, 0x1237, "82441FX (440FX) host bridge"},
	{0x8086, 0x1533, "i210 Ethernet"},
	{0x8086, 0x1e22, "7 Series SMBus"},
	{0x8086, 0x1e31, "7 Series USB 3 xHCI"},
	{0x8086, 0x2415, "82801AA AC'97 audio"},
	{0x8086, 0x244e, "82801 PCI bridge"},
	{0x8086, 0x2448, "82801 mobile PCI bridge"},
	{0x8086, 0x25ab, "6300ESB watchdog"},
	{0x8086, 0x2668, "82801FB (ICH6) HD audio"},
	{0x8086, 0x27b8, "82801GB (ICH7) LPC bridge"},
	{0x8086, 0x2918, "82801IB (ICH9) LPC bridge"},
	{0x8086, 0x2922, "82801IR (ICH9) SATA AHCI"},
	{0x8086, 0x2930, "82801I (ICH9) SMBus"},
	{0x8086, 0x2934, "82801I (ICH9) USB UHCI #1"},
	{0x8086, 0x2935, "82801I (ICH9) USB UHCI #2"},
	{0x8086, 0x2936, "82801I (ICH9) USB UHCI #3"},
	{0x8086, 0x2937, "82801I (ICH9) USB UHCI #4"},
	{0x8086, 0x2938, "82801I (ICH9) USB UHCI #5"},
	{0x8086, 0x2939, "82801I (ICH9) USB UHCI #6"},
	{0x8086, 0x293a, "82801I (ICH9) USB EHCI #1"},
	{0x8086, 0x293c, "82801I (ICH9) USB EHCI #2"},
	{0x8086, 0x293e, "82801I (ICH9) HD audio"},
	{0x8086, 0x29c0, "82G33/Q35 host bridge"},
	{0x8086, 0x3420, "7500 PCIe root port"},
	{0x8086, 0x5845, "NVMe controller (QEMU)"},
	{0x8086, 0x7000, "82371SB (PIIX3) ISA bridge"},
	{0x8086, 0x7010, "82371SB (PIIX3) IDE"},
	{0x8086, 0x7020, "82371SB (PIIX3) USB UHCI"},
	{0x8086, 0x7110, "82371AB (PIIX4) ISA bridge"},
	{0x8086, 0x7111, "82371AB (PIIX4) IDE"},
	{0x8086, 0x7112, "82371AB (PIIX4) USB UHCI"},
	{0x8086, 0x7113, "82371AB (PIIX4) ACPI"},
	{0x8086, 0x7190, "82443BX (440BX) host bridge"},
	{0x8086, 0x7191, "82443BX (440BX) AGP bridge"},
	{0x8086, 0x9d03, "Sunrise Point-LP SATA AHCI"},
	{0x8086, 0x9d2f, "Sunrise Point-LP USB 3 xHCI"},
};

#define ANY 0xff

/* The first row that fits: the more special ones stand first. */
static const struct {
	uint8_t class, subclass, prog_if;
	const char *name;
} classes[] = {
	{0x00, 0x01, ANY, "VGA device of before PCI 2.0"},
	{0x00, ANY, ANY, "unclassified device"},
	{0x01, 0x00, ANY, "SCSI controller"},
	{0x01, 0x01, ANY, "IDE controller"},
	{0x01, 0x02, ANY, "floppy controller"},
	{0x01, 0x04, ANY, "RAID controller"},
	{0x01, 0x05, ANY, "ATA controller"},
	{0x01, 0x06, 0x01, "SATA controller (AHCI)"},
	{0x01, 0x06, ANY, "SATA controller"},
	{0x01, 0x07, ANY, "SAS controller"},
	{0x01, 0x08, 0x02, "NVM Express controller"},
	{0x01, 0x08, ANY, "non-volatile memory controller"},
	{0x01, ANY, ANY, "mass storage controller"},
	{0x02, 0x00, ANY, "Ethernet controller"},
	{0x02, 0x80, ANY, "network controller"},
	{0x02, ANY, ANY, "network controller"},
	{0x03, 0x00, ANY, "VGA controller"},
	{0x03, 0x02, ANY, "3D controller"},
	{0x03, ANY, ANY, "display controller"},
	{0x04, 0x00, ANY, "video device"},
	{0x04, 0x01, ANY, "audio device"},
	{0x04, 0x03, ANY, "HD audio device"},
	{0x04, ANY, ANY, "multimedia device"},
	{0x05, 0x00, ANY, "RAM"},
	{0x05, ANY, ANY, "memory controller"},
	{0x06, 0x00, ANY, "host bridge"},
	{0x06, 0x01, ANY, "ISA bridge"},
	{0x06, 0x04, ANY, "PCI bridge"},
	{0x06, 0x07, ANY, "CardBus bridge"},
	{0x06, ANY, ANY, "bridge"},
	{0x07, 0x00, ANY, "serial port"},
	{0x07, 0x01, ANY, "parallel port"},
	{0x07, ANY, ANY, "communication controller"},
	{0x08, 0x00, 0x20, "I/O APIC"},
	{0x08, 0x00, ANY, "interrupt controller"},
	{0x08, 0x05, ANY, "SD host controller"},
	{0x08, 0x06, ANY, "IOMMU"},
	{0x08, ANY, ANY, "system peripheral"},
	{0x09, 0x00, ANY, "keyboard controller"},
	{0x09, 0x02, ANY, "mouse controller"},
	{0x09, ANY, ANY, "input device"},
	{0x0a, ANY, ANY, "docking station"},
	{0x0b, ANY, ANY, "processor"},
	{0x0c, 0x00, ANY, "FireWire controller"},
	{0x0c, 0x03, 0x00, "USB controller (UHCI)"},
	{0x0c, 0x03, 0x10, "USB controller (OHCI)"},
	{0x0c, 0x03, 0x20, "USB 2 controller (EHCI)"},
	{0x0c, 0x03, 0x30, "USB 3 controller (xHCI)"},
	{0x0c, 0x03, ANY, "USB controller"},
	{0x0c, 0x05, ANY, "SMBus controller"},
	{0x0c, ANY, ANY, "serial bus controller"},
	{0x0d, ANY, ANY, "wireless controller"},
	{0x0e, ANY, ANY, "intelligent controller"},
	{0x0f, ANY, ANY, "satellite controller"},
	{0x10, ANY, ANY, "encryption controller"},
	{0x11, ANY, ANY, "signal processing controller"},
	{0x12, ANY, ANY, "processing accelerator"},
	{0x13, ANY, ANY, "instrumentation"},
	{0x40, ANY, ANY, "coprocessor"},
};

const char *
pci_vendor_name(uint16_t vendor)
{
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		if (vendors[i].vendor == vendor)
			return vendors[i].name;
	return NULL;
}

const char *
pci_device_name(uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].vendor == vendor && devices[i].device == device)
			return devices[i].name;
	return NULL;
}

const char *
pci_class_name(uint8_t class, uint8_t subclass, uint8_t prog_if)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (classes[i].class == class &&
		    (classes[i].subclass == subclass || classes[i].subclass == ANY) &&
		    (classes[i].prog_if == prog_if || classes[i].prog_if == ANY))
			return classes[i].name;
	return "device of unknown class";
}

/*
 * initrd.h - the archive that the loader brought, unpacked into the root file system (fs/initrd.c).
 */
#pragma once

/* 0, or -errno when there is no memory; what is wrong in the archive is logged and skipped. */
int initrd_unpack(void);

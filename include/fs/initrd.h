/*
 * initrd.h - the archive that the loader brought, unpacked into the root file system (fs/initrd.c).
 */
#pragma once

/*
 * What is wrong in the archive is logged and skipped.  0 or -ENOMEM.  Its memory is given back, or has become that
 * of the files.  Context: thread, at the start.
 */
int initrd_unpack(void);

/*
 * version.h - what MinOS calls itself.
 */
#pragma once

#define MINOS_NAME    "MinOS"
#define MINOS_VERSION "0.1"
#define MINOS_MACHINE "x86_64"

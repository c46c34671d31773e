/*
 * host.h - what every host test starts with: libc as cmocka needs it, cmocka, then our names.
 *
 * After this, functions that both libc and MinOS have mean those of MinOS.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "rename.h"

/*
 * rename.h - gives our functions that libc has too a name of their own in host tests.
 *
 * Included before every source of MinOS that a host test is linked with (tools/mk/host-tests.mk), and
 * by host.h after libc's headers.
 */
#pragma once

#define memcpy	    k_memcpy
#define memmove	    k_memmove
#define memset	    k_memset
#define memcmp	    k_memcmp
#define memchr	    k_memchr
#define strlen	    k_strlen
#define strnlen	    k_strnlen
#define strcmp	    k_strcmp
#define strncmp	    k_strncmp
#define strcasecmp  k_strcasecmp
#define strncasecmp k_strncasecmp
#define strchr	    k_strchr
#define strrchr	    k_strrchr
#define strstr	    k_strstr
#define strlcpy	    k_strlcpy
#define snprintf    k_snprintf
#define vsnprintf   k_vsnprintf
#define printf	    k_printf
#define vprintf	    k_vprintf

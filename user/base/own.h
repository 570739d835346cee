/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership made visible: cleanup attributes and explicit takes.
 *
 * An automatic owner is always initialised (NULL or -1) at its declaration, so that every return of
 * the function, early or late, releases exactly what was acquired. A value leaves its owner only
 * through WW_TAKE / WW_TAKE_FD, which is then the last line that touches it.
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define WW_CHECK __attribute__((warn_unused_result))

static inline void ww_own_free(void *pp)
{
	free(*(void **)pp);
}

static inline void ww_own_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Declares cleanup by `fn`, which receives the address of the variable. */
#define WW_AUTO(fn)  __attribute__((cleanup(fn)))
#define WW_AUTO_FREE WW_AUTO(ww_own_free)
#define WW_AUTO_FD   WW_AUTO(ww_own_close)

/* Makes `static inline void fn_auto(type **pp)` for use as WW_AUTO(fn_auto). fn accepts NULL. */
#define WW_DEFINE_AUTO(type, fn)                \
	static inline void fn##_auto(type **pp) \
	{                                       \
		fn(*pp);                        \
	}

#define WW_TAKE(p)                             \
	({                                     \
		__typeof__(p) ww_taken_ = (p); \
		(p) = NULL;                    \
		ww_taken_;                     \
	})

#define WW_TAKE_FD(fd)                \
	({                            \
		int ww_taken_ = (fd); \
		(fd) = -1;            \
		ww_taken_;            \
	})

#define WW_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

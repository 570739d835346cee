/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded: a machine whose clocks show another day. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

#define DAYS 400

int clock_gettime(clockid_t id, struct timespec *ts)
{
	static int (*real)(clockid_t, struct timespec *);
	int r;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	r = real(id, ts);
	ts->tv_sec += DAYS * 86400l;
	return r;
}

time_t time(time_t *ret)
{
	struct timespec ts;
	time_t t;

	clock_gettime(CLOCK_REALTIME, &ts);
	t = ts.tv_sec;
	if (ret)
		*ret = t;
	return t;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writes ROUNDS COUNT FOLDER...: in each round, and in each folder, COUNT files are opened, written
 * to and closed; prints a line per round with the nanoseconds of CPU of one of these per folder, in
 * the order in which they are given. The folders have their turns in the other order in every
 * second round. For tests/bench/changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"

#define NAMES       64
#define FOLDERS_MAX 8

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static int write_one(int dir, unsigned nth)
{
	char name[32];
	int fd, r;

	snprintf(name, sizeof(name), "f%u.txt", nth % NAMES);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write(fd, name, sizeof(name)) < 0 ? -errno : 0;
	return close(fd) < 0 ? -errno : r;
}

int main(int argc, char **argv)
{
	uint64_t rounds, count;

	if (argc < 4 || argc > 3 + FOLDERS_MAX ||
	    ww_slice_u64(ww_slice_str(argv[1]), &rounds) < 0 ||
	    ww_slice_u64(ww_slice_str(argv[2]), &count) < 0 || count == 0) {
		fprintf(stderr, "usage: writes ROUNDS COUNT FOLDER...\n");
		return 2;
	}
	for (uint64_t round = 0; round < rounds; round++) {
		uint64_t ns[FOLDERS_MAX] = {0};
		int n = argc - 3;

		for (int i = 0; i < n; i++) {
			int f = round % 2 ? n - 1 - i : i;
			int dir = open(argv[3 + f], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			uint64_t begin = now_ns();

			for (uint64_t k = 0; k < count; k++) {
				if (dir < 0 || write_one(dir, (unsigned)k) < 0) {
					perror(argv[3 + f]);
					return 1;
				}
			}
			ns[f] = (now_ns() - begin) / count;
			close(dir);
		}
		for (int f = 0; f < n; f++)
			printf("%llu%c", (unsigned long long)ns[f], f + 1 < n ? ' ' : '\n');
	}
	return 0;
}

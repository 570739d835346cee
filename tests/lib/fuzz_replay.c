/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main() for fuzz targets without a fuzzer: runs the target once over every file given, and over
 * every file in every folder given. Exit 77 when there was nothing to run.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned ran;

static int complain(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return -1;
}

static int run_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rbe");
	uint8_t *data;
	size_t n;

	if (!f)
		return complain(path);
	/* Exactly as long as the input, so that a sanitizer sees a read behind its end. */
	data = malloc(size > 0 ? size : 1);
	if (!data) {
		fclose(f);
		return complain(path);
	}
	n = fread(data, 1, size, f);
	fclose(f);
	if (n != size) {
		fprintf(stderr, "%s: short read\n", path);
		free(data);
		return -1;
	}
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	ran++;
	return 0;
}

static int run_folder(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int r = 0;

	if (!d)
		return complain(path);
	while (r == 0 && (e = readdir(d))) {
		char name[4096];
		struct stat st;
		int n = snprintf(name, sizeof(name), "%s/%s", path, e->d_name);

		if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof(name))
			continue;
		if (stat(name, &st) < 0)
			r = complain(name);
		else if (S_ISREG(st.st_mode))
			r = run_file(name, (size_t)st.st_size);
	}
	closedir(d);
	return r;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;
		int r;

		if (stat(argv[i], &st) < 0)
			r = complain(argv[i]);
		else if (S_ISDIR(st.st_mode))
			r = run_folder(argv[i]);
		else
			r = run_file(argv[i], (size_t)st.st_size);
		if (r < 0)
			return 1;
	}
	if (ran == 0) {
		printf("no input\n");
		return 77;
	}
	printf("%u inputs\n", ran);
	return 0;
}

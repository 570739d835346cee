/* SPDX-License-Identifier: Apache-2.0 */
/* The records in tests/golden/paths, for the tests that make something of them. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "rt/file.h"

#define SAMPLES_FOLDER "tests/golden/paths/"
#define SAMPLES_MIN    11u

static inline void read_file(const char *path, struct ww_buf *out)
{
	ww_buf_init(out, 8u << 20);
	if (ww_file_read(path, out) < 0)
		fail_msg("%s cannot be read", path);
}

static inline int is_sample(const struct dirent *e)
{
	return ww_slice_ends(ww_slice_str(e->d_name), WW_SLICE_LIT(".json"));
}

/* In order of their names; `record` is without its line's end. */
static inline void each_sample(void (*fn)(const char *name, struct ww_slice record))
{
	struct dirent **list;
	int n = scandir(SAMPLES_FOLDER, &list, is_sample, alphasort);

	assert_true(n >= (int)SAMPLES_MIN);
	for (int i = 0; i < n; i++) {
		WW_AUTO_BUF struct ww_buf file = {0};
		char path[512], name[256];

		snprintf(path, sizeof(path), SAMPLES_FOLDER "%s", list[i]->d_name);
		snprintf(name, sizeof(name), "%.*s", (int)strlen(list[i]->d_name) - 5,
			 list[i]->d_name);
		read_file(path, &file);
		fn(name, ww_slice_sub(ww_buf_slice(&file), 0, file.n - 1));
		free(list[i]);
	}
	free(list);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tables_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "rt/file.h"

struct names {
	char *items[WW_TABLES_MAX];
	unsigned count;
};

static void names_done(struct names *n)
{
	for (unsigned i = 0; i < n->count; i++)
		free(n->items[i]);
}

void ww_tables_error_text(const char *file, const struct ww_tables_error *e, char *out, size_t cap)
{
	unsigned long long at = e->at;

	if (e->offset)
		snprintf(out, cap, "%s: offset %llu: error: %s", file, at, e->text);
	else if (at)
		snprintf(out, cap, "%s:%llu: error: %s", file, at, e->text);
	else
		snprintf(out, cap, "%s: error: %s", file, e->text);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(const char *dir, struct names *n, char *why)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	if (!d) {
		r = -errno;
		snprintf(why, WW_TABLES_WHY_MAX, "%s: %s", dir, strerror(-r));
		return r;
	}
	while (r == 0 && (errno = 0, e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' ||
		    ww_slice_ends(ww_slice_str(e->d_name), WW_SLICE_LIT(".tmp")))
			continue;
		if (n->count == WW_TABLES_MAX) {
			snprintf(why, WW_TABLES_WHY_MAX, "%s: more than %u files", dir,
				 WW_TABLES_MAX);
			r = -EINVAL;
		} else if ((n->items[n->count] = strdup(e->d_name)) == NULL) {
			r = -ENOMEM;
		} else {
			n->count++;
		}
	}
	if (r == 0 && errno)
		r = -errno;
	closedir(d);
	qsort(n->items, n->count, sizeof(n->items[0]), by_bytes);
	return r;
}

static int read_one(struct ww_tables *t, const char *dir, const char *name, size_t *room, char *why)
{
	struct ww_tables_error error = {0};
	char path[4096];
	WW_AUTO_BUF struct ww_buf file;
	int r;

	ww_buf_init(&file, *room < WW_TABLES_FILE_BYTES ? *room : WW_TABLES_FILE_BYTES);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path)) {
		snprintf(why, WW_TABLES_WHY_MAX, "%.4000s: too long a path", dir);
		return -EINVAL;
	}
	r = ww_tables_file_name_ok(name) ? ww_file_read(path, &file) : 0;
	if (r < 0) {
		snprintf(why, WW_TABLES_WHY_MAX, "%s: %s", path, strerror(-r));
		return r;
	}
	*room -= file.n;
	r = ww_tables_read(t, name, ww_buf_slice(&file), &error);
	if (r == -EINVAL)
		ww_tables_error_text(path, &error, why, WW_TABLES_WHY_MAX);
	else if (r < 0)
		snprintf(why, WW_TABLES_WHY_MAX, "%s: %s", path, strerror(-r));
	return r;
}

int ww_tables_folder(const char *dir, struct ww_tables **ret, char why[WW_TABLES_WHY_MAX])
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct names WW_AUTO(names_done) names = {.count = 0};
	size_t room = WW_TABLES_FOLDER_BYTES;
	int r = ww_tables_new(&t);

	why[0] = '\0';
	if (r == 0)
		r = list(dir, &names, why);
	for (unsigned i = 0; r == 0 && i < names.count; i++)
		r = read_one(t, dir, names.items[i], &room, why);
	if (r == 0)
		r = ww_tables_seal(t);
	if (r < 0) {
		if (!why[0])
			snprintf(why, WW_TABLES_WHY_MAX, "%s: %s", dir, strerror(-r));
		return r;
	}
	*ret = WW_TAKE(t);
	return 0;
}

int ww_tables_option(const char *arg, const char *preset, struct ww_tables **ret)
{
	const char *dir = arg ? arg : preset;
	char why[WW_TABLES_WHY_MAX];
	int r;

	if (!dir || (arg && strcmp(arg, "off") == 0) || (!arg && access(dir, F_OK) < 0))
		return 0;
	r = ww_tables_folder(dir, ret, why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why);
	return r;
}

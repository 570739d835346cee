/* SPDX-License-Identifier: Apache-2.0 */
#include "tables_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "base/log.h"
#include "cmd.h"
#include "daemon/tables_folder.h"
#include "ledger/durable.h"
#include "rt/file.h"
#include "tables_check.h"

static int open_folder(const char *dir, int *ret_fd)
{
	int fd;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return ww_log_err_r(-errno, "cannot make %s", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ww_log_err_r(-errno, "cannot open %s", dir);
	*ret_fd = fd;
	return 0;
}

/* A published file's text as a table, and the set as the daemon will read it. */
static int rewrite(const char *name, struct ww_tables **t, struct ww_buf *out)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *again = NULL;
	struct ww_tables_error error = {0};
	int r = ww_tables_rows_write(*t, out);

	if (r == 0)
		r = ww_tables_new(&again);
	if (r == 0)
		r = ww_tables_read(again, name, ww_buf_slice(out), &error);
	if (r < 0)
		return ww_log_err_r(r, "cannot make %s of it: %s", name, error.text);
	ww_tables_free(*t);
	*t = WW_TAKE(again);
	return 0;
}

static int put(const char *dir, const char *name, const struct ww_tables_file *f,
	       struct ww_slice content)
{
	char hex[2 * WW_SHA256_LEN + 1], source[2 * WW_SHA256_LEN + 1] = "";
	WW_AUTO_FD int fd = -1;
	bool there;
	int r = open_folder(dir, &fd);

	if (r < 0)
		return r;
	there = faccessat(fd, name, F_OK, 0) == 0;
	r = ww_durable_replace(fd, name, 0644, content);
	if (r < 0)
		return ww_log_err_r(r, "cannot write %s/%s", dir, name);
	ww_hex_encode(ww_slice(f->digest.b, WW_SHA256_LEN), hex);
	if (f->published)
		ww_hex_encode(ww_slice(f->source.b, WW_SHA256_LEN), source);
	printf("%s/%s: %s, as of %s, %llu %s, sha256 %s%s%s%s\n", dir, name, f->shape, f->as_of,
	       (unsigned long long)f->rows, f->db ? "nodes" : "rows", hex,
	       source[0] ? ", of a file with sha256 " : "", source,
	       there ? "; it replaces the one that was there" : "");
	return 0;
}

/* A limit that only all of them together reach. */
static int check_folder(const char *dir)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	char why[WW_TABLES_WHY_MAX], hex[2 * WW_SHA256_LEN + 1];
	struct ww_sha256 digest;

	if (ww_tables_folder(dir, &t, why) < 0) {
		ww_log(WW_LOG_ERR, "the folder cannot be used: %s", why);
		return WW_EXIT_NO;
	}
	digest = ww_tables_digest(t);
	ww_hex_encode(ww_slice(digest.b, WW_SHA256_LEN), hex);
	printf("%s: %u tables, sha256 %s; a daemon reads them when it starts\n", dir,
	       ww_tables_count(t), hex);
	return 0;
}

int ww_tables_import_file(const char *dir, const char *path, const char *name,
			  const struct ww_tables_import *how)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct ww_tables_error error = {0};
	char text[WW_TABLES_WHY_MAX], file_name[WW_TABLES_NAME_MAX + 1];
	WW_AUTO_BUF struct ww_buf file, made;
	struct ww_slice content;
	const char *ending;
	int r;

	ww_buf_init(&file, WW_TABLES_FILE_BYTES);
	ww_buf_init(&made, WW_TABLES_FILE_BYTES);
	r = ww_file_read(path, &file);
	if (r < 0) {
		ww_log_err_r(r, "cannot read %s", path);
		return WW_EXIT_UNABLE;
	}
	r = ww_tables_any_read(path, ww_buf_slice(&file), how, &t, &error);
	if (r == -EINVAL) {
		ww_tables_error_text(path, &error, text, sizeof(text));
		ww_log(WW_LOG_ERR, "%s", text);
		return WW_EXIT_NO;
	}
	if (r < 0) {
		ww_log_err_r(r, "cannot import %s", path);
		return WW_EXIT_UNABLE;
	}
	ending = ww_tables_at(t, 0)->db                           ? ".mmdb"
		 : strcmp(ww_tables_at(t, 0)->shape, "yaml") == 0 ? ".yaml"
								  : ".rows";
	snprintf(file_name, sizeof(file_name), "%s%s", name, ending);
	content = ww_buf_slice(&file);
	if (!ww_tables_at(t, 0)->name[0]) { /* as it is published; others stay byte for byte */
		r = rewrite(file_name, &t, &made);
		content = ww_buf_slice(&made);
	}
	if (r == 0)
		r = put(dir, file_name, ww_tables_at(t, 0), content);
	return r < 0 ? WW_EXIT_UNABLE : check_folder(dir);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tables_check.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "base/log.h"
#include "cmd.h"
#include "daemon/tables_folder.h"
#include "rt/file.h"

#define WARNINGS_SHOWN 20u /* of one kind, per file */

int ww_tables_any_read(const char *path, struct ww_slice file, const struct ww_tables_import *how,
		       struct ww_tables **ret, struct ww_tables_error *ret_error)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	const char *shape = ww_tables_shape(file);
	bool table = shape && (strcmp(shape, "rows") == 0 || strcmp(shape, "mmdb") == 0);
	int r;

	if (!table && (shape || !ww_slice_ends(ww_slice_str(path), WW_SLICE_LIT(".yaml"))))
		return ww_tables_published_read(file, how, ret, ret_error);
	if (how->operator_name.n || how->as_of[0] || how->until != INT32_MAX)
		return ww_tables_fail(ret_error, false, 0,
				      "--operator, --as-of and --valid-until are for published "
				      "files: this one says all of that itself");
	r = ww_tables_new(&t);
	if (r == 0)
		r = ww_tables_read(t,
				   !shape                       ? "table.yaml"
				   : strcmp(shape, "rows") == 0 ? "table.rows"
								: "table.mmdb",
				   file, ret_error);
	if (r == 0)
		r = ww_tables_seal(t);
	if (r < 0)
		return r;
	*ret = WW_TAKE(t);
	return 0;
}

/* --- what is suspicious -------------------------------------------------------------------------
 */

struct look {
	const char *where;
	bool named; /* where is a folder */
	struct ww_wall now;
	struct ww_cidr prefix;
	const struct ww_tables_file *table;
	struct ww_tables_words first; /* what rows of one table with one prefix said first */
	uint32_t operator_line, region_line;
	uint64_t contradictions, expired, warnings;
};

static void print_place(const struct look *l, const struct ww_tables_file *table, uint32_t line)
{
	printf("%s%s%s:", l->where, l->named ? "/" : "", l->named ? table->name : "");
	if (line)
		printf("%u:", line);
	printf(" warning: ");
}

static void print_word(struct ww_slice s)
{
	printf("%.*s", (int)s.n, s.n ? (const char *)s.p : "");
}

/* Words that both have and differ in. */
static void tell_contradiction(const struct look *l, const struct ww_tables_words *w, uint32_t line)
{
	bool operators = l->first.operator_name.n && w->operator_name.n &&
			 !ww_slice_eq(l->first.operator_name, w->operator_name);
	uint32_t first_line = operators ? l->operator_line : l->region_line;
	char prefix[WW_CIDR_TEXT_MAX];

	ww_cidr_text(&l->prefix, prefix);
	print_place(l, l->table, line);
	printf("%s is ambiguous: %s ", prefix, operators ? "operators" : "regions");
	print_word(operators ? l->first.operator_name : l->first.region);
	printf(" and ");
	print_word(operators ? w->operator_name : w->region);
	if (first_line)
		printf(" (line %u)", first_line);
	printf("\n");
}

static void note(struct ww_slice *first, uint32_t *first_line, struct ww_slice word, uint32_t line)
{
	if (first->n || !word.n)
		return;
	*first = word;
	*first_line = line;
}

static bool look_at(void *ctx, const struct ww_tables_file *table, const struct ww_cidr *prefix,
		    const struct ww_tables_words *words, uint32_t line)
{
	struct look *l = ctx;
	bool early, expired;

	ww_tables_time_at(&words->valid, l->now, &early, &expired);
	l->expired += expired;
	if (table != l->table || memcmp(prefix, &l->prefix, sizeof(*prefix)) != 0) {
		l->table = table;
		l->prefix = *prefix;
		l->first = (struct ww_tables_words){0};
	}
	note(&l->first.operator_name, &l->operator_line, words->operator_name, line);
	note(&l->first.region, &l->region_line, words->region, line);
	if (ww_tables_words_differ(&l->first, words, true) && l->contradictions++ < WARNINGS_SHOWN)
		tell_contradiction(l, words, line);
	return true;
}

/* Rows of names: those of one table with the same glob. */
struct host_look {
	struct look *l;
	const struct ww_tables *tables;
	const struct ww_tables_file *table;
	const char *host;
	const struct ww_tables_words *words;
	uint32_t line;
};

static bool against(void *ctx, const struct ww_tables_file *table, const char *host,
		    const struct ww_tables_words *words, uint32_t line)
{
	const struct host_look *h = ctx;

	if (words == h->words && host == h->host)
		return false; /* each pair once */
	if (table != h->table || strcasecmp(host, h->host) != 0 ||
	    !ww_tables_words_differ(words, h->words, true))
		return true;
	if (h->l->contradictions++ < WARNINGS_SHOWN) {
		print_place(h->l, table, h->line);
		printf("%s is ambiguous: line %u says otherwise\n", host, line);
	}
	return false;
}

static bool look_at_host(void *ctx, const struct ww_tables_file *table, const char *host,
			 const struct ww_tables_words *words, uint32_t line)
{
	struct host_look *h = ctx;
	bool early, expired;

	ww_tables_time_at(&words->valid, h->l->now, &early, &expired);
	h->l->expired += expired;
	h->table = table;
	h->host = host;
	h->words = words;
	h->line = line;
	ww_tables_each_host(h->tables, against, h);
	return true;
}

static void tell_file(struct look *l, const struct ww_tables_file *f)
{
	char hex[2 * WW_SHA256_LEN + 1];
	const struct ww_sha256 *digest = f->published && !f->name[0] ? &f->source : &f->digest;

	ww_hex_encode(ww_slice(digest->b, WW_SHA256_LEN), hex);
	printf("%s%s%s: %s, as of %s, %llu %s", l->where, l->named ? "/" : "",
	       l->named ? f->name : "", f->shape, f->as_of, (unsigned long long)f->rows,
	       f->db ? "nodes" : "rows");
	if (f->repeated)
		printf(" (and %llu repeated)", (unsigned long long)f->repeated);
	printf(", sha256 %s\n", hex);
}

static void tell(struct look *l, const struct ww_tables *t)
{
	struct ww_clock_map now;

	ww_clock_sample(&now);
	l->now = now.wall;
	ww_tables_each(t, look_at, l);
	ww_tables_each_host(t, look_at_host, &(struct host_look){.l = l, .tables = t});
	if (l->contradictions > WARNINGS_SHOWN)
		printf("%s: warning: %llu more rows are ambiguous\n", l->where,
		       (unsigned long long)(l->contradictions - WARNINGS_SHOWN));
	if (l->expired)
		printf("%s: warning: rows that have expired: %llu\n", l->where,
		       (unsigned long long)l->expired);
	for (unsigned i = 0; i < ww_tables_count(t); i++)
		tell_file(l, ww_tables_at(t, i));
	l->warnings = l->contradictions + l->expired;
}

/* --- one argument -------------------------------------------------------------------------------
 */

static int read_file(const char *path, const struct ww_tables_import *how, struct ww_tables **ret)
{
	struct ww_tables_error error = {0};
	char text[WW_TABLES_WHY_MAX];
	WW_AUTO_BUF struct ww_buf file;
	int r;

	ww_buf_init(&file, WW_TABLES_FILE_BYTES);
	r = ww_file_read(path, &file);
	if (r < 0) {
		ww_log_err_r(r, "cannot read %s", path);
		return WW_EXIT_UNABLE;
	}
	r = ww_tables_any_read(path, ww_buf_slice(&file), how, ret, &error);
	if (r == -EINVAL) {
		ww_tables_error_text(path, &error, text, sizeof(text));
		printf("%s\n", text);
		return WW_EXIT_NO;
	}
	if (r < 0) {
		ww_log_err_r(r, "cannot check %s", path);
		return WW_EXIT_UNABLE;
	}
	return 0;
}

static int read_folder(const char *path, struct ww_tables **ret)
{
	char why[WW_TABLES_WHY_MAX];
	int r = ww_tables_folder(path, ret, why);

	if (r == -EINVAL)
		printf("%s\n", why);
	else if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why);
	return r == -EINVAL ? WW_EXIT_NO : r < 0 ? WW_EXIT_UNABLE : 0;
}

int ww_tables_check(const char *path, const struct ww_tables_import *how, bool strict)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct look l = {.where = path};
	struct stat st;
	int code;

	l.named = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	code = l.named ? read_folder(path, &t) : read_file(path, how, &t);
	if (code)
		return code;
	tell(&l, t);
	return strict && l.warnings ? WW_EXIT_NO : 0;
}

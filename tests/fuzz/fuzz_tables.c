/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address tables: the first byte says which door the rest is brought to. What is refused says why
 * and where; what is taken is found again, and a published file gives rows that give the same rows.
 * Databases are not among them: their reader is a library's, which leaks where metadata are broken.
 */
#include "policy/tables_read.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>

#define ROWS_LOOKED_AT 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct look {
	const struct ww_tables *t;
	unsigned count;
};

static bool find_again(void *ctx, const struct ww_tables_file *table, const struct ww_cidr *prefix,
		       const struct ww_tables_words *words, uint32_t line)
{
	struct look *l = ctx;
	struct ww_endpoint e = {.family = prefix->family};
	static struct ww_tables_answer a;
	char text[WW_CIDR_TEXT_MAX];
	struct ww_cidr again;
	bool found = false;

	ww_cidr_text(prefix, text);
	assert(ww_cidr_parse(ww_slice_str(text), &again) == 0 ||
	       (prefix->family == AF_INET6 && prefix->bits < 96));
	memcpy(e.addr, prefix->addr, sizeof(e.addr));
	assert(ww_tables_text_ok(words->operator_name) && ww_tables_text_ok(words->service) &&
	       ww_tables_text_ok(words->region) && ww_tables_text_ok(words->zone));
	ww_tables_find(l->t, &e, (struct ww_wall){1795737600000000000ull}, &a);
	for (unsigned i = 0; i < a.count; i++) {
		assert(ww_cidr_has(&a.rows[i].prefix, &e));
		assert(i == 0 || a.rows[i].prefix.bits <= a.rows[i - 1].prefix.bits);
		found = found || (a.rows[i].table == table && a.rows[i].words == words);
	}
	/* An IPv6 table may hold the mapped addresses, which are asked for as IPv4. */
	assert(found || a.total > a.count || prefix->family == AF_INET6);
	return ++l->count < ROWS_LOOKED_AT;
}

/* A name that the glob stands for, whatever the other rows are. */
static bool find_host(void *ctx, const struct ww_tables_file *table, const char *host,
		      const struct ww_tables_words *words, uint32_t line)
{
	struct look *l = ctx;
	static struct ww_tables_answer a;
	char name[256];
	bool found = false;

	assert(strlen(host) < sizeof(name));
	for (size_t i = 0; i <= strlen(host); i++)
		name[i] = host[i] == '*' ? 'x' : host[i];
	ww_tables_find_name(l->t, name, (struct ww_wall){1795737600000000000ull}, &a);
	for (unsigned i = 0; i < a.count; i++)
		found = found || (a.rows[i].host == host && a.rows[i].words == words);
	assert(found || a.total > a.count);
	return ++l->count < ROWS_LOOKED_AT;
}

static void look_at(const struct ww_tables *t)
{
	struct look l = {t, 0};

	ww_tables_each(t, find_again, &l);
	l.count = 0;
	ww_tables_each_host(t, find_host, &l);
}

static void check_error(int r, const struct ww_tables_error *e, size_t size)
{
	assert(r == -ENOMEM || (r == -EINVAL && e->text[0] && e->at <= size + 1));
}

static void published(struct ww_slice file)
{
	struct ww_tables_import how = {.until = INT32_MAX};
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL, *again = NULL;
	struct ww_tables_error e = {0};
	const char *shape = ww_tables_shape(file);
	WW_AUTO_BUF struct ww_buf rows;
	int r;

	ww_buf_init(&rows, 64u << 20);
	if (shape && strcmp(shape, "list") == 0)
		how.operator_name = WW_SLICE_LIT("somebody");
	if (shape && (strcmp(shape, "list") == 0 || strcmp(shape, "azure") == 0))
		strncpy(how.as_of, "2026-11-02", sizeof(how.as_of));
	r = ww_tables_published_read(file, &how, &t, &e);
	if (r < 0) {
		check_error(r, &e, file.n);
		return;
	}
	look_at(t);
	assert(ww_tables_rows_write(t, &rows) == 0 && ww_tables_new(&again) == 0);
	assert(ww_tables_read(again, "again.rows", ww_buf_slice(&rows), &e) == 0);
	assert(ww_tables_seal(again) == 0);
	assert(ww_tables_at(again, 0)->repeated == 0);
	assert(ww_tables_at(again, 0)->rows == ww_tables_at(t, 0)->rows);
	look_at(again);
}

static void table(const char *name, struct ww_slice file)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct ww_tables_error e = {0};
	int r;

	assert(ww_tables_new(&t) == 0);
	r = ww_tables_read(t, name, file, &e);
	if (r < 0) {
		check_error(r, &e, file.n);
		return;
	}
	assert(ww_tables_seal(t) == 0);
	look_at(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_slice file = ww_slice(data + 1, size ? size - 1 : 0);

	if (size == 0)
		return 0;
	switch (data[0] % 3) {
	case 0:
		published(file);
		break;
	case 1:
		table("a.rows", file);
		break;
	default:
		table("a.yaml", file);
	}
	return 0;
}

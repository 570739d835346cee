/* SPDX-License-Identifier: Apache-2.0 */
#include "tables_show.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "cmd.h"
#include "daemon/tables_folder.h"
#include "out/printable.h"
#include "out/table.h"
#include "policy/host_glob.h"
#include "policy/where.h"
#include "terminal.h"

#define JSON_BYTES_MAX (256u << 10)

struct show {
	const struct ww_tables *tables;
	const char *what; /* an address, or */
	bool named;       /* a name */
	struct ww_endpoint endpoint;
	struct ww_wall at;
	struct ww_tables_answer answer;
	struct ww_table *table;
	int err;
};

/* --- json ---------------------------------------------------------------------------------------
 */

static int show_json(const struct show *s)
{
	struct ww_sha256 digest = ww_tables_digest(s->tables);
	char at[WW_RFC3339_MAX];
	WW_AUTO_BUF struct ww_buf b;
	struct ww_jsonw w;

	ww_buf_init(&b, JSON_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_u64(&w, "v", 1);
	ww_jsonw_cstr(&w, s->named ? "name" : "address", s->what);
	ww_wall_rfc3339(s->at, at);
	ww_jsonw_cstr(&w, "at", at);
	ww_jsonw_hex(&w, "tables", ww_slice(digest.b, WW_SHA256_LEN));
	ww_jsonw_array(&w, "listed");
	for (unsigned i = 0; i < s->answer.count; i++) {
		const struct ww_tables_match *m = &s->answer.rows[i];

		ww_jsonw_object(&w, NULL);
		ww_where_write_row(m, &w);
		if (m->line)
			ww_jsonw_u64(&w, "line", m->line);
		ww_jsonw_bool(&w, "speaks", m->speaks);
		ww_jsonw_end_object(&w);
	}
	ww_jsonw_end_array(&w);
	ww_jsonw_u64(&w, "listedTotal", s->answer.total);
	ww_jsonw_bool(&w, "ambiguous", s->answer.ambiguous);
	ww_where_write_declared(s->tables, &s->answer, s->at, &w);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w))
		return ww_log_err_r(w.err, "cannot write the answer");
	(void)ww_terminal_line(ww_buf_slice(&b)); /* a reader that went away has what it wanted */
	return 0;
}

/* --- text ---------------------------------------------------------------------------------------
 */

static const struct ww_table_column columns[] = {
	{"MATCHES", 0, false}, {"OPERATOR", 32, false}, {"SERVICE", 32, false},
	{"REGION", 32, false}, {"ZONE", 32, false},     {"BASIS", 0, false},
	{"TABLE", 0, false},   {"AS OF", 0, false},     {"", 0, false},
};

static void cell(struct show *s, struct ww_slice text)
{
	WW_AUTO_BUF struct ww_buf b;

	ww_buf_init(&b, 4096);
	if (s->err == 0)
		s->err = ww_printable_add(&b, text);
	if (s->err == 0)
		s->err = ww_table_cell(s->table, ww_buf_slice(&b), "");
}

static void put_text(void *ctx, struct ww_slice lines)
{
	fwrite(lines.p, 1, lines.n, stdout);
}

static void show_row(struct show *s, const struct ww_tables_match *m)
{
	char prefix[WW_CIDR_TEXT_MAX], table[WW_TABLES_NAME_MAX + 16], day[WW_TABLES_DATE_MAX];
	char note[96] = "";

	ww_cidr_text(&m->prefix, prefix);
	snprintf(table, sizeof(table), m->line ? "%s:%u" : "%s", m->table->name, m->line);
	if (m->expired) {
		ww_tables_day_text(m->words->valid.until, day);
		snprintf(note, sizeof(note), "expired: valid until %s", day);
	} else if (m->early && m->words->valid.from != INT32_MIN) {
		ww_tables_day_text(m->words->valid.from, day);
		snprintf(note, sizeof(note), "not yet: valid from %s", day);
	} else if (!m->speaks) {
		snprintf(note, sizeof(note), "its table has a %s",
			 m->host ? "more exact name" : "longer prefix");
	}
	cell(s, ww_slice_str(m->host ? m->host : prefix));
	cell(s, m->words->operator_name);
	cell(s, m->words->service);
	cell(s, m->words->region);
	cell(s, m->words->zone);
	cell(s, ww_slice_str(ww_tables_basis_name(m->words->basis)));
	cell(s, ww_slice_str(table));
	cell(s, ww_slice_str(m->table->as_of));
	cell(s, ww_slice_str(note));
}

static void show_declared(const struct show *s)
{
	const struct ww_tables_operator *o;
	struct ww_where_place place = {0};

	while ((o = ww_where_declared(s->tables, &s->answer, &place)) != NULL) {
		const struct ww_tables_file *table = ww_tables_at(s->tables, o->table);
		bool early, expired;

		ww_tables_time_at(&o->valid, s->at, &early, &expired);
		printf("declared: the home of %s is %s (%s, %s as of %s)%s\n", o->name, o->home,
		       ww_tables_basis_name(o->basis), table->name, table->as_of,
		       expired ? ", expired"
		       : early ? ", not valid yet"
			       : "");
	}
}

static int show_text(struct show *s)
{
	WW_AUTO(ww_table_free_auto) struct ww_table *table = NULL;
	char at[WW_RFC3339_MAX];

	ww_wall_rfc3339(s->at, at);
	at[19] = '\0';
	printf("%s at %sZ: %s\n", s->what, at,
	       s->answer.count ? "listed, not measured" : "not listed");
	if (s->named)
		printf("a name that clients use: where it leads is another question\n");
	else if (!ww_where_public(&s->endpoint))
		printf("loopback, private or not of one host: records list nothing of it\n");
	if (s->answer.ambiguous)
		printf("ambiguous: rows contradict each other, none is chosen\n");
	s->err = ww_table_new(columns, WW_ARRAY_SIZE(columns), ww_terminal_width(), put_text, NULL,
			      &table);
	s->table = table;
	for (unsigned i = 0; s->err == 0 && i < s->answer.count; i++)
		show_row(s, &s->answer.rows[i]);
	if (s->err == 0 && s->answer.count)
		s->err = ww_table_end(table);
	if (s->answer.total > s->answer.count)
		printf("and %llu more\n", (unsigned long long)(s->answer.total - s->answer.count));
	if (s->err == 0)
		show_declared(s);
	return s->err < 0 ? ww_log_err_r(s->err, "cannot show it") : 0;
}

/* An address, or a name in its place. */
static int take_what(struct show *s, const char *what)
{
	struct ww_slice host = ww_host_of(what);
	struct ww_cidr c;

	s->what = what;
	if (!strchr(what, '/') && ww_cidr_parse(ww_slice_str(what), &c) == 0) {
		s->endpoint.family = c.family;
		memcpy(s->endpoint.addr, c.addr, sizeof(s->endpoint.addr));
		return 0;
	}
	s->named = true;
	/* What looks like an address is a mistake in one. */
	if (ww_host_glob_ok(host) && !memchr(host.p, '*', host.n) &&
	    strspn(what, "0123456789.") != strlen(what))
		return 0;
	ww_log(WW_LOG_ERR,
	       "expected an address like 203.0.113.7 or a name like api.example.com, "
	       "got '%s'",
	       what);
	return -EINVAL;
}

int ww_tables_show(const char *dir, const char *what, struct ww_wall at, bool json)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct show s = {.at = at};
	char why[WW_TABLES_WHY_MAX];
	struct ww_clock_map now;
	int r;

	if (take_what(&s, what) < 0)
		return WW_EXIT_USAGE;
	ww_clock_sample(&now);
	if (!s.at.ns)
		s.at = now.wall;
	if (ww_tables_folder(dir, &t, why) < 0) {
		ww_log(WW_LOG_ERR, "%s", why);
		return WW_EXIT_UNABLE;
	}
	s.tables = t;
	if (s.named)
		ww_tables_find_name(t, what, s.at, &s.answer);
	else
		ww_tables_find(t, &s.endpoint, s.at, &s.answer);
	r = json ? show_json(&s) : show_text(&s);
	if (r < 0)
		return WW_EXIT_UNABLE;
	return s.answer.count ? 0 : WW_EXIT_NO;
}

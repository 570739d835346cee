/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/where.h"

#include <arpa/inet.h>

#define SUMMARY_BYTES_MAX 200u

/* RFC 6890 and its registries; 192.0.2.0/24 and its kin are nobody's, and may be listed. */
static const struct ww_cidr apart[] = {
	{.addr = {0}, .bits = 8, .family = AF_INET},
	{.addr = {10}, .bits = 8, .family = AF_INET},
	{.addr = {100, 64}, .bits = 10, .family = AF_INET},
	{.addr = {127}, .bits = 8, .family = AF_INET},
	{.addr = {169, 254}, .bits = 16, .family = AF_INET},
	{.addr = {172, 16}, .bits = 12, .family = AF_INET},
	{.addr = {192, 168}, .bits = 16, .family = AF_INET},
	{.addr = {224}, .bits = 4, .family = AF_INET},
	{.addr = {255, 255, 255, 255}, .bits = 32, .family = AF_INET},
	{.addr = {0}, .bits = 127, .family = AF_INET6}, /* :: and ::1 */
	{.addr = {0xfc}, .bits = 7, .family = AF_INET6},
	{.addr = {0xfe, 0x80}, .bits = 10, .family = AF_INET6},
	{.addr = {0xff}, .bits = 8, .family = AF_INET6},
};

const struct ww_cidr *ww_where_apart_at(unsigned i)
{
	return i < WW_ARRAY_SIZE(apart) ? &apart[i] : NULL;
}

const struct ww_cidr *ww_where_apart(const struct ww_endpoint *e)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(apart); i++) {
		if (ww_cidr_has(&apart[i], e))
			return &apart[i];
	}
	return NULL;
}

bool ww_where_public(const struct ww_endpoint *e)
{
	return (e->family == AF_INET || e->family == AF_INET6) && !ww_where_apart(e);
}

static void write_word(struct ww_jsonw *w, const char *key, struct ww_slice word)
{
	if (word.n)
		ww_jsonw_str(w, key, word);
}

static void write_time(const struct ww_tables_time *valid, struct ww_jsonw *w)
{
	char day[WW_TABLES_DATE_MAX];

	if (valid->from != INT32_MIN) {
		ww_tables_day_text(valid->from, day);
		ww_jsonw_cstr(w, "validFrom", day);
	}
	if (valid->until != INT32_MAX) {
		ww_tables_day_text(valid->until, day);
		ww_jsonw_cstr(w, "validUntil", day);
	}
}

static void write_state(bool early, bool expired, struct ww_jsonw *w)
{
	if (early)
		ww_jsonw_bool(w, "early", true);
	if (expired)
		ww_jsonw_bool(w, "expired", true);
}

static void write_source(enum ww_tables_basis basis, const struct ww_tables_file *table,
			 struct ww_jsonw *w)
{
	ww_jsonw_cstr(w, "basis", ww_tables_basis_name(basis));
	ww_jsonw_cstr(w, "table", table->name);
	ww_jsonw_hex(w, "sha256", ww_slice(table->digest.b, WW_SHA256_LEN));
	ww_jsonw_cstr(w, "asOf", table->as_of);
}

void ww_where_write_row(const struct ww_tables_match *m, struct ww_jsonw *w)
{
	char prefix[WW_CIDR_TEXT_MAX];

	ww_cidr_text(&m->prefix, prefix);
	ww_jsonw_cstr(w, m->host ? "host" : "prefix", m->host ? m->host : prefix);
	write_word(w, "operator", m->words->operator_name);
	write_word(w, "service", m->words->service);
	write_word(w, "region", m->words->region);
	write_word(w, "zone", m->words->zone);
	write_source(m->words->basis, m->table, w);
	write_time(&m->words->valid, w);
	write_state(m->early, m->expired, w);
}

static bool is_valid(const struct ww_tables_match *m)
{
	return m->speaks && !m->early && !m->expired;
}

/* Whether the row's operator counts, and no row before has it. */
static bool first_of_operator(const struct ww_tables_answer *a, unsigned row)
{
	struct ww_slice name = a->rows[row].words->operator_name;

	if (!is_valid(&a->rows[row]) || !name.n)
		return false;
	for (unsigned k = 0; k < row; k++) {
		if (is_valid(&a->rows[k]) && ww_slice_eq(a->rows[k].words->operator_name, name))
			return false;
	}
	return true;
}

const struct ww_tables_operator *ww_where_declared(const struct ww_tables *t,
						   const struct ww_tables_answer *a,
						   struct ww_where_place *place)
{
	for (; place->row < a->count; place->row++, place->operator_at = 0) {
		const struct ww_tables_operator *o = NULL;

		if (first_of_operator(a, place->row))
			o = ww_tables_operator(t, a->rows[place->row].words->operator_name,
					       &place->operator_at);
		if (o)
			return o;
	}
	return NULL;
}

static void write_operator(const struct ww_tables *t, const struct ww_tables_operator *o,
			   struct ww_wall at, struct ww_jsonw *w)
{
	const struct ww_tables_file *table = ww_tables_at(t, o->table);
	bool early, expired;

	ww_tables_time_at(&o->valid, at, &early, &expired);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "operator", o->name);
	ww_jsonw_cstr(w, "home", o->home);
	write_source(o->basis, table, w);
	write_time(&o->valid, w);
	write_state(early, expired, w);
	ww_jsonw_end_object(w);
}

void ww_where_write_declared(const struct ww_tables *t, const struct ww_tables_answer *a,
			     struct ww_wall at, struct ww_jsonw *w)
{
	const struct ww_tables_operator *o;
	struct ww_where_place place = {0};

	ww_jsonw_array(w, "declared");
	while ((o = ww_where_declared(t, a, &place)) != NULL)
		write_operator(t, o, at, w);
	ww_jsonw_end_array(w);
}

/* A text that ends with "…" where it has no room. */
struct summary {
	char text[SUMMARY_BYTES_MAX + sizeof("…")];
	size_t n;
	bool full;
};

static void put(struct summary *s, struct ww_slice word)
{
	if (s->full || word.n > SUMMARY_BYTES_MAX - s->n) {
		s->full = true;
		return;
	}
	if (word.n)
		memcpy(s->text + s->n, word.p, word.n);
	s->n += word.n;
}

static bool same_place(const struct ww_tables_words *a, const struct ww_tables_words *b)
{
	return ww_slice_eq(a->operator_name, b->operator_name) && ww_slice_eq(a->region, b->region);
}

/* "aws eu-central-1, DE": each operator with each region once, of what speaks and is valid. */
static void write_summary(const struct ww_tables_answer *a, struct ww_jsonw *w)
{
	struct summary s = {.n = 0};

	for (unsigned i = 0; i < a->count; i++) {
		const struct ww_tables_words *words = a->rows[i].words;
		bool said = !is_valid(&a->rows[i]) || !(words->operator_name.n || words->region.n);

		for (unsigned k = 0; k < i && !said; k++)
			said = is_valid(&a->rows[k]) && same_place(a->rows[k].words, words);
		if (said)
			continue;
		put(&s, s.n ? WW_SLICE_LIT(", ") : WW_SLICE_NULL);
		put(&s, words->operator_name);
		put(&s,
		    words->operator_name.n && words->region.n ? WW_SLICE_LIT(" ") : WW_SLICE_NULL);
		put(&s, words->region);
	}
	if (a->ambiguous)
		put(&s, WW_SLICE_LIT(" (ambiguous)"));
	if (s.n == 0)
		put(&s, a->count ? WW_SLICE_LIT("nothing that is valid") : WW_SLICE_LIT("nothing"));
	if (s.full) {
		memcpy(s.text + s.n, "…", sizeof("…") - 1);
		s.n += sizeof("…") - 1;
	}
	ww_jsonw_str(w, "summary", ww_slice(s.text, s.n));
}

void ww_where_write(const struct ww_tables *t, const struct ww_endpoint *peer, struct ww_wall at,
		    struct ww_jsonw *w)
{
	struct ww_sha256 digest = ww_tables_digest(t);
	struct ww_tables_answer a;
	unsigned listed = 0;

	if (!ww_where_public(peer))
		return;
	ww_tables_find(t, peer, at, &a);
	ww_jsonw_object(w, "where");
	ww_jsonw_hex(w, "tables", ww_slice(digest.b, WW_SHA256_LEN));
	ww_jsonw_array(w, "listed");
	for (unsigned i = 0; i < a.count; i++) {
		if (!a.rows[i].speaks || listed == WW_WHERE_LISTED_MAX)
			continue;
		listed++;
		ww_jsonw_object(w, NULL);
		ww_where_write_row(&a.rows[i], w);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	if (a.speaking > listed)
		ww_jsonw_u64(w, "listedTotal", a.speaking);
	if (a.ambiguous)
		ww_jsonw_bool(w, "ambiguous", true);
	ww_where_write_declared(t, &a, at, w);
	write_summary(&a, w);
	ww_jsonw_end_object(w);
}

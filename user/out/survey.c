/* SPDX-License-Identifier: Apache-2.0 */
#include "out/survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <wirewitness/record.h>

#include "out/member.h"
#include "out/printable.h"

#define CAUSES_MAX   64u
#define TEXT_MAX     72u
#define VERDICT_ID   64u
#define MARKS_LISTED 64u /* of a scope, in its coverage record */

struct scope {
	uint64_t index; /* of its newest record */
	char cgroup[24];
	char path[WW_PATH_BYTES_MAX + 1];
	bool whole; /* sockets of all families, and processes */
	bool marks_known;
	uint64_t from_boot_ns, to_boot_ns;
	uint64_t lost_events, lost_bytes, beyond_cap_bytes;
	uint64_t gaps, opaque, unix_peers, loopback_peers, raw_sockets;
};

/* A word with how often it came, and for losses how much. */
struct tally {
	char text[TEXT_MAX];
	uint64_t count, bytes;
};

struct tallies {
	unsigned count;
	struct tally items[CAUSES_MAX];
};

struct row {
	uint64_t index;
	uint8_t verdict; /* WW_VERDICT_MAX: a word that is not known here */
	uint8_t reason;
	bool superseded, again;
	char id[VERDICT_ID];
};

struct flows {
	uint64_t count, tls, unbound;
	uint64_t payload, decoded, accounted, unexplained, unchecked, lost;
};

struct ww_survey {
	uint64_t kinds[WW_RECORD_MAX];
	uint64_t starts, stops, capture_gaps, probes_set, probes_failed, uncovered;
	uint64_t libraries, libraries_unknown; /* with a digest, and without */
	struct flows flows;
	struct tallies losses, findings, contracts;
	unsigned scope_count;
	struct scope *scopes;
	size_t row_count, row_cap;
	struct row *rows;
	uint64_t *list; /* handed out */
};

#define TEXT_OF(n, v, t, d) [v] = t,
static const char *const kind_names[WW_RECORD_MAX] = {WW_RECORD_KINDS(TEXT_OF)};
static const char *const verdict_names[WW_VERDICT_MAX] = {WW_VERDICTS(TEXT_OF)};
static const char *const reason_names[WW_REASON_MAX] = {WW_REASONS(TEXT_OF)};
#define MEANING_OF(n, v, t, d) [v] = d,
static const char *const verdict_meanings[WW_VERDICT_MAX] = {WW_VERDICTS(MEANING_OF)};
static const char *const reason_meanings[WW_REASON_MAX] = {WW_REASONS(MEANING_OF)};

int ww_survey_new(struct ww_survey **ret_survey)
{
	struct ww_survey *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*ret_survey = s;
	return 0;
}

void ww_survey_free(struct ww_survey *s)
{
	if (!s)
		return;
	free(s->scopes);
	free(s->rows);
	free(s->list);
	free(s);
}

/* --- reading members ----------------------------------------------------------------------------
 */

static unsigned word_at(const char *const *names, unsigned count, const struct ww_json_token *v)
{
	for (unsigned i = 0; ww_member_has(v) && i < count; i++) {
		if (names[i] && ww_json_is(v, names[i]))
			return i;
	}
	return count;
}

/* The value's text, made printable and cut. */
static void copy_text(const struct ww_json_token *v, char *out, size_t cap)
{
	WW_AUTO_BUF struct ww_buf text;
	size_t n;

	ww_buf_init(&text, 4 * WW_RECORD_BYTES_MAX);
	if (ww_printable_value(&text, v) < 0)
		ww_buf_clear(&text);
	n = text.n < cap ? text.n : cap - 1;
	while (n > 0 && n < text.n && (text.p[n] & 0xc0) == 0x80)
		n--; /* no half character */
	if (n > 0)
		memcpy(out, text.p, n);
	out[n] = '\0';
}

static void count_word(struct tallies *t, const struct ww_json_token *v, uint64_t count,
		       uint64_t bytes)
{
	char text[TEXT_MAX];
	unsigned i = 0;

	copy_text(v, text, sizeof(text));
	while (i < t->count && strcmp(t->items[i].text, text) != 0)
		i++;
	if (i == CAUSES_MAX) { /* the last one stands for all others */
		i--;
		snprintf(t->items[i].text, sizeof(t->items[i].text), "others");
	} else if (i == t->count) {
		t->count++;
		memcpy(t->items[i].text, text, sizeof(text));
	}
	t->items[i].count += count;
	t->items[i].bytes += bytes;
}

static bool is_true(const struct ww_json_token *v)
{
	return v->raw.p && v->type == WW_JSON_TRUE;
}

/* --- coverage -----------------------------------------------------------------------------------
 */

static void count_marks(struct ww_slice record, struct scope *c)
{
	struct ww_member_walk w;
	struct ww_member m;

	ww_member_begin(&w, record);
	while (ww_member_next(&w, &m)) {
		if (!ww_slice_eq_str(m.path, "marks.what"))
			continue;
		c->gaps += ww_json_is(&m.value, "gap");
		c->opaque += ww_json_is(&m.value, "opaque");
		c->unix_peers += ww_json_is(&m.value, "unix");
		c->loopback_peers += ww_json_is(&m.value, "loopback");
		c->raw_sockets += ww_json_is(&m.value, "raw");
	}
}

/* A scope's records add up its whole life: the newest one counts. */
static int take_coverage(struct ww_survey *s, uint64_t index, struct ww_slice record)
{
	enum { CGROUP, PATH, TCP, UDP, RAW, UNIX, PROC, EVENTS, BYTES, CAP, MARKS, FROM, TO, N };
	static const struct ww_slice paths[N] = {
		[CGROUP] = WW_SLICE_LIT("cgroup"),    [PATH] = WW_SLICE_LIT("path"),
		[TCP] = WW_SLICE_LIT("tcp"),          [UDP] = WW_SLICE_LIT("udp"),
		[RAW] = WW_SLICE_LIT("raw"),          [UNIX] = WW_SLICE_LIT("unix"),
		[PROC] = WW_SLICE_LIT("processes"),   [EVENTS] = WW_SLICE_LIT("lostEvents"),
		[BYTES] = WW_SLICE_LIT("lostBytes"),  [CAP] = WW_SLICE_LIT("beyondCapBytes"),
		[MARKS] = WW_SLICE_LIT("marksTotal"), [FROM] = WW_SLICE_LIT("fromBootNs"),
		[TO] = WW_SLICE_LIT("toBootNs"),
	};
	struct ww_json_token v[N];
	struct scope c = {.index = index};
	unsigned i = 0;

	ww_member_pick(record, paths, N, v);
	copy_text(&v[CGROUP], c.cgroup, sizeof(c.cgroup));
	copy_text(&v[PATH], c.path, sizeof(c.path));
	c.whole = is_true(&v[TCP]) && is_true(&v[UDP]) && is_true(&v[RAW]) && is_true(&v[UNIX]) &&
		  is_true(&v[PROC]);
	c.lost_events = ww_member_u64(&v[EVENTS], UINT64_MAX);
	c.lost_bytes = ww_member_u64(&v[BYTES], UINT64_MAX);
	c.beyond_cap_bytes = ww_member_u64(&v[CAP], 0);
	c.marks_known = ww_member_u64(&v[MARKS], UINT64_MAX) <= MARKS_LISTED;
	c.from_boot_ns = ww_member_u64(&v[FROM], 0);
	c.to_boot_ns = ww_member_u64(&v[TO], 0);
	count_marks(record, &c);
	while (i < s->scope_count && strcmp(s->scopes[i].cgroup, c.cgroup) != 0)
		i++;
	if (i == s->scope_count) {
		struct scope *more;

		if (i >= WW_SCOPE_CGROUPS_MAX)
			return -E2BIG;
		more = realloc(s->scopes, (i + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->scopes = more;
		s->scope_count++;
	}
	s->scopes[i] = c;
	return 0;
}

static void take_side(const struct ww_json_token *v, struct flows *f)
{
	enum { PAYLOAD, HANDSHAKE, TICKETS, EXPLAINED, OVERHEAD, REMAINDER, CHECKED };
	uint64_t payload = ww_member_u64(&v[PAYLOAD], 0);
	uint64_t rest = ww_member_u64(&v[REMAINDER], 0); /* negative: nothing unexplained */

	f->payload += payload;
	f->decoded += ww_member_u64(&v[EXPLAINED], 0);
	if (is_true(&v[CHECKED])) {
		f->accounted += payload - (rest < payload ? rest : payload);
		f->unexplained += rest;
	} else {
		f->unchecked += payload;
	}
}

static void take_flow(struct ww_survey *s, struct ww_slice record)
{
#define SIDE(dir)                                                                           \
	WW_SLICE_LIT("account." dir ".payload"), WW_SLICE_LIT("account." dir ".handshake"), \
		WW_SLICE_LIT("account." dir ".tickets"),                                    \
		WW_SLICE_LIT("account." dir ".explained"),                                  \
		WW_SLICE_LIT("account." dir ".overhead"),                                   \
		WW_SLICE_LIT("account." dir ".remainder"), WW_SLICE_LIT("account." dir ".checked")
	static const struct ww_slice paths[] = {SIDE("out"), SIDE("in"), WW_SLICE_LIT("tls.bind"),
						WW_SLICE_LIT("lostOut"), WW_SLICE_LIT("lostIn")};
	struct ww_json_token v[WW_ARRAY_SIZE(paths)];
	const struct ww_json_token *bind = &v[14];

	ww_member_pick(record, paths, WW_ARRAY_SIZE(paths), v);
	s->flows.count++;
	s->flows.tls += ww_member_has(bind);
	s->flows.unbound += ww_member_has(bind) && ww_json_is(bind, "unbound");
	s->flows.lost += ww_member_u64(&v[15], 0) + ww_member_u64(&v[16], 0);
	take_side(&v[0], &s->flows);
	take_side(&v[7], &s->flows);
}

/* --- verdicts and the rest ----------------------------------------------------------------------
 */

static int take_verdict(struct ww_survey *s, uint64_t index, struct ww_slice record)
{
	static const struct ww_slice paths[] = {
		WW_SLICE_LIT("id"),        WW_SLICE_LIT("verdict"),
		WW_SLICE_LIT("reason"),    WW_SLICE_LIT("supersedes"),
		WW_SLICE_LIT("contracts"), WW_SLICE_LIT("reevaluates.contracts")};
	struct ww_json_token v[WW_ARRAY_SIZE(paths)];
	char old[VERDICT_ID];
	struct row *r;

	if (s->row_count == s->row_cap) {
		size_t cap = s->row_cap ? 2 * s->row_cap : 64;

		if (s->row_count >= WW_REPORT_RECORDS_MAX)
			return -E2BIG;
		r = realloc(s->rows, cap * sizeof(*r));
		if (!r)
			return -ENOMEM;
		s->rows = r;
		s->row_cap = cap;
	}
	ww_member_pick(record, paths, WW_ARRAY_SIZE(paths), v);
	r = &s->rows[s->row_count];
	*r = (struct row){.index = index};
	r->verdict = (uint8_t)word_at(verdict_names, WW_VERDICT_MAX, &v[1]);
	r->reason = (uint8_t)word_at(reason_names, WW_REASON_MAX, &v[2]);
	r->again = ww_member_has(&v[5]);
	copy_text(&v[0], r->id, sizeof(r->id));
	s->row_count++;
	if (ww_member_has(&v[4]))
		count_word(&s->contracts, &v[4], 1, 0);
	if (!ww_member_has(&v[3]))
		return 0;
	copy_text(&v[3], old, sizeof(old));
	for (size_t i = s->row_count - 1; i-- > 0;) {
		if (strcmp(s->rows[i].id, old) == 0)
			s->rows[i].superseded = true;
	}
	return 0;
}

static void take_loss(struct ww_survey *s, struct ww_slice record)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("cause"), WW_SLICE_LIT("events"),
						WW_SLICE_LIT("bytes")};
	struct ww_json_token v[3];

	ww_member_pick(record, paths, 3, v);
	count_word(&s->losses, &v[0], ww_member_u64(&v[1], 0), ww_member_u64(&v[2], 0));
}

static void take_word(struct tallies *t, struct ww_slice record, const char *path)
{
	const struct ww_json_token v = ww_member_get(record, path);

	count_word(t, &v, 1, 0);
}

static void take_life(struct ww_survey *s, struct ww_slice record)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("event"),
						WW_SLICE_LIT("library.sha256")};
	const struct {
		const char *event;
		uint64_t *count;
	} counts[] = {
		{"start", &s->starts},
		{"stop", &s->stops},
		{"capture-gap", &s->capture_gaps},
		{"probes-attached", &s->probes_set},
		{"probes-failed", &s->probes_failed},
		{"sockets-uncovered", &s->uncovered},
	};
	struct ww_json_token v[WW_ARRAY_SIZE(paths)];

	ww_member_pick(record, paths, WW_ARRAY_SIZE(paths), v);
	for (size_t i = 0; v[0].raw.p && i < WW_ARRAY_SIZE(counts); i++)
		*counts[i].count += ww_json_is(&v[0], counts[i].event);
	if (v[0].raw.p && ww_json_is(&v[0], "tls-library"))
		++*(ww_member_has(&v[1]) ? &s->libraries : &s->libraries_unknown);
}

int ww_survey_add(struct ww_survey *s, uint64_t index, struct ww_slice record)
{
	const struct ww_slice path = WW_SLICE_LIT("kind");
	struct ww_json_token kind;
	unsigned k;

	if (!ww_member_pick(record, &path, 1, &kind) || !ww_member_has(&kind))
		return -EINVAL;
	k = word_at(kind_names, WW_RECORD_MAX, &kind);
	if (k < WW_RECORD_MAX)
		s->kinds[k]++;
	switch (k) {
	case WW_RECORD_COVERAGE:
		return take_coverage(s, index, record);
	case WW_RECORD_VERDICT:
		return take_verdict(s, index, record);
	case WW_RECORD_FLOW:
		take_flow(s, record);
		return 0;
	case WW_RECORD_LOSS:
		take_loss(s, record);
		return 0;
	case WW_RECORD_FINDING:
		take_word(&s->findings, record, "finding");
		return 0;
	case WW_RECORD_LIFE:
		take_life(s, record);
		return 0;
	default:
		return 0;
	}
}

/* --- writing ------------------------------------------------------------------------------------
 */

static bool scope_complete(const struct scope *c)
{
	return c->whole && c->marks_known && c->gaps == 0 && c->lost_events == 0 &&
	       c->lost_bytes == 0;
}

static bool all_complete(const struct ww_survey *s)
{
	for (unsigned i = 0; i < s->scope_count; i++) {
		if (!scope_complete(&s->scopes[i]))
			return false;
	}
	return s->scope_count > 0 && s->losses.count == 0 && s->flows.lost == 0 &&
	       s->capture_gaps == 0 && s->uncovered == 0;
}

static void write_scope(const struct scope *c, struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "path", c->path);
	ww_jsonw_cstr(w, "cgroup", c->cgroup);
	ww_jsonw_u64(w, "fromBootNs", c->from_boot_ns);
	ww_jsonw_u64(w, "toBootNs", c->to_boot_ns);
	ww_jsonw_bool(w, "complete", scope_complete(c));
	ww_jsonw_bool(w, "allSocketsAndProcesses", c->whole);
	ww_jsonw_u64(w, "lostEvents", c->lost_events);
	ww_jsonw_u64(w, "lostBytes", c->lost_bytes);
	ww_jsonw_u64(w, "beyondCapBytes", c->beyond_cap_bytes);
	ww_jsonw_bool(w, "allMarksListed", c->marks_known);
	ww_jsonw_u64(w, "gaps", c->gaps);
	ww_jsonw_u64(w, "opaqueProcesses", c->opaque);
	ww_jsonw_u64(w, "unixPeers", c->unix_peers);
	ww_jsonw_u64(w, "loopbackPeers", c->loopback_peers);
	ww_jsonw_u64(w, "rawSockets", c->raw_sockets);
	ww_jsonw_end_object(w);
}

/* "25.0 %", or null of nothing. */
static void write_percent(struct ww_jsonw *w, const char *key, uint64_t part, uint64_t whole)
{
	unsigned __int128 permille =
		whole ? ((unsigned __int128)1000 * part + whole / 2) / whole : 0;
	char text[48];

	snprintf(text, sizeof(text), "%" PRIu64 ".%u %%", (uint64_t)(permille / 10),
		 (unsigned)(permille % 10));
	ww_jsonw_cstr(w, key, whole ? text : NULL);
}

static void write_flows(const struct flows *f, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "flows");
	ww_jsonw_u64(w, "count", f->count);
	ww_jsonw_u64(w, "tls", f->tls);
	ww_jsonw_u64(w, "unbound", f->unbound);
	ww_jsonw_u64(w, "payloadBytes", f->payload);
	ww_jsonw_u64(w, "decodedBytes", f->decoded);
	write_percent(w, "decodedShare", f->decoded, f->payload);
	ww_jsonw_u64(w, "accountedBytes", f->accounted);
	ww_jsonw_u64(w, "unexplainedBytes", f->unexplained);
	ww_jsonw_u64(w, "uncheckedBytes", f->unchecked);
	ww_jsonw_u64(w, "lostBytes", f->lost);
	ww_jsonw_end_object(w);
}

void ww_survey_coverage(const struct ww_survey *s, struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_bool(w, "complete", all_complete(s));
	ww_jsonw_cstr(w, "basis", "every record of the period, listed or not");
	ww_jsonw_array(w, "scopes");
	for (unsigned i = 0; i < s->scope_count; i++)
		write_scope(&s->scopes[i], w);
	ww_jsonw_end_array(w);
	ww_jsonw_array(w, "losses");
	for (unsigned i = 0; i < s->losses.count; i++) {
		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "cause", s->losses.items[i].text);
		ww_jsonw_u64(w, "events", s->losses.items[i].count);
		ww_jsonw_u64(w, "bytes", s->losses.items[i].bytes);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	write_flows(&s->flows, w);
	ww_jsonw_object(w, "records");
	for (unsigned k = 1; k < WW_RECORD_MAX; k++) {
		if (kind_names[k]) /* some numbers are nobody's */
			ww_jsonw_u64(w, kind_names[k], s->kinds[k]);
	}
	ww_jsonw_end_object(w);
	ww_jsonw_u64(w, "monitorStarts", s->starts);
	ww_jsonw_u64(w, "monitorStops", s->stops);
	ww_jsonw_u64(w, "captureGaps", s->capture_gaps);
	ww_jsonw_u64(w, "probesAttached", s->probes_set);
	ww_jsonw_u64(w, "probesFailed", s->probes_failed);
	ww_jsonw_u64(w, "librariesIdentified", s->libraries);
	ww_jsonw_u64(w, "librariesUnidentified", s->libraries_unknown);
	ww_jsonw_u64(w, "socketsUncovered", s->uncovered);
	ww_jsonw_end_object(w);
}

static void write_count(struct ww_jsonw *w, const char *key, const char *word, const char *meaning,
			uint64_t count)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, key, word);
	ww_jsonw_u64(w, "count", count);
	if (meaning)
		ww_jsonw_cstr(w, "meaning", meaning);
	ww_jsonw_end_object(w);
}

static void write_counts(struct ww_jsonw *w, const char *key, const char *word,
			 const struct tallies *t)
{
	ww_jsonw_array(w, key);
	for (unsigned i = 0; i < t->count; i++)
		write_count(w, word, t->items[i].text, NULL, t->items[i].count);
	ww_jsonw_end_array(w);
}

/* One more slot for words that are not known here. */
struct spread {
	uint64_t total, superseded, again;
	uint64_t verdicts[WW_VERDICT_MAX + 1];
	uint64_t reasons[WW_REASON_MAX + 1]; /* of UNVERIFIABLE */
};

static struct spread spread_of(const struct ww_survey *s)
{
	struct spread d = {0};

	for (size_t i = 0; i < s->row_count; i++) {
		const struct row *r = &s->rows[i];

		if (r->superseded) {
			d.superseded++;
			continue;
		}
		d.total++;
		d.again += r->again;
		d.verdicts[r->verdict]++;
		if (r->verdict == WW_VERDICT_UNVERIFIABLE)
			d.reasons[r->reason]++;
	}
	return d;
}

static void write_share(const struct spread *d, struct ww_jsonw *w)
{
	uint64_t n = d->verdicts[WW_VERDICT_UNVERIFIABLE];

	ww_jsonw_object(w, "unverifiable");
	ww_jsonw_u64(w, "count", n);
	write_percent(w, "share", n, d->total);
	ww_jsonw_array(w, "reasons");
	for (unsigned i = 0; i <= WW_REASON_MAX; i++) {
		if (d->reasons[i])
			write_count(w, "reason",
				    i < WW_REASON_MAX && reason_names[i][0] ? reason_names[i]
									    : "not given",
				    i < WW_REASON_MAX ? reason_meanings[i] : NULL, d->reasons[i]);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

void ww_survey_summary(const struct ww_survey *s, struct ww_jsonw *w)
{
	struct spread d = spread_of(s);

	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "verdicts", d.total);
	if (d.again)
		ww_jsonw_u64(w, "reevaluated", d.again);
	write_share(&d, w);
	ww_jsonw_array(w, "byVerdict");
	for (unsigned i = 0; i <= WW_VERDICT_MAX; i++) {
		if (d.verdicts[i])
			write_count(w, "verdict", i < WW_VERDICT_MAX ? verdict_names[i] : "other",
				    i < WW_VERDICT_MAX ? verdict_meanings[i] : NULL, d.verdicts[i]);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_u64(w, "superseded", d.superseded);
	write_counts(w, "contracts", "digest", &s->contracts);
	write_counts(w, "findings", "finding", &s->findings);
	ww_jsonw_end_object(w);
}

static uint64_t *list_for(struct ww_survey *s, size_t count)
{
	uint64_t *list = realloc(s->list, (count + 1) * sizeof(*list));

	if (list)
		s->list = list;
	return list;
}

int ww_survey_verdicts(struct ww_survey *s, const uint64_t **ret_indexes, size_t *ret_count)
{
	uint64_t *list = list_for(s, s->row_count);
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < s->row_count; i++) {
		if (!s->rows[i].superseded)
			list[n++] = s->rows[i].index;
	}
	*ret_indexes = list;
	*ret_count = n;
	return 0;
}

int ww_survey_scopes(struct ww_survey *s, const uint64_t **ret_indexes, size_t *ret_count)
{
	uint64_t *list = list_for(s, s->scope_count);

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < s->scope_count; i++)
		list[i] = s->scopes[i].index;
	*ret_indexes = list;
	*ret_count = s->scope_count;
	return 0;
}

bool ww_survey_complete(const struct ww_survey *s)
{
	return all_complete(s);
}

bool ww_survey_boot_range(const struct ww_survey *s, uint64_t *ret_from_ns, uint64_t *ret_to_ns)
{
	uint64_t from = UINT64_MAX, to = 0;

	for (unsigned i = 0; i < s->scope_count; i++) {
		from = s->scopes[i].from_boot_ns < from ? s->scopes[i].from_boot_ns : from;
		to = s->scopes[i].to_boot_ns > to ? s->scopes[i].to_boot_ns : to;
	}
	if (s->scope_count == 0)
		return false;
	*ret_from_ns = from;
	*ret_to_ns = to;
	return true;
}

uint64_t ww_survey_reevaluated(const struct ww_survey *s)
{
	return spread_of(s).again;
}

void ww_survey_policies(const struct ww_survey *s, struct ww_jsonw *w)
{
	ww_jsonw_array(w, NULL);
	for (unsigned i = 0; i < s->contracts.count; i++) {
		ww_jsonw_object(w, NULL);
		ww_jsonw_object(w, "digest");
		ww_jsonw_cstr(w, "sha256", s->contracts.items[i].text);
		ww_jsonw_end_object(w);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "out/path_text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "ledger/fields.h"
#include "out/member.h"
#include "out/path_more.h"
#include "out/path_words.h"
#include "out/printable.h"
#include "out/template.h"

#define LEGS_SHOWN   40u /* the record has all; -o json shows them */
#define ITEMS_SHOWN  12u /* of one list below a leg */
#define DEPTH_SHOWN  6u
#define LINE_BYTES   (256u << 10)
#define CUT_LINES    3u
#define LABEL_COLUMN 13u
#define AXIS_COLUMN  17u

/* Every line of the page. Members with a leading underscore are added here: meanings of words. */
#define PATTERNS(X)                                                                                \
	X(HEAD, "PATH {path|id}[, revision {revision}], ledger index {_index}")                    \
	X(NEWER, "SUPERSEDED: a later revision is {_newer}")                                       \
	X(REPLACED, "replaces {id}, ledger index {index}")                                         \
	X(VERDICT, "{!verdict}[({reason})][: {_verdict}]")                                         \
	X(REASON, "{reason}: {_reason}")                                                           \
	X(OPEN, "open: {open}[: {_open}]")                                                         \
	X(SUMMARY, "{summary}")                                                                    \
	X(AGENT, "Agent        {agent}[: {program}][, process {actor}][, process tree {root}]"     \
		 "[, scope {cgroup}]")                                                             \
	X(WHEN, "When         {&t} UTC, the first byte of the first leg")                          \
	X(PROMPT, "Prompt       [{promptBytes} bytes, ]keyed digest {promptDigest}")               \
	X(TRACE, "Trace        {traceIds+}[, spans {spans+}]")                                     \
	X(GRADES, "Grades       evidence {evidence}, join {join}")                                 \
	X(POLICY, "Policy       {policy}")                                                         \
	X(TABLES, "Tables       {tables}")                                                         \
	X(HOST, "This host    declared at {_position} degrees[, within {host.withinKm} km]"        \
		"[, by: {host.source}]")                                                           \
	X(NO_HOST, "This host    no position is declared: no distance is bounded")                 \
	X(LEGS, "LEGS, in the order of their first byte")                                          \
	X(NO_LEGS, "no leg was seen")                                                              \
	X(LEG, "{seq}  {purpose}[, {cause}][ of leg {of}], to {peer}[ ({authority|sni})]"          \
	       "[: {requestAckedBytes} of {requestBytes} bytes acknowledged]"                      \
	       "[^{requestAckedBytes}: {requestBytes} bytes][, {status}]"                          \
	       "[^{status}, {_outcome|outcome}]  {evidence} {join}")                               \
	X(LEG_PLACE, "listed: {place.labels.region+}[, {_region}][; claimed: {claims.says+} (by: " \
		     "{claims.by+})][; declared law: {place.labels.home+}][; excluded under the "  \
		     "hard bound: {place.bounds.tcp.excluded+}]")                                  \
	X(LEG_NOWHERE, "listed: nowhere[, {_region}][; claimed: {claims.says+} (by: "              \
		       "{claims.by+})][; declared law: {place.labels.home+}][; excluded under "    \
		       "the hard bound: {place.bounds.tcp.excluded+}]")                            \
	X(LEG_NO_TABLES, "no address tables were in force[; claimed: {claims.says+} (by: "         \
			 "{claims.by+})][; declared law: {place.labels.home+}][; excluded under "  \
			 "the hard bound: {place.bounds.tcp.excluded+}]")                          \
	X(DETAILS, "LEG BY LEG: where TLS ended, where data was processed and whose law reaches "  \
		   "it are three questions")                                                       \
	X(LEG_HEAD, "Leg {seq}[: it {_purpose}][ ({_cause})]")                                     \
	X(LEG_BYTES, "{requestBytes} bytes by {proto}[, acknowledged {requestAckedBytes}]"         \
		     "[: {_acked}][; received {responseBytes}]")                                   \
	X(LEG_END, "{_outcome|outcome}[, status {status}][, model {model}][, answer {responseId}]" \
		   "[, took {firstRequestBootNs~endBootNs}]")                                      \
	X(LEG_COPY, "{copy.shared} of {copy.of} keyed fingerprints of the prompt found again, in " \
		    "the form {copy.form}")                                                        \
	X(LEG_GRADES, "evidence {evidence}, join {join}[ by {by}][, one of {candidates+}]"         \
		      "[, exchange {exchange}][, connection {flow}]")                              \
	X(LEG_ACTOR, "process {actor}[, {program}][, from {local}]")                               \
	X(LEG_DNS, "{name} asked {ageMs} ms before the connection, {lookup}")                      \
	X(LABEL, "listed by {table}[ of {asOf}][, {_basis}]: {region}[, of {operator}]"            \
		 "[ {service}][, matched by {by}][; the policy declares it part of {in}]")         \
	X(LABEL_NOT, "listed by {table}[ of {asOf}]: {region}, and impossible: farther away "      \
		     "than light allows for the round trip that was measured")                     \
	X(NO_TABLES, "not known: no address tables were in force")                                 \
	X(NO_LABEL, "listed in no table")                                                          \
	X(REGION, "policy: the listed region is {_region}")                                        \
	X(BOUND_TCP, "measured: {rttUs} us to whoever answered TCP; light allows at most "         \
		     "{withinKm} km (hard bound)[, {withinKmOrdinaryFibre} km assuming "           \
		     "ordinary fibre], unless its TCP acknowledges what has not arrived")          \
	X(BOUND_KEY, "measured: {rttUs} us to the holder of the certificate's key; light "         \
		     "allows at most {withinKm} km (hard bound)[, {withinKmOrdinaryFibre} km "     \
		     "assuming ordinary fibre]")                                                   \
	X(EXCLUDED, "excluded under the hard bound: {excluded+}")                                  \
	X(UNBOUND, "no distance is bounded[: {_none|bounds.none}]")                                \
	X(CLAIM, "claimed by {_by|by} ({from}): {says}[, span {span}]")                            \
	X(REFERENCE,                                                                               \
	  "{says} ({from}, of {_by|by}), claimed: no place; the operator can be asked by it")      \
	X(NO_CLAIM, "not known: nobody claimed anything")                                          \
	X(HOME, "declared: {operator} is under the law of {home}, by {table}[ of {asOf}]")         \
	X(NO_HOME, "not known: no home is declared")                                               \
	X(HOME_STANDING, "policy: the declared home is {_home}")                                   \
	X(LEG_FINDING, "{finding}")                                                                \
	X(MORE_LEGS, "and {_beyond} legs more: -o json has those of the record, which counts "     \
		     "{legsTotal}")                                                                \
	X(MORE, "and {_beyond} more: -o json has them")                                            \
	X(HORIZON, " horizon: behind this line nothing is known ")                                 \
	X(ENDS, "leg {_legs}: {_ends|ends}")                                                       \
	X(NO_HORIZON, "the record names no horizon")                                               \
	X(FINDINGS, "FINDINGS")                                                                    \
	X(FINDING, "{finding}[ on leg {leg}][ on connection {flow}][, listed region {region}][, "  \
		   "declared home {home}]"                                                         \
		   "[, {shared} of {of} fingerprints found again][, in the form {form}]"           \
		   "[, attested region {attestedRegion}][, by attestation {attestation}]"          \
		   "[: {_finding}]")                                                               \
	X(NO_FINDINGS, "none")                                                                     \
	X(OPAQUE, "CONNECTIONS OF THIS PROCESS TREE THAT COULD NOT BE READ: {opaqueTotal}")        \
	X(OPAQUE_FLOW, "{flow} to {peer}[ ({sni})]: {bytesSent} bytes sent[; {_why|why}][; "       \
		       "policy: the listed region is {_region}]")                                  \
	X(ATTESTED, "ATTESTED FROM OUTSIDE (E7; no part of what was seen here)")                   \
	X(ATTESTATION,                                                                             \
	  "claimed and signed by {attester}: [processed in {says.region}][, by {says.operator}]"   \
	  "[, service {says.service}][, at {&says.t}][, going by {says.basis}]"                    \
	  "[; leg {leg}][; signed at {&attestedAt}][; {attestation}]"                              \
	  "[: {findings+}]")                                                                       \
	X(NOT_ATTESTED, "nothing")                                                                 \
	X(COVERAGE, "COVERAGE")                                                                    \
	X(WINDOW, "watched: {?coverage.known}, the whole window: {?coverage.wholeWindow}"          \
		  "[, window of {coverage.fromBootNs~coverage.toBootNs}]"                          \
		  "[, gaps {coverage.gaps}]")                                                      \
	X(LOST, "lost: {coverage.lostEvents} events, {coverage.lostBytes} bytes"                   \
		"[ (cause: {coverage.lostCause})]")                                                \
	X(BLIND, "not seen into[, unix peers {coverage.unixPeers}][, loopback peers "              \
		 "{coverage.loopbackPeers}][, processes with unreadable TLS "                      \
		 "{coverage.opaqueProcesses}][, raw sockets {coverage.rawSockets}][, calls "       \
		 "without a connection {coverage.unboundCalls}]")                                  \
	X(NO_COVERAGE, "the record does not say how completely it was seen")                       \
	X(TELL, "WHAT WOULD TELL MORE")                                                            \
	X(TELL_NONE, "nothing that is known here")

#define ENUM_(n, p) P_##n,
enum pattern { PATTERNS(ENUM_) P_MAX };
#define TEXT_(n, p) [P_##n] = p,
static const char *const patterns[P_MAX] = {PATTERNS(TEXT_)};

const char *ww_path_pattern(unsigned i)
{
	return i < P_MAX ? patterns[i] : NULL;
}

struct page {
	struct ww_slice record;
	struct ww_buf *out;
	unsigned columns;
	bool colour;
	const char *label; /* for the next line beside one */
	int about;         /* which claims are told, */
	unsigned claims;   /* and how many were */
	int err;
	struct ww_buf line, object; /* scratch */
};

/* --- lines --------------------------------------------------------------------------------------
 */

static void put(struct page *p, const char *text, size_t n)
{
	if (p->err == 0)
		p->err = ww_buf_add(p->out, text, n);
}

static void put_spaces(struct page *p, unsigned n)
{
	while (n-- > 0)
		put(p, " ", 1);
}

static void gap(struct page *p)
{
	put(p, "\n", 1);
}

/* Bytes of one character or of a sequence for colour, which fills no column. */
static size_t step(struct ww_slice s, size_t at, unsigned *columns)
{
	size_t n = 1;

	if (s.p[at] == 0x1b) {
		while (at + n < s.n && s.p[at + n] != 'm')
			n++;
		return at + n < s.n ? n + 1 : n;
	}
	while (at + n < s.n && (s.p[at + n] & 0xc0) == 0x80)
		n++;
	++*columns;
	return n;
}

/* How much of the text is the next line: up to the last space that fits, else what fits. */
static size_t fit(struct ww_slice s, unsigned room)
{
	size_t at = 0, space = 0;
	unsigned columns = 0;

	while (at < s.n) {
		size_t n = step(s, at, &columns);

		if (columns > room)
			return space ? space : at;
		if (s.p[at] == ' ')
			space = at;
		at += n;
	}
	return s.n;
}

/* Puts the text in lines, the first one after `indent` spaces, the others after `hang`. */
static void put_wrapped(struct page *p, unsigned indent, unsigned hang, struct ww_slice text)
{
	while (text.n && p->err == 0) {
		size_t n = fit(text, p->columns - indent);

		size_t end = n;

		while (end > 0 && text.p[end - 1] == ' ')
			end--;
		put_spaces(p, indent);
		put(p, (const char *)text.p, end);
		put(p, "\n", 1);
		text = ww_slice_sub(text, n, SIZE_MAX);
		while (text.n && text.p[0] == ' ')
			text = ww_slice_sub(text, 1, SIZE_MAX);
		indent = hang;
	}
}

/* The first line as it is up to its column, the others after as many spaces. */
static void put_beside(struct page *p, unsigned indent, struct ww_slice text)
{
	struct ww_slice rest = ww_slice_sub(text, AXIS_COLUMN, SIZE_MAX);
	unsigned hang = indent + AXIS_COLUMN;
	size_t n = fit(rest, p->columns - hang);

	put_spaces(p, indent);
	put(p, (const char *)text.p, AXIS_COLUMN);
	put(p, (const char *)rest.p, n);
	put(p, "\n", 1);
	rest = ww_slice_sub(rest, n, SIZE_MAX);
	while (rest.n && rest.p[0] == ' ')
		rest = ww_slice_sub(rest, 1, SIZE_MAX);
	put_wrapped(p, hang, hang, rest);
}

/* The pattern over an object. */
static void say_of(struct page *p, unsigned indent, unsigned hang, enum pattern what,
		   struct ww_slice object)
{
	int r;

	if (p->err)
		return;
	ww_buf_clear(&p->line);
	r = ww_template_render(patterns[what], object, p->colour, &p->line);
	if (r < 0 && r != -EMSGSIZE) { /* what fits is shown */
		p->err = r;
		return;
	}
	put_wrapped(p, indent, hang, ww_buf_slice(&p->line));
}

/* At most CUT_LINES lines of it: what follows has all. */
static void say_cut(struct page *p, unsigned indent, unsigned hang, enum pattern what,
		    struct ww_slice object)
{
	struct ww_slice text, cut;
	int r;

	if (p->err)
		return;
	ww_buf_clear(&p->line);
	r = ww_template_render(patterns[what], object, p->colour, &p->line);
	p->err = r == -EMSGSIZE ? 0 : r;
	text = ww_buf_slice(&p->line);
	cut = ww_printable_cut(text, CUT_LINES * (p->columns - hang));
	if (p->err == 0 && cut.n < text.n) {
		p->line.n = cut.n;
		p->err = ww_buf_add(&p->line, " ...", 4);
		cut = ww_buf_slice(&p->line);
	}
	put_wrapped(p, indent, hang, cut);
}

static void say(struct page *p, unsigned indent, enum pattern what)
{
	say_of(p, indent, indent + LABEL_COLUMN, what, p->record);
}

static void say_plain(struct page *p, unsigned indent, enum pattern what)
{
	put_wrapped(p, indent, indent + 2, ww_slice_str(patterns[what]));
}

static void title(struct page *p, enum pattern what)
{
	gap(p);
	say_plain(p, 0, what);
}

/* --- objects with meanings ----------------------------------------------------------------------
 */

struct added {
	const char *key, *path;
	enum ww_path_set set;
};

#define MEANING_BYTES_MAX (2u * WW_RECORD_BYTES_MAX)

/* The object with members in front: what its words mean. */
static struct ww_slice with_meanings(struct page *p, struct ww_slice object,
				     const struct added *added, size_t count)
{
	struct ww_jsonw w;
	struct ww_slice inner = ww_slice_sub(object, 1, SIZE_MAX);
	bool empty = inner.n <= 1;

	if (p->err || object.n < 2)
		return object;
	ww_buf_clear(&p->object);
	ww_jsonw_init(&w, &p->object);
	ww_jsonw_object(&w, NULL);
	for (size_t i = 0; i < count; i++) {
		const struct ww_json_token v = ww_member_get(object, added[i].path);
		const struct ww_path_word *word = ww_path_word(added[i].set, &v);

		if (word)
			ww_jsonw_cstr(&w, added[i].key, word->meaning);
	}
	if (!empty && w.comma && w.err == 0)
		w.err = ww_buf_add(&p->object, ",", 1);
	if (w.err == 0)
		w.err = ww_buf_add(&p->object, inner.p, inner.n);
	p->err = w.err;
	return ww_buf_slice(&p->object);
}

#define MEANINGS(p, object, added) with_meanings(p, object, added, WW_ARRAY_SIZE(added))

static bool has(struct ww_slice object, const char *path)
{
	const struct ww_json_token v = ww_member_get(object, path);

	return ww_member_has(&v) && v.raw.n > 0;
}

/* Calls fn for the elements of an array, at most `most`; returns how many there are. */
typedef void (*each_fn)(struct page *p, unsigned indent, struct ww_slice element);

static unsigned each(struct page *p, struct ww_slice object, const char *path, unsigned indent,
		     unsigned most, each_fn fn)
{
	struct ww_json_token t;
	struct ww_slice array, element;
	struct ww_json j;
	unsigned n = 0;

	if (ww_json_path(object, path, &t, &array) != WW_PARSE_DONE || t.type != WW_JSON_ARRAY ||
	    ww_fields_array(array, &j) < 0)
		return 0;
	while (p->err == 0 && ww_fields_next(&j, &t, &element) == 1) {
		if (n++ < most && fn)
			fn(p, indent, element);
	}
	return n;
}

static void say_beyond(struct page *p, unsigned indent, enum pattern what, unsigned n,
		       unsigned most)
{
	char object[64 + WW_MEMBER_PATH_MAX];
	const struct ww_json_token total = ww_member_get(p->record, "legsTotal");

	if (n <= most)
		return;
	snprintf(object, sizeof(object), "{\"_beyond\":%u,\"legsTotal\":%llu}", n - most,
		 (unsigned long long)ww_member_u64(&total, n));
	say_of(p, indent, indent, what, ww_slice_str(object));
}

/* --- a leg --------------------------------------------------------------------------------------
 */

/* What stands in front of the first line of a kind; the others have spaces there. */
static const char *const labels[] = {"Sent",
				     "Ended",
				     "Copy",
				     "Evidence",
				     "By",
				     "DNS",
				     "Where TLS ended",
				     "Where processed",
				     "Whose law",
				     "References",
				     "Remarks"};
enum label {
	L_SENT,
	L_ENDED,
	L_COPY,
	L_EVIDENCE,
	L_BY,
	L_DNS,
	L_TLS,
	L_DATA,
	L_LAW,
	L_REFERENCES,
	L_REMARKS
};

static void put_label(struct page *p, enum label l)
{
	p->label = labels[l];
}

/* The pattern in the column behind the label. */
static void say_beside(struct page *p, unsigned indent, enum pattern what, struct ww_slice object)
{
	size_t n = strlen(p->label);
	int r;

	if (p->err)
		return;
	ww_buf_clear(&p->line);
	r = ww_buf_add(&p->line, p->label, n);
	for (; r == 0 && n < AXIS_COLUMN; n++)
		r = ww_buf_add(&p->line, " ", 1);
	p->label = "";
	if (r == 0)
		r = ww_template_render(patterns[what], object, p->colour, &p->line);
	p->err = r == -EMSGSIZE ? 0 : r;
	/* The spaces in front are no place to break a line. */
	if (p->err == 0)
		put_beside(p, indent, ww_buf_slice(&p->line));
}

static bool is_true(struct ww_slice object, const char *path)
{
	return ww_member_get(object, path).type == WW_JSON_TRUE && has(object, path);
}

static void label(struct page *p, unsigned indent, struct ww_slice element)
{
	static const struct added added[] = {{"_basis", "basis", WW_PATH_BASIS}};

	if (!has(element, "region"))
		return;
	if (is_true(element, "impossible"))
		say_beside(p, indent, P_LABEL_NOT, element);
	else
		say_beside(p, indent, P_LABEL, MEANINGS(p, element, added));
}

static void home(struct page *p, unsigned indent, struct ww_slice element)
{
	if (has(element, "home"))
		say_beside(p, indent, P_HOME, element);
}

/* What a word is about decides which question it belongs to. */
enum about { ABOUT_TLS, ABOUT_DATA, ABOUT_NOTHING };

static enum about about_of(struct ww_slice claim)
{
	const struct ww_json_token v = ww_member_get(claim, "about");

	if (!ww_member_has(&v) || v.type != WW_JSON_STRING)
		return ABOUT_DATA;
	if (ww_json_is(&v, "edge") || ww_json_is(&v, "endpoint"))
		return ABOUT_TLS;
	return ww_json_is(&v, "reference") ? ABOUT_NOTHING : ABOUT_DATA;
}

static void claim(struct page *p, unsigned indent, struct ww_slice element)
{
	static const struct added added[] = {{"_by", "by", WW_PATH_BY}};

	if (about_of(element) != (enum about)p->about)
		return;
	if (p->claims++ < ITEMS_SHOWN)
		say_beside(p, indent, p->about == ABOUT_NOTHING ? P_REFERENCE : P_CLAIM,
			   MEANINGS(p, element, added));
}

/* Returns how many there are about it. */
static unsigned claims(struct page *p, unsigned indent, struct ww_slice leg, enum about about)
{
	p->about = (int)about;
	p->claims = 0;
	each(p, leg, "$.claims", indent, UINT_MAX, claim);
	say_beyond(p, indent + AXIS_COLUMN, P_MORE, p->claims, ITEMS_SHOWN);
	return p->claims;
}

static void lookup(struct page *p, unsigned indent, struct ww_slice element)
{
	say_beside(p, indent, P_LEG_DNS, element);
}

/* A finding of a leg is a word, whose meaning stands below. */
static void leg_finding(struct page *p, unsigned indent, struct ww_slice element)
{
	WW_AUTO_BUF struct ww_buf object = {0};
	struct ww_jsonw w;

	if (element.n == 0 || element.p[0] != '"')
		return;
	ww_buf_init(&object, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &object);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_raw(&w, "finding", element);
	ww_jsonw_end_object(&w);
	p->err = w.err;
	say_beside(p, indent, P_LEG_FINDING, ww_buf_slice(&object));
}

static bool range(struct ww_slice object, const char *path, struct ww_slice *ret)
{
	struct ww_json_token t;

	return ww_json_path(object, path, &t, ret) == WW_PARSE_DONE && t.type == WW_JSON_OBJECT;
}

static bool bound(struct page *p, unsigned indent, struct ww_slice place, const char *path,
		  enum pattern what)
{
	struct ww_slice b;

	if (!range(place, path, &b) || !has(b, "withinKm"))
		return false;
	say_beside(p, indent, what, b);
	if (has(b, "excluded"))
		say_beside(p, indent, P_EXCLUDED, b);
	return true;
}

/* Whether an element has the member. */
static bool any_has(struct ww_slice object, const char *array, const char *member)
{
	struct ww_json_token t;
	struct ww_slice text, element;
	struct ww_json j;

	if (ww_json_path(object, array, &t, &text) != WW_PARSE_DONE || t.type != WW_JSON_ARRAY ||
	    ww_fields_array(text, &j) < 0)
		return false;
	while (ww_fields_next(&j, &t, &element) == 1)
		if (has(element, member))
			return true;
	return false;
}

static const struct added place_words[] = {{"_region", "region", WW_PATH_STANDING},
					   {"_home", "home", WW_PATH_STANDING},
					   {"_none", "bounds.none", WW_PATH_UNBOUND}};

static void where_tls_ended(struct page *p, unsigned indent, struct ww_slice leg,
			    struct ww_slice place)
{
	bool bounded;
	unsigned n;

	put_label(p, L_TLS);
	n = each(p, place, "$.labels", indent, ITEMS_SHOWN, label);
	if (!any_has(place, "$.labels", "region"))
		say_beside(p, indent, has(p->record, "tables") ? P_NO_LABEL : P_NO_TABLES, place);
	else
		say_beyond(p, indent + AXIS_COLUMN, P_MORE, n, ITEMS_SHOWN);
	if (has(place, "region"))
		say_beside(p, indent, P_REGION, MEANINGS(p, place, place_words));
	bounded = bound(p, indent, place, "$.bounds.tcp", P_BOUND_TCP);
	bounded |= bound(p, indent, place, "$.bounds.keyHolder", P_BOUND_KEY);
	if (!bounded)
		say_beside(p, indent, P_UNBOUND, MEANINGS(p, place, place_words));
	claims(p, indent, leg, ABOUT_TLS);
}

/* Three axes, never merged. */
static void axes(struct page *p, unsigned indent, struct ww_slice leg)
{
	struct ww_slice place = WW_SLICE_LIT("{}");

	range(leg, "$.place", &place);
	where_tls_ended(p, indent, leg, place);
	put_label(p, L_DATA);
	if (claims(p, indent, leg, ABOUT_DATA) == 0)
		say_beside(p, indent, P_NO_CLAIM, leg);
	put_label(p, L_LAW);
	each(p, place, "$.labels", indent, ITEMS_SHOWN, home);
	if (!any_has(place, "$.labels", "home"))
		say_beside(p, indent, P_NO_HOME, place);
	if (has(place, "home"))
		say_beside(p, indent, P_HOME_STANDING, MEANINGS(p, place, place_words));
}

/* How many legs this one continues, one after the other: `of` names an earlier seq. */
static unsigned depth_of(const struct page *p, struct ww_slice leg)
{
	struct ww_json_token of = ww_member_get(leg, "of");
	unsigned depth = 0;

	while (ww_member_has(&of) && depth < DEPTH_SHOWN) {
		uint64_t seq = ww_member_u64(&of, 0);
		char path[48];
		struct ww_json_token t;
		struct ww_slice before;

		/* Legs stand in the order of their numbers, which begin with 1. */
		if (seq == 0)
			break;
		depth++;
		snprintf(path, sizeof(path), "$.legs[%llu]", (unsigned long long)seq - 1);
		if (ww_json_path(p->record, path, &t, &before) != WW_PARSE_DONE)
			break;
		t = ww_member_get(before, "of");
		if (ww_member_u64(&t, 0) >= seq) /* none continues a later one, or itself */
			break;
		of = t;
	}
	return depth;
}

static const struct added leg_words[] = {{"_purpose", "purpose", WW_PATH_PURPOSE},
					 {"_cause", "cause", WW_PATH_CAUSE},
					 {"_acked", "requestAcked", WW_PATH_ACKED},
					 {"_outcome", "outcome", WW_PATH_OUTCOME},
					 {"_region", "place.region", WW_PATH_STANDING}};

static void leg_line(struct page *p, unsigned indent, struct ww_slice leg)
{
	indent += 2 * depth_of(p, leg);
	say_of(p, indent, indent + 3, P_LEG, MEANINGS(p, leg, leg_words));
	say_cut(p, indent + 3, indent + 5,
		has(leg, "place.labels.region") ? P_LEG_PLACE
		: has(p->record, "tables")      ? P_LEG_NOWHERE
						: P_LEG_NO_TABLES,
		MEANINGS(p, leg, leg_words));
}

static void leg_details(struct page *p, unsigned indent, struct ww_slice leg)
{
	static const struct {
		enum label label;
		const char *path;
		enum pattern what;
	} lines[] = {{L_SENT, "requestBytes", P_LEG_BYTES},
		     {L_ENDED, "outcome", P_LEG_END},
		     {L_COPY, "copy.of", P_LEG_COPY},
		     {L_EVIDENCE, "evidence", P_LEG_GRADES},
		     {L_BY, "actor", P_LEG_ACTOR}};
	unsigned n;

	gap(p);
	say_of(p, indent, indent + 2, P_LEG_HEAD, MEANINGS(p, leg, leg_words));
	indent += 2;
	for (size_t i = 0; i < WW_ARRAY_SIZE(lines); i++) {
		put_label(p, lines[i].label);
		if (has(leg, lines[i].path))
			say_beside(p, indent, lines[i].what, MEANINGS(p, leg, leg_words));
	}
	put_label(p, L_DNS);
	n = each(p, leg, "$.dns", indent, ITEMS_SHOWN, lookup);
	say_beyond(p, indent + AXIS_COLUMN, P_MORE, n, ITEMS_SHOWN);
	axes(p, indent, leg);
	put_label(p, L_REFERENCES);
	claims(p, indent, leg, ABOUT_NOTHING);
	put_label(p, L_REMARKS);
	n = each(p, leg, "$.findings", indent, ITEMS_SHOWN, leg_finding);
	say_beyond(p, indent + AXIS_COLUMN, P_MORE, n, ITEMS_SHOWN);
}

/* --- the page -----------------------------------------------------------------------------------
 */

#define ENDS_MAX 16u /* kinds of horizon, each with the legs that it is of */

struct ends {
	unsigned count;
	struct {
		struct ww_json_token what;
		unsigned legs;
		char text[96];
	} each[ENDS_MAX];
};

static void take_end(struct ends *e, struct ww_slice element)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("ends"), WW_SLICE_LIT("leg")};
	struct ww_json_token v[2];
	unsigned i = 0;
	size_t n;

	ww_member_pick(element, paths, 2, v);
	while (i < e->count && !ww_slice_eq(e->each[i].what.raw, v[0].raw))
		i++;
	if (i == ENDS_MAX)
		return;
	e->count += i == e->count;
	e->each[i].what = v[0];
	n = strlen(e->each[i].text);
	if (e->each[i].legs++ < ITEMS_SHOWN)
		snprintf(e->each[i].text + n, sizeof(e->each[i].text) - n, "%s%llu", n ? ", " : "",
			 (unsigned long long)ww_member_u64(&v[1], 0));
	else if (e->each[i].legs == ITEMS_SHOWN + 1)
		snprintf(e->each[i].text + n, sizeof(e->each[i].text) - n, " and others");
}

/* A line for each kind: legs mostly end alike. */
static unsigned horizons(struct page *p)
{
	static const struct added added[] = {{"_ends", "ends", WW_PATH_ENDS}};
	struct ww_json_token t;
	struct ww_slice array, element;
	struct ends e = {0};
	struct ww_json j;

	if (ww_json_path(p->record, "$.horizon", &t, &array) != WW_PARSE_DONE ||
	    t.type != WW_JSON_ARRAY || ww_fields_array(array, &j) < 0)
		return 0;
	while (ww_fields_next(&j, &t, &element) == 1)
		take_end(&e, element);
	for (unsigned i = 0; i < e.count && p->err == 0; i++) {
		WW_AUTO_BUF struct ww_buf object = {0};
		struct ww_jsonw w;

		ww_buf_init(&object, WW_RECORD_BYTES_MAX);
		ww_jsonw_init(&w, &object);
		ww_jsonw_object(&w, NULL);
		ww_member_write(&w, "ends", &e.each[i].what);
		ww_jsonw_cstr(&w, "_legs", e.each[i].text);
		ww_jsonw_end_object(&w);
		p->err = w.err;
		say_of(p, 2, 4, P_ENDS, MEANINGS(p, ww_buf_slice(&object), added));
	}
	return e.count;
}

static void finding(struct page *p, unsigned indent, struct ww_slice element)
{
	static const struct added added[] = {{"_finding", "finding", WW_PATH_FINDING}};

	say_of(p, indent, indent + 2, P_FINDING, MEANINGS(p, element, added));
}

static void opaque_flow(struct page *p, unsigned indent, struct ww_slice element)
{
	static const struct added added[] = {{"_why", "why", WW_PATH_OPAQUE},
					     {"_region", "region", WW_PATH_STANDING}};

	say_of(p, indent, indent + 2, P_OPAQUE_FLOW, MEANINGS(p, element, added));
}

static void attestation(struct page *p, unsigned indent, struct ww_slice element)
{
	say_of(p, indent, indent + 2, P_ATTESTATION, element);
}

static void draw_horizon(struct page *p)
{
	struct ww_slice words = ww_slice_str(patterns[P_HORIZON]);
	unsigned rest = p->columns - (unsigned)words.n;

	for (unsigned i = 0; i < rest / 2; i++)
		put(p, "~", 1);
	put(p, (const char *)words.p, words.n);
	for (unsigned i = rest / 2; i < rest; i++)
		put(p, "~", 1);
	gap(p);
}

static void list(struct page *p, enum pattern head, const char *path, each_fn fn, enum pattern none)
{
	unsigned n;

	title(p, head);
	n = each(p, p->record, path, 2, LEGS_SHOWN, fn);
	if (n == 0)
		say_plain(p, 2, none);
	say_beyond(p, 2, P_MORE, n, LEGS_SHOWN);
}

/* What would have to be settled, each with what it means; the reason has said so of itself. */
static void still_open(struct page *p)
{
	const struct ww_json_token reason = ww_member_get(p->record, "reason");
	struct ww_member_walk w;
	struct ww_member m;

	ww_member_begin(&w, p->record);
	while (ww_member_next(&w, &m) && p->err == 0) {
		static const struct added added[] = {{"_open", "open", WW_PATH_REASON}};
		WW_AUTO_BUF struct ww_buf object = {0};
		struct ww_jsonw o;

		if (!ww_slice_eq_str(m.path, "open") || m.value.type != WW_JSON_STRING ||
		    ww_slice_eq(m.value.raw, reason.raw))
			continue;
		ww_buf_init(&object, WW_RECORD_BYTES_MAX);
		ww_jsonw_init(&o, &object);
		ww_jsonw_object(&o, NULL);
		ww_member_write(&o, "open", &m.value);
		ww_jsonw_end_object(&o);
		p->err = o.err;
		say_of(p, 2, 4, P_OPEN, MEANINGS(p, ww_buf_slice(&object), added));
	}
}

static void head(struct page *p, const struct ww_path_ask *ask)
{
	static const struct added added[] = {{"_verdict", "verdict", WW_PATH_VERDICT},
					     {"_reason", "reason", WW_PATH_REASON}};
	char object[512];
	struct ww_slice record;

	snprintf(object, sizeof(object), "{\"_index\":%llu,", (unsigned long long)ask->index);
	ww_buf_clear(&p->object);
	p->err = ww_buf_add(&p->object, object, strlen(object));
	if (p->err == 0)
		p->err = ww_buf_add(&p->object, p->record.p + 1, p->record.n - 1);
	say_of(p, 0, 2, P_HEAD, ww_buf_slice(&p->object));
	if (ask->superseded_by.n) {
		snprintf(object, sizeof(object), "{\"_newer\":\"%.*s\"}",
			 (int)(ask->superseded_by.n < 96 ? ask->superseded_by.n : 96),
			 (const char *)ask->superseded_by.p);
		say_of(p, 2, 4, P_NEWER, ww_slice_str(object));
	}
	for (unsigned i = 0; i < ask->replaced_count; i++) {
		const struct ww_path_revision *v = &ask->replaced[i];

		snprintf(object, sizeof(object), "{\"id\":\"%.*s\",\"index\":%llu}",
			 (int)(v->id.n < 96 ? v->id.n : 96), (const char *)v->id.p,
			 (unsigned long long)v->index);
		say_of(p, 2, 4, P_REPLACED, ww_slice_str(object));
	}
	gap(p);
	record = MEANINGS(p, p->record, added);
	say_of(p, 0, 2, P_VERDICT, record);
	if (has(record, "_reason"))
		say_of(p, 2, 4, P_REASON, record);
	still_open(p);
	if (has(p->record, "summary"))
		say_of(p, 2, 4, P_SUMMARY, p->record);
}

/* "50.11, 8.68" */
static void host(struct page *p)
{
	struct ww_json_token t, lat, lon;
	WW_AUTO_BUF struct ww_buf object = {0};
	int n;
	char position[96];

	if (!has(p->record, "host.source") ||
	    ww_json_path(p->record, "$.host.position", &t, NULL) != WW_PARSE_DONE ||
	    ww_json_path(p->record, "$.host.position[0]", &lat, NULL) != WW_PARSE_DONE ||
	    ww_json_path(p->record, "$.host.position[1]", &lon, NULL) != WW_PARSE_DONE ||
	    lat.type != WW_JSON_NUMBER || lon.type != WW_JSON_NUMBER || lat.raw.n > 32 ||
	    lon.raw.n > 32) {
		say_plain(p, 2, P_NO_HOST);
		return;
	}
	n = snprintf(position, sizeof(position), "{\"_position\":\"%.*s, %.*s\",", (int)lat.raw.n,
		     (const char *)lat.raw.p, (int)lon.raw.n, (const char *)lon.raw.p);
	ww_buf_init(&object, MEANING_BYTES_MAX);
	if (p->err == 0)
		p->err = ww_buf_add(&object, position, (size_t)n);
	if (p->err == 0)
		p->err = ww_buf_add(&object, p->record.p + 1, p->record.n - 1);
	say_of(p, 2, 2 + LABEL_COLUMN, P_HOST, ww_buf_slice(&object));
}

static void facts(struct page *p)
{
	static const struct {
		const char *path;
		enum pattern what;
	} lines[] = {{"actor", P_AGENT},    {"t", P_WHEN},          {"promptDigest", P_PROMPT},
		     {"traceIds", P_TRACE}, {"evidence", P_GRADES}, {"policy", P_POLICY},
		     {"tables", P_TABLES}};

	gap(p);
	for (size_t i = 0; i < WW_ARRAY_SIZE(lines); i++)
		if (has(p->record, lines[i].path))
			say(p, 2, lines[i].what);
	host(p);
}

static void coverage(struct page *p)
{
	static const char *const blind[] = {"coverage.unixPeers", "coverage.loopbackPeers",
					    "coverage.opaqueProcesses", "coverage.rawSockets",
					    "coverage.unboundCalls"};
	bool any = false;

	title(p, P_COVERAGE);
	if (!has(p->record, "coverage.known")) {
		say_plain(p, 2, P_NO_COVERAGE);
		return;
	}
	say_of(p, 2, 4, P_WINDOW, p->record);
	say_of(p, 2, 4, P_LOST, p->record);
	for (size_t i = 0; i < WW_ARRAY_SIZE(blind); i++) {
		const struct ww_json_token v = ww_member_get(p->record, blind[i]);

		any |= ww_member_u64(&v, 0) > 0;
	}
	if (any)
		say_of(p, 2, 4, P_BLIND, p->record);
}

static void say_more(void *ctx, const char *text)
{
	struct page *p = ctx;

	ww_buf_clear(&p->line);
	if (p->err == 0)
		p->err = ww_buf_add(&p->line, "- ", 2);
	if (p->err == 0)
		p->err = ww_buf_add(&p->line, text, strlen(text));
	put_wrapped(p, 2, 4, ww_buf_slice(&p->line));
}

static void tell_more(struct page *p)
{
	title(p, P_TELL);
	if (ww_path_more(p->record, say_more, p) == 0)
		say_plain(p, 2, P_TELL_NONE);
}

static void whole(struct page *p, const struct ww_path_ask *ask)
{
	unsigned n;

	head(p, ask);
	facts(p);
	title(p, P_LEGS);
	n = each(p, p->record, "$.legs", 2, LEGS_SHOWN, leg_line);
	if (n == 0)
		say_plain(p, 2, P_NO_LEGS);
	say_beyond(p, 2, P_MORE_LEGS, n, LEGS_SHOWN);
	draw_horizon(p);
	if (horizons(p) == 0)
		say_plain(p, 2, P_NO_HORIZON);
	list(p, P_FINDINGS, "$.findings", finding, P_NO_FINDINGS);
	if (each(p, p->record, "$.opaque", 0, 0, NULL) > 0) {
		gap(p);
		say_of(p, 0, 2, P_OPAQUE, p->record);
		n = each(p, p->record, "$.opaque", 2, LEGS_SHOWN, opaque_flow);
		say_beyond(p, 2, P_MORE, n, LEGS_SHOWN);
	}
	list(p, P_ATTESTED, "$.attested", attestation, P_NOT_ATTESTED);
	coverage(p);
	tell_more(p);
	title(p, P_DETAILS);
	each(p, p->record, "$.legs", 2, LEGS_SHOWN, leg_details);
}

int ww_path_text(const struct ww_path_ask *ask, unsigned columns, bool colour, struct ww_buf *out)
{
	struct page p = {.record = ask->record, .out = out, .colour = colour, .label = ""};
	struct ww_member_walk w;
	struct ww_member m;

	ww_member_begin(&w, ask->record);
	while (ww_member_next(&w, &m))
		;
	if (!ww_member_ok(&w) || ask->record.n < 2 || ask->record.p[0] != '{')
		return -EINVAL;
	p.columns = columns < WW_PATH_COLUMNS_MIN   ? WW_PATH_COLUMNS_MIN
		    : columns > WW_PATH_COLUMNS_MAX ? WW_PATH_COLUMNS_MAX
						    : columns;
	ww_buf_init(&p.line, LINE_BYTES);
	ww_buf_init(&p.object, MEANING_BYTES_MAX);
	whole(&p, ask);
	ww_buf_done(&p.line);
	ww_buf_done(&p.object);
	return p.err;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "out/anycast.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/json_write.h"
#include "ledger/fields.h"
#include "out/member.h"
#include "out/template.h"
#include "policy/earth.h"

#define NAME_MAX    128u
#define ADDRESS_MAX 64u
#define BOOT_MAX    64u
#define SHOWN_MAX   200u /* paragraphs */

#define PATTERNS(X)                                                                               \
	X(SEVERAL, "{address}: more than one machine answers\n")                                  \
	X(ONE, "{address}: one machine can have answered both\n")                                 \
	X(MEASURED, "  measured: {rttUs} us from {host} (declared at {position} degrees, within " \
		    "{withinKm} km, by: {source}), leg {leg} of {path}; light allows at most "    \
		    "{km} km (hard bound)\n")                                                     \
	X(APART, "  the hosts are {km} km apart as declared; the discs that light allows "        \
		 "around them meet: nothing follows\n")                                           \
	X(DISJOINT, "  the hosts are {km} km apart as declared; the discs that light allows "     \
		    "around them have no point in common (hard bound)\n")                         \
	X(BEYOND, "and {beyond} addresses more\n")

#define ENUM_(n, p) P_##n,
enum pattern { PATTERNS(ENUM_) P_MAX };
#define TEXT_(n, p) [P_##n] = p,
static const char *const patterns[P_MAX] = {PATTERNS(TEXT_)};

const char *ww_anycast_pattern(unsigned i)
{
	return i < P_MAX ? patterns[i] : NULL;
}

struct host {
	char name[NAME_MAX], source[NAME_MAX], boot[BOOT_MAX];
	bool placed;
	struct ww_position at;
	double within_km;
	char position[NAME_MAX], within[32]; /* as the record writes them */
	bool has_first;
	struct ww_sha256 first; /* of its first path record */
	size_t peers;
};

/* The shortest round trip from one host to one address. */
struct peer {
	char address[ADDRESS_MAX];
	unsigned host;
	uint32_t rtt_us;
	char path[48];
	uint64_t leg;
};

/* The pair of hosts of one address that says most. */
struct pair {
	size_t one, other; /* peers */
	bool several;
};

struct ww_anycast {
	unsigned host_count;
	struct host hosts[WW_ANYCAST_HOSTS_MAX];
	size_t count, cap;
	struct peer *peers;
	size_t pair_count, pair_cap;
	struct pair *pairs;
};

int ww_anycast_new(struct ww_anycast **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void ww_anycast_free(struct ww_anycast *a)
{
	if (!a)
		return;
	free(a->peers);
	free(a->pairs);
	free(a);
}

int ww_anycast_host(struct ww_anycast *a, const char *name, struct ww_errtext *why)
{
	if (a->host_count == WW_ANYCAST_HOSTS_MAX)
		return ww_errtext_set(why, -E2BIG, "over %u hosts", WW_ANYCAST_HOSTS_MAX);
	snprintf(a->hosts[a->host_count++].name, NAME_MAX, "%s", name);
	return 0;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static void copy(const struct ww_json_token *v, char *out, size_t cap)
{
	size_t n = ww_member_has(v) && !v->escaped ? v->raw.n : 0;

	n = n < cap ? n : cap - 1;
	if (n)
		memcpy(out, v->raw.p, n);
	out[n] = '\0';
}

static bool number(const struct ww_json_token *t, double *ret)
{
	char text[32], *end;

	if (!t->raw.p || t->type != WW_JSON_NUMBER || t->raw.n >= sizeof(text))
		return false;
	copy(t, text, sizeof(text));
	*ret = strtod(text, &end);
	return *end == '\0';
}

static int take_position(struct host *h, struct ww_slice record, struct ww_errtext *why)
{
	struct ww_json_token lat, lon, within = ww_member_get(record, "host.withinKm");
	const struct ww_json_token source = ww_member_get(record, "host.source");
	struct ww_position at;
	double km;
	char text[64];

	if (!ww_member_has(&within) && !ww_member_has(&source))
		return 0; /* it does not say: its legs have no bounds */
	if (ww_json_path(record, "$.host.position[0]", &lat, NULL) != WW_PARSE_DONE ||
	    ww_json_path(record, "$.host.position[1]", &lon, NULL) != WW_PARSE_DONE ||
	    !number(&lat, &at.lat) || !number(&lon, &at.lon) || !number(&within, &km) ||
	    !ww_position_valid(at) || km < 0)
		return ww_errtext_set(why, -EINVAL, "%s: a record with a position that is none",
				      h->name);
	snprintf(text, sizeof(text), "%.*s, %.*s", (int)lat.raw.n, (const char *)lat.raw.p,
		 (int)lon.raw.n, (const char *)lon.raw.p);
	if (h->placed && strcmp(text, h->position) != 0)
		return ww_errtext_set(why, -EINVAL,
				      "%s: records of two positions (%s and %s): of two hosts, or "
				      "of a policy that was changed; one period and one host per "
				      "file",
				      h->name, h->position, text);
	if (!h->placed || km > h->within_km) {
		h->within_km = km;
		copy(&within, h->within, sizeof(h->within));
	}
	h->placed = true;
	h->at = at;
	snprintf(h->position, sizeof(h->position), "%s", text);
	copy(&source, h->source, sizeof(h->source));
	return 0;
}

static int take_boot(struct host *h, struct ww_slice record, struct ww_errtext *why)
{
	const struct ww_json_token host = ww_member_get(record, "host");
	char text[BOOT_MAX];

	copy(&host, text, sizeof(text));
	if (!text[0])
		return 0;
	if (h->boot[0] && strcmp(text, h->boot) != 0)
		return ww_errtext_set(why, -EINVAL, "%s: records of two hosts are mixed in it",
				      h->name);
	snprintf(h->boot, sizeof(h->boot), "%s", text);
	return 0;
}

/* "203.0.113.7:443" and "[2001:db8::1]:443" without their ports. */
static bool address_of(const struct ww_json_token *peer, char out[ADDRESS_MAX])
{
	const char *colon;
	size_t n;
	char text[ADDRESS_MAX + 16];

	if (!ww_member_has(peer) || peer->type != WW_JSON_STRING || peer->escaped ||
	    peer->raw.n >= sizeof(text))
		return false;
	copy(peer, text, sizeof(text));
	colon = strrchr(text, ':');
	n = colon ? (size_t)(colon - text) : strlen(text);
	if (n == 0 || n >= ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr("0123456789abcdef.:[]", text[i]))
			return false;
	memcpy(out, text, n);
	out[n] = '\0';
	return true;
}

static int add_peer(struct ww_anycast *a, const struct peer *p, struct ww_errtext *why)
{
	for (size_t i = a->count; i-- > 0 && a->peers[i].host == p->host;) {
		if (strcmp(a->peers[i].address, p->address) != 0)
			continue;
		if (p->rtt_us < a->peers[i].rtt_us)
			a->peers[i] = *p;
		return 0;
	}
	if (a->count == WW_ANYCAST_PEERS_MAX)
		return ww_errtext_set(why, -E2BIG, "over %u addresses: take a shorter period",
				      WW_ANYCAST_PEERS_MAX);
	if (a->count == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 256;
		struct peer *more = realloc(a->peers, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		a->peers = more;
		a->cap = cap;
	}
	a->peers[a->count++] = *p;
	a->hosts[p->host].peers++;
	return 0;
}

static int take_leg(struct ww_anycast *a, const struct ww_json_token *id, struct ww_slice leg,
		    struct ww_errtext *why)
{
	static const struct ww_slice members[] = {WW_SLICE_LIT("peer"),
						  WW_SLICE_LIT("place.bounds.tcp.rttUs"),
						  WW_SLICE_LIT("seq"), WW_SLICE_LIT("place.local")};
	struct peer p = {.host = a->host_count - 1};
	struct ww_json_token v[WW_ARRAY_SIZE(members)];
	uint64_t rtt;

	ww_member_pick(leg, members, WW_ARRAY_SIZE(members), v);
	rtt = ww_member_u64(&v[1], 0);
	/* No bound: loopback, a proxy, nothing was measured. Private addresses are somebody else's
	 * on every network. */
	if (rtt == 0 || rtt > UINT32_MAX || v[3].type == WW_JSON_TRUE ||
	    !address_of(&v[0], p.address))
		return 0;
	p.rtt_us = (uint32_t)rtt;
	p.leg = ww_member_u64(&v[2], 0);
	copy(id, p.path, sizeof(p.path));
	return add_peer(a, &p, why);
}

static int take_path(struct ww_anycast *a, struct ww_slice record, struct ww_errtext *why)
{
	const struct ww_json_token id = ww_member_get(record, "id");
	struct ww_json_token t;
	struct ww_slice array, leg;
	struct ww_json j;
	struct host *h = &a->hosts[a->host_count - 1];
	int r = take_position(h, record, why);

	if (!h->has_first)
		ww_sha256(record, &h->first);
	h->has_first = true;

	if (r < 0 || ww_json_path(record, "$.legs", &t, &array) != WW_PARSE_DONE ||
	    t.type != WW_JSON_ARRAY || ww_fields_array(array, &j) < 0)
		return r;
	while (r == 0 && ww_fields_next(&j, &t, &leg) == 1)
		if (t.type == WW_JSON_OBJECT)
			r = take_leg(a, &id, leg, why);
	return r;
}

int ww_anycast_add(struct ww_anycast *a, struct ww_slice record, struct ww_errtext *why)
{
	const struct ww_slice path = WW_SLICE_LIT("kind");
	struct ww_json_token kind;

	if (!ww_member_pick(record, &path, 1, &kind) || !ww_member_has(&kind))
		return ww_errtext_set(why, -EINVAL, "%s: a record without kind, or no JSON",
				      a->hosts[a->host_count - 1].name);
	if (ww_json_is(&kind, "path"))
		return take_path(a, record, why);
	return ww_json_is(&kind, "life") ? take_boot(&a->hosts[a->host_count - 1], record, why) : 0;
}

/* --- comparing ----------------------------------------------------------------------------------
 */

static int check_hosts(const struct ww_anycast *a, struct ww_errtext *why)
{
	for (unsigned i = 0; i < a->host_count; i++) {
		const struct host *h = &a->hosts[i];

		if (!h->placed)
			return ww_errtext_set(why, -ENODATA,
					      "%s: no path record with a position of its host",
					      h->name);
		if (h->peers == 0)
			return ww_errtext_set(why, -ENODATA, "%s: no leg with a round trip",
					      h->name);
		for (unsigned k = 0; k < i; k++)
			if ((h->boot[0] && strcmp(h->boot, a->hosts[k].boot) == 0) ||
			    memcmp(&h->first, &a->hosts[k].first, sizeof(h->first)) == 0)
				return ww_errtext_set(why, -EINVAL, "%s and %s are of one host",
						      a->hosts[k].name, h->name);
	}
	return 0;
}

static int by_address(const void *x, const void *y)
{
	const struct peer *a = x, *b = y;
	int r = strcmp(a->address, b->address);

	return r ? r : a->host < b->host ? -1 : a->host > b->host;
}

static int by_weight(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;

	if (a->several != b->several)
		return a->several ? -1 : 1;
	return a->one < b->one ? -1 : a->one > b->one;
}

static bool apart(const struct ww_anycast *a, const struct peer *x, const struct peer *y)
{
	const struct host *h = &a->hosts[x->host], *k = &a->hosts[y->host];

	return ww_bound_anycast(h->at, h->within_km, x->rtt_us, k->at, k->within_km, y->rtt_us);
}

static int add_pair(struct ww_anycast *a, struct pair p)
{
	if (a->pair_count == a->pair_cap) {
		size_t cap = a->pair_cap ? 2 * a->pair_cap : 64;
		struct pair *more = realloc(a->pairs, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		a->pairs = more;
		a->pair_cap = cap;
	}
	a->pairs[a->pair_count++] = p;
	return 0;
}

/* Of the peers from..to, which are of one address: the first pair that contradicts, else the first
 * two. */
static int compare(struct ww_anycast *a, size_t from, size_t to)
{
	struct pair p = {from, from + 1, false};

	for (size_t i = from; i < to && !p.several; i++)
		for (size_t k = i + 1; k < to && !p.several; k++)
			if (apart(a, &a->peers[i], &a->peers[k]))
				p = (struct pair){i, k, true};
	return to - from > 1 ? add_pair(a, p) : 0;
}

int ww_anycast_end(struct ww_anycast *a, struct ww_errtext *why)
{
	int r = check_hosts(a, why);

	if (r < 0)
		return r;
	qsort(a->peers, a->count, sizeof(*a->peers), by_address);
	for (size_t from = 0, to; r == 0 && from < a->count; from = to) {
		for (to = from + 1; to < a->count; to++)
			if (strcmp(a->peers[from].address, a->peers[to].address) != 0)
				break;
		r = compare(a, from, to);
	}
	if (a->pair_count)
		qsort(a->pairs, a->pair_count, sizeof(*a->pairs), by_weight);
	return r;
}

/* --- text ---------------------------------------------------------------------------------------
 */

static void write_km(struct ww_jsonw *w, uint64_t m)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu.%llu", (unsigned long long)(m / 1000),
		 (unsigned long long)(m % 1000 / 100));
	ww_jsonw_cstr(w, "km", text);
}

static int say(struct ww_buf *out, enum pattern what, const struct ww_buf *object)
{
	return ww_template_render(patterns[what], ww_buf_slice(object), false, out);
}

static int say_measured(const struct ww_anycast *a, const struct peer *p, struct ww_buf *out)
{
	const struct host *h = &a->hosts[p->host];
	WW_AUTO_BUF struct ww_buf object = {0};
	struct ww_jsonw w;

	ww_buf_init(&object, 8192);
	ww_jsonw_init(&w, &object);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_u64(&w, "rttUs", p->rtt_us);
	ww_jsonw_cstr(&w, "host", h->name);
	ww_jsonw_cstr(&w, "position", h->position);
	ww_jsonw_cstr(&w, "withinKm", h->within);
	ww_jsonw_cstr(&w, "source", h->source);
	ww_jsonw_u64(&w, "leg", p->leg);
	ww_jsonw_cstr(&w, "path", p->path);
	write_km(&w, ww_bound_m(p->rtt_us) + 99);
	ww_jsonw_end_object(&w);
	return w.err ? w.err : say(out, P_MEASURED, &object);
}

static int say_pair(const struct ww_anycast *a, const struct pair *p, struct ww_buf *out)
{
	const struct peer *one = &a->peers[p->one], *other = &a->peers[p->other];
	WW_AUTO_BUF struct ww_buf object = {0};
	struct ww_jsonw w;
	int r;

	ww_buf_init(&object, 8192);
	ww_jsonw_init(&w, &object);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "address", one->address);
	write_km(&w, ww_position_apart_m(a->hosts[one->host].at, a->hosts[other->host].at));
	ww_jsonw_end_object(&w);
	r = w.err ? w.err : say(out, p->several ? P_SEVERAL : P_ONE, &object);
	if (r == 0)
		r = say_measured(a, one, out);
	if (r == 0)
		r = say_measured(a, other, out);
	return r < 0 ? r : say(out, p->several ? P_DISJOINT : P_APART, &object);
}

int ww_anycast_text(const struct ww_anycast *a, struct ww_buf *out, uint64_t *ret_count,
		    uint64_t *ret_several)
{
	WW_AUTO_BUF struct ww_buf object = {0};
	uint64_t several = 0;
	char text[64];
	int r = 0;

	for (size_t i = 0; i < a->pair_count; i++)
		several += a->pairs[i].several;
	for (size_t i = 0; r == 0 && i < a->pair_count && i < SHOWN_MAX; i++)
		r = say_pair(a, &a->pairs[i], out);
	if (r == 0 && a->pair_count > SHOWN_MAX) {
		ww_buf_init(&object, sizeof(text));
		snprintf(text, sizeof(text), "{\"beyond\":%zu}", a->pair_count - SHOWN_MAX);
		r = ww_buf_add(&object, text, strlen(text));
		if (r == 0)
			r = say(out, P_BEYOND, &object);
	}
	*ret_count = a->pair_count;
	*ret_several = several;
	return r;
}

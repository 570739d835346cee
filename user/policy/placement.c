/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/placement.h"

#include <stdio.h>
#include <strings.h>

#include "policy/where.h"

#define ROWS_MAX 128u /* that are looked at; more are ambiguous */

#define NAME_OF(n, v, t, d) [v] = t,
static const char *const standing_names[] = {WW_STANDINGS(NAME_OF)};
static const char *const finding_names[] = {WW_PLACEMENT_FINDINGS(NAME_OF)};

const char *ww_standing_name(enum ww_standing s)
{
	return (unsigned)s < WW_ARRAY_SIZE(standing_names) ? standing_names[s] : "unknown";
}

const char *ww_placement_finding(uint32_t findings, unsigned *i)
{
	while (*i < WW_ARRAY_SIZE(finding_names)) {
		if (findings & 1u << (*i)++)
			return finding_names[*i - 1];
	}
	return NULL;
}

/* A row that speaks. */
struct row {
	struct ww_placement_label label;
	const char *host;
	bool counts;
	bool said;                   /* of a name that is the client's word alone */
	bool homes_differ;           /* of its operator, as declared */
	unsigned allowed, forbidden; /* of these */
};

struct question {
	const struct ww_placement_ask *ask;
	struct ww_placement *p;
	struct row rows[ROWS_MAX];
	unsigned count;
};

/* --- light --------------------------------------------------------------------------------------
 */

static void bound_of(const struct ww_policy *p, uint32_t rtt_us, struct ww_placement_bound *ret)
{
	ret->rtt_us = rtt_us;
	if (!rtt_us)
		return;
	ret->hard_m = ww_bound_m(rtt_us);
	ret->fibre_m = ww_bound_fibre_m(rtt_us);
	for (unsigned i = 0; p && p->host.line && i < p->area_count; i++) {
		if (ww_area_excluded(p->areas[i].area, p->host.position, p->host.within_km, rtt_us))
			ret->excluded |= 1ull << i;
	}
}

static void find_bounds(struct question *q)
{
	const struct ww_placement_ask *a = q->ask;

	if (q->p->loopback)
		q->p->no_bound = "loopback";
	else if (!a->rtt_counts)
		q->p->no_bound = "proxy";
	else if (!a->rtt_min_us && !a->key_holder_us)
		q->p->no_bound = "unmeasured";
	if (q->p->no_bound)
		return;
	bound_of(a->policy, a->rtt_min_us, &q->p->tcp);
	bound_of(a->policy, a->key_holder_us, &q->p->key_holder);
}

/* Whether either bound excludes all of the area of the label's region. */
static bool impossible(const struct question *q, unsigned region)
{
	const struct ww_policy *p = q->ask->policy;
	uint64_t excluded = q->p->tcp.excluded | q->p->key_holder.excluded;
	const struct ww_policy_area *area;

	if (region == WW_POLICY_NONE)
		return false;
	area = p->regions[region].area;
	return area && (excluded & 1ull << (area - p->areas));
}

/* --- rows ---------------------------------------------------------------------------------------
 */

static void find_home(const struct question *q, struct row *row)
{
	const struct ww_placement_ask *a = q->ask;
	const struct ww_tables_operator *o;
	unsigned i = 0;

	if (!row->label.operator_name.n)
		return;
	while ((o = ww_tables_operator(a->tables, row->label.operator_name, &i)) != NULL) {
		bool early, expired;

		ww_tables_time_at(&o->valid, a->at, &early, &expired);
		if (early || expired)
			continue;
		if (!row->label.home)
			row->label.home = o->home;
		row->homes_differ |= strcasecmp(row->label.home, o->home) != 0;
		if (a->agent && ww_policy_home_allowed(a->agent, ww_slice_str(o->home)))
			row->allowed++;
		else
			row->forbidden++;
	}
	if (row->homes_differ)
		row->label.home = NULL;
}

static bool have_row(const struct question *q, const struct ww_tables_match *m)
{
	for (unsigned i = 0; i < q->count; i++) {
		if (m->host && q->rows[i].host == m->host)
			return true;
	}
	return false;
}

static void add_row(struct question *q, const struct ww_tables_match *m, bool said)
{
	const struct ww_policy *p = q->ask->policy;
	const struct ww_tables_words *w = m->words;
	struct row *row;

	q->p->labels_total++;
	if (q->count == ROWS_MAX) {
		q->p->partial = true;
		return;
	}
	row = &q->rows[q->count++];
	*row = (struct row){.host = m->host,
			    .said = said,
			    .label = {.region = w->region,
				      .operator_name = w->operator_name,
				      .service = w->service,
				      .table = m->table,
				      .basis = w->basis,
				      .by_name = m->host != NULL,
				      .early = m->early,
				      .expired = m->expired}};
	row->label.regions = ww_policy_regions_of(p, w->region);
	row->label.in =
		row->label.regions ? (uint8_t)__builtin_ctzll(row->label.regions) : WW_POLICY_NONE;
	row->counts = !m->early && !m->expired;
	if (row->counts && impossible(q, row->label.in)) {
		row->label.impossible = true;
		row->counts = false;
		q->p->findings |= WW_PLACEMENT_LABEL_IMPOSSIBLE;
	}
	if (row->counts)
		find_home(q, row);
}

/* Of a network that lies in the private range that the address is of, and said by a YAML table. */
static bool declares(const struct ww_tables_match *m, const struct ww_cidr *apart)
{
	return (m->words->basis == WW_TABLES_CONTRACT ||
		m->words->basis == WW_TABLES_PROVIDER_DOC) &&
	       m->prefix.bits >= apart->bits;
}

static void take_answer(struct question *q, const struct ww_tables_answer *a,
			const struct ww_cidr *apart, bool said)
{
	for (unsigned i = 0; i < a->count; i++) {
		const struct ww_tables_match *m = &a->rows[i];

		if (m->speaks && (!apart || declares(m, apart)) && !have_row(q, m))
			add_row(q, m, said);
	}
	q->p->partial |= a->total > a->count;
}

/* Whether anything may be listed of the peer. */
static bool find_rows(struct question *q)
{
	const struct ww_placement_ask *a = q->ask;
	const struct ww_cidr *apart = ww_where_apart(&a->peer);
	struct ww_tables_answer answer;

	if (q->p->loopback)
		return false;
	if (!a->tables)
		return !q->p->local;
	ww_tables_find(a->tables, &a->peer, a->at, &answer);
	take_answer(q, &answer, apart, false);
	if (q->p->local && !q->count)
		return false;
	for (unsigned i = 0; i < a->name_count; i++) {
		ww_tables_find_name(a->tables, a->names[i], a->at, &answer);
		take_answer(q, &answer, NULL, i + a->said_count >= a->name_count);
	}
	return true;
}

/* --- what they say together ---------------------------------------------------------------------
 */

/* A published word for no place or all places. */
static bool everywhere(const struct ww_placement_label *l)
{
	return l->in == WW_POLICY_NONE && ww_slice_ieq_str(l->region, "global");
}

static bool same_word(struct ww_slice a, struct ww_slice b)
{
	return a.n == b.n &&
	       (a.n == 0 || strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0);
}

static bool same_operator(const struct ww_placement_label *a, const struct ww_placement_label *b)
{
	return a->operator_name.n && ww_slice_eq(a->operator_name, b->operator_name);
}

/* Whether two labels cannot both be true of the place. Words of different operators are compared
 * only where the policy knows both. */
static bool regions_differ(const struct ww_placement_label *a, const struct ww_placement_label *b)
{
	if (!a->region.n || !b->region.n || same_word(a->region, b->region))
		return false;
	if (a->regions && b->regions)
		return !(a->regions & b->regions);
	return a->table == b->table || same_operator(a, b);
}

/* The same of the operator: who answers to a name may well use another's network. */
static bool operators_differ(const struct ww_placement_label *a, const struct ww_placement_label *b)
{
	return a->table == b->table && a->by_name == b->by_name && a->operator_name.n &&
	       b->operator_name.n && !same_operator(a, b);
}

/* What an agent does not ask for is not ambiguous to it. */
static bool any_contradiction(const struct question *q)
{
	const struct ww_policy_agent *agent = q->ask->agent;
	bool regions = !agent || agent->asks_region, homes = !agent || agent->asks_home;

	for (unsigned i = 0; i < q->count; i++) {
		const struct row *r = &q->rows[i];

		if (!r->counts)
			continue;
		if ((regions && everywhere(&r->label)) || (homes && r->homes_differ))
			return true;
		for (unsigned k = 0; k < i; k++) {
			const struct row *o = &q->rows[k];

			if (o->counts && ((regions && regions_differ(&r->label, &o->label)) ||
					  (homes && operators_differ(&r->label, &o->label))))
				return true;
		}
	}
	return q->p->partial;
}

static enum ww_standing standing(bool allowed, bool said, bool forbidden, bool open)
{
	if ((allowed || said) && forbidden)
		return WW_STANDING_MIXED;
	if (forbidden)
		return WW_STANDING_FORBIDDEN;
	return allowed && !open ? WW_STANDING_ALLOWED : WW_STANDING_UNLISTED;
}

static enum ww_standing region_standing(const struct question *q)
{
	bool allowed = false, said = false, forbidden = false, vague = q->p->partial;

	for (unsigned i = 0; i < q->count; i++) {
		const struct ww_placement_label *l = &q->rows[i].label;

		if (!q->rows[i].counts || !l->region.n)
			continue;
		if (everywhere(l))
			vague = true;
		else if (l->in == WW_POLICY_NONE || !(q->ask->agent->regions & 1ull << l->in))
			forbidden = true;
		else if (q->rows[i].said)
			said = true;
		else
			allowed = true;
	}
	return vague ? WW_STANDING_MIXED : standing(allowed, said, forbidden, false);
}

/* An operator whose home nobody declares leaves it open; the names that a database has for
 * operators are its own, and nobody need declare those. */
static enum ww_standing home_standing(const struct question *q)
{
	bool allowed = false, said = false, forbidden = false, open = false;

	for (unsigned i = 0; i < q->count; i++) {
		const struct row *r = &q->rows[i];

		if (!r->counts || !r->label.operator_name.n)
			continue;
		allowed |= r->allowed > 0 && !r->said;
		said |= r->allowed > 0 && r->said;
		forbidden |= r->forbidden > 0;
		open |= !r->allowed && !r->forbidden && r->label.basis != WW_TABLES_DATABASE;
	}
	return q->p->partial ? WW_STANDING_MIXED : standing(allowed, said, forbidden, open);
}

static void judge(struct question *q)
{
	const struct ww_policy_agent *agent = q->ask->agent;
	struct ww_placement *p = q->p;

	p->ambiguous = any_contradiction(q);
	if (agent && agent->asks_region)
		p->region = region_standing(q);
	if (agent && agent->asks_home)
		p->home = home_standing(q);
	p->ambiguous |= p->region == WW_STANDING_MIXED || p->home == WW_STANDING_MIXED;
	if (p->region == WW_STANDING_FORBIDDEN)
		p->findings |= WW_PLACEMENT_OUT_OF_REGION;
	if (p->home == WW_STANDING_FORBIDDEN)
		p->findings |= WW_PLACEMENT_OUT_OF_HOME;
	if (p->region == WW_STANDING_UNLISTED || p->home == WW_STANDING_UNLISTED)
		p->findings |= WW_PLACEMENT_UNLISTED_DESTINATION;
	if (p->ambiguous)
		p->findings |= WW_PLACEMENT_LABEL_AMBIGUOUS;
}

/* --- what is told -------------------------------------------------------------------------------
 */

/* Whether what it says was told, but for the service. */
static bool told(const struct ww_placement *p, const struct ww_placement_label *l)
{
	for (unsigned i = 0; i < p->label_count; i++) {
		const struct ww_placement_label *t = &p->labels[i];

		if (ww_slice_eq(t->region, l->region) &&
		    ww_slice_eq(t->operator_name, l->operator_name))
			return true;
	}
	return false;
}

/* Those that count first, of these each place and operator before any a second time. */
static void tell(struct question *q)
{
	struct ww_placement *p = q->p;
	bool done[ROWS_MAX] = {false};

	for (unsigned pass = 0; pass < 3; pass++) {
		for (unsigned i = 0; i < q->count; i++) {
			const struct row *r = &q->rows[i];

			if (done[i] || r->counts != (pass < 2) || (pass == 0 && told(p, &r->label)))
				continue;
			if (p->label_count == WW_PLACEMENT_LABELS_MAX) {
				p->partial |= pass == 0;
				continue;
			}
			done[i] = true;
			p->counted += r->counts;
			p->labels[p->label_count++] = r->label;
		}
	}
	p->by_name = p->counted > 0;
	for (unsigned i = 0; i < q->count; i++)
		p->by_name &= !q->rows[i].counts || q->rows[i].label.by_name;
}

static bool unspecified(const struct ww_endpoint *e)
{
	static const uint8_t none[16];
	bool mapped = e->family == 10 && ww_cidr_mapped(e->addr);

	return memcmp(e->addr + (mapped ? 12 : 0), none, mapped || e->family == 2 ? 4 : 16) == 0;
}

void ww_placement_of(const struct ww_placement_ask *a, struct ww_placement *ret)
{
	struct question q = {.ask = a, .p = ret};

	*ret = (struct ww_placement){.policy = a->policy};
	ret->local = a->peer.family && !ww_where_public(&a->peer);
	ret->loopback =
		ret->local && (ww_cidr_endpoint_loopback(&a->peer) || unspecified(&a->peer));
	find_bounds(&q);
	if (find_rows(&q))
		judge(&q);
	tell(&q);
}

/* --- claims -------------------------------------------------------------------------------------
 */

/* Without blanks, and in lower case. */
static struct ww_slice squeezed(struct ww_slice s, uint8_t out[WW_TABLES_TEXT_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < WW_TABLES_TEXT_MAX; i++) {
		if (s.p[i] != ' ')
			out[n++] = s.p[i];
	}
	return ww_slice(out, n);
}

enum ww_claim_match ww_policy_compare(const struct ww_policy *p, const struct ww_placement *pl,
				      struct ww_slice claimed)
{
	uint8_t claim[WW_TABLES_TEXT_MAX], word[WW_TABLES_TEXT_MAX];
	struct ww_slice s = squeezed(claimed, claim);
	uint64_t regions =
		ww_policy_regions_of(p, ww_slice_trim(claimed)) | ww_policy_regions_of(p, s);
	bool any = false, known = regions && !pl->partial;

	if (!s.n || claimed.n > WW_TABLES_TEXT_MAX)
		return WW_CLAIM_UNKNOWN;
	for (unsigned i = 0; i < pl->counted; i++) {
		const struct ww_placement_label *l = &pl->labels[i];

		if (!l->region.n)
			continue;
		if (same_word(squeezed(l->region, word), s) || (l->regions & regions))
			return WW_CLAIM_SAME;
		any = true;
		known &= l->regions != 0;
	}
	return any && known ? WW_CLAIM_DIFFERENT : WW_CLAIM_UNKNOWN;
}

bool ww_policy_allows(const struct ww_policy *p, const struct ww_policy_agent *agent,
		      struct ww_slice region)
{
	uint8_t word[WW_TABLES_TEXT_MAX];
	unsigned in = ww_policy_region_of(p, ww_slice_trim(region));

	if (in == WW_POLICY_NONE)
		in = ww_policy_region_of(p, squeezed(region, word));
	return !agent->asks_region || (in != WW_POLICY_NONE && (agent->regions & 1ull << in));
}

/* --- records ------------------------------------------------------------------------------------
 */

static void write_word(struct ww_jsonw *w, const char *key, struct ww_slice word)
{
	if (word.n)
		ww_jsonw_put_str(w, ww_jsonw_name(key), word);
}

static void write_label(const struct ww_placement *p, const struct ww_placement_label *l,
			struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	write_word(w, "region", l->region);
	if (l->region.n && p->policy)
		ww_jsonw_cstr(w, "in",
			      l->in == WW_POLICY_NONE ? NULL : p->policy->regions[l->in].name);
	write_word(w, "operator", l->operator_name);
	write_word(w, "service", l->service);
	if (l->home)
		ww_jsonw_cstr(w, "home", l->home);
	ww_jsonw_cstr(w, "table", l->table->name);
	ww_jsonw_cstr(w, "asOf", l->table->as_of);
	ww_jsonw_cstr(w, "basis", ww_tables_basis_name(l->basis));
	ww_jsonw_cstr(w, "by", l->by_name ? "name" : "address");
	ww_jsonw_bool(w, "impossible", l->impossible);
	if (l->early)
		ww_jsonw_bool(w, "early", true);
	if (l->expired)
		ww_jsonw_bool(w, "expired", true);
	ww_jsonw_end_object(w);
}

/* Kilometres with one decimal, rounded up. */
static void write_km(struct ww_jsonw *w, struct ww_jsonw_name name, uint64_t m)
{
	uint64_t hm = (m + 99) / 100;
	char text[32];

	snprintf(text, sizeof(text), "%llu.%llu", (unsigned long long)(hm / 10),
		 (unsigned long long)(hm % 10));
	ww_jsonw_put_raw(w, name, ww_slice_str(text));
}

static void write_bound(const struct ww_placement *p, struct ww_jsonw_name name,
			const struct ww_placement_bound *b, struct ww_jsonw *w)
{
	if (!b->rtt_us)
		return;
	ww_jsonw_put_object(w, name);
	ww_jsonw_u64(w, "rttUs", b->rtt_us);
	write_km(w, ww_jsonw_name("withinKm"), b->hard_m);
	write_km(w, ww_jsonw_name("withinKmOrdinaryFibre"), b->fibre_m);
	if (p->policy && p->policy->host.line) {
		ww_jsonw_array(w, "excluded");
		for (unsigned i = 0; i < p->policy->area_count; i++) {
			if (b->excluded & 1ull << i)
				ww_jsonw_cstr(w, NULL, p->policy->areas[i].name);
		}
		ww_jsonw_end_array(w);
	}
	ww_jsonw_end_object(w);
}

void ww_placement_write(const struct ww_placement *p, struct ww_jsonw *w)
{
	ww_jsonw_cstr(w, "region", ww_standing_name(p->region));
	ww_jsonw_cstr(w, "home", ww_standing_name(p->home));
	ww_jsonw_bool(w, "local", p->local);
	ww_jsonw_bool(w, "ambiguous", p->ambiguous);
	ww_jsonw_array(w, "labels");
	for (unsigned i = 0; i < p->label_count; i++)
		write_label(p, &p->labels[i], w);
	ww_jsonw_end_array(w);
	if (p->labels_total > p->label_count)
		ww_jsonw_u64(w, "labelsTotal", p->labels_total);
	ww_jsonw_object(w, "bounds");
	write_bound(p, ww_jsonw_name("tcp"), &p->tcp, w);
	write_bound(p, ww_jsonw_name("keyHolder"), &p->key_holder, w);
	if (p->no_bound)
		ww_jsonw_cstr(w, "none", p->no_bound);
	ww_jsonw_end_object(w);
}

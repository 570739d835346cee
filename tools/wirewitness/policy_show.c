/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_show.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "cmd.h"
#include "out/printable.h"
#include "out/table.h"
#include "policy/host_glob.h"
#include "terminal.h"

#define JSON_BYTES_MAX (64u << 10)

struct answer {
	const struct ww_policy_show *s;
	const char *what;
	struct ww_placement p;
};

static int take_what(struct ww_policy_show *s, const char *what)
{
	struct ww_placement_ask *a = &s->ask;
	struct ww_slice host = ww_host_of(what);
	uint8_t addr[16] = {0};
	int family = strchr(what, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, what, addr) == 1) {
		a->peer.family = (uint16_t)family;
		memcpy(a->peer.addr, addr, sizeof(addr));
		return 0;
	}
	if (ww_host_glob_ok(host) && !memchr(host.p, '*', host.n) &&
	    strspn(what, "0123456789.") != strlen(what) && a->name_count < WW_PLACEMENT_NAMES_MAX) {
		a->names[a->name_count++] = what;
		return 0;
	}
	ww_log(WW_LOG_ERR,
	       "expected an address like 203.0.113.7 or a name like api.example.com, got '%s'",
	       what);
	return WW_EXIT_USAGE;
}

/* --- json ---------------------------------------------------------------------------------------
 */

static void write_answer(const struct answer *a, struct ww_jsonw *w)
{
	const struct ww_placement_ask *ask = &a->s->ask;
	const char *finding;
	char at[WW_RFC3339_MAX];
	unsigned i = 0;

	ww_jsonw_u64(w, "v", 1);
	if (ask->peer.family)
		ww_jsonw_cstr(w, "address", a->what);
	ww_jsonw_array(w, "names");
	for (unsigned n = 0; n < ask->name_count; n++)
		ww_jsonw_cstr(w, NULL, ask->names[n]);
	ww_jsonw_end_array(w);
	ww_wall_rfc3339(ask->at, at);
	ww_jsonw_cstr(w, "at", at);
	ww_jsonw_cstr(w, "agent", ask->agent ? ask->agent->name : NULL);
	ww_jsonw_hex(w, "policy", ww_slice(ask->policy->digest.b, WW_SHA256_LEN));
	if (ask->tables) {
		struct ww_sha256 tables = ww_tables_digest(ask->tables);

		ww_jsonw_hex(w, "tables", ww_slice(tables.b, WW_SHA256_LEN));
	}
	ww_policy_write_host(ask->policy, w);
	ww_jsonw_array(w, "findings");
	while ((finding = ww_placement_finding(a->p.findings, &i)) != NULL)
		ww_jsonw_cstr(w, NULL, finding);
	ww_jsonw_end_array(w);
	if (ask->agent)
		ww_jsonw_cstr(w, "onUnlisted", ww_policy_unlisted_name(ask->agent->on_unlisted));
	ww_jsonw_object(w, "place");
	ww_placement_write(&a->p, w);
	ww_jsonw_end_object(w);
}

static int show_json(const struct answer *a)
{
	WW_AUTO_BUF struct ww_buf b;
	struct ww_jsonw w;

	ww_buf_init(&b, JSON_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	write_answer(a, &w);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w))
		return ww_log_err_r(w.err, "cannot write the answer");
	(void)ww_terminal_line(ww_buf_slice(&b)); /* a reader that went away has what it wanted */
	return 0;
}

/* --- text ---------------------------------------------------------------------------------------
 */

static const struct ww_table_column columns[] = {
	{"REGION", 32, false},  {"IN", 0, false},    {"OPERATOR", 32, false}, {"HOME", 32, false},
	{"SERVICE", 32, false}, {"BASIS", 0, false}, {"BY", 0, false},        {"TABLE", 0, false},
	{"AS OF", 0, false},    {"", 0, false},
};

static void put_text(void *ctx, struct ww_slice lines)
{
	fwrite(lines.p, 1, lines.n, stdout);
}

static int cell(struct ww_table *t, struct ww_slice text)
{
	WW_AUTO_BUF struct ww_buf b;
	int r;

	ww_buf_init(&b, 4096);
	r = ww_printable_add(&b, text);
	return r < 0 ? r : ww_table_cell(t, ww_buf_slice(&b), "");
}

static int show_label(struct ww_table *t, const struct ww_policy *p,
		      const struct ww_placement_label *l)
{
	const char *cells[] = {
		l->home ? l->home : "",
		NULL,
		ww_tables_basis_name(l->basis),
		l->by_name ? "name" : "address",
		l->table->name,
		l->table->as_of,
		l->impossible ? "impossible: farther than light goes"
		: l->expired  ? "expired"
		: l->early    ? "not valid yet"
			      : "",
	};
	int r = cell(t, l->region);

	if (r == 0)
		r = cell(t, ww_slice_str(l->in == WW_POLICY_NONE ? "" : p->regions[l->in].name));
	if (r == 0)
		r = cell(t, l->operator_name);
	for (unsigned i = 0; r == 0 && i < WW_ARRAY_SIZE(cells); i++)
		r = cell(t, cells[i] ? ww_slice_str(cells[i]) : l->service);
	return r;
}

static int show_labels(const struct answer *a)
{
	WW_AUTO(ww_table_free_auto) struct ww_table *table = NULL;
	int r = 0;

	if (a->p.label_count)
		r = ww_table_new(columns, WW_ARRAY_SIZE(columns), ww_terminal_width(), put_text,
				 NULL, &table);
	for (unsigned i = 0; r == 0 && i < a->p.label_count; i++)
		r = show_label(table, a->s->ask.policy, &a->p.labels[i]);
	if (r == 0 && table)
		r = ww_table_end(table);
	if (a->p.labels_total > a->p.label_count)
		printf("and %llu more\n",
		       (unsigned long long)(a->p.labels_total - a->p.label_count));
	return r < 0 ? ww_log_err_r(r, "cannot show the labels") : 0;
}

/* Kilometres with one decimal, rounded up. */
static void print_km(uint64_t m)
{
	uint64_t hm = (m + 99) / 100;

	printf("%llu.%llu km", (unsigned long long)(hm / 10), (unsigned long long)(hm % 10));
}

static void show_bound(const struct ww_policy *p, const char *who,
		       const struct ww_placement_bound *b)
{
	const char *before = "; excluded: ";

	if (!b->rtt_us)
		return;
	printf("%s answered within %u us: at most ", who, b->rtt_us);
	print_km(b->hard_m);
	printf(" away (");
	print_km(b->fibre_m);
	printf(" assuming ordinary fibre)");
	for (unsigned i = 0; i < p->area_count; i++) {
		if (!(b->excluded & 1ull << i))
			continue;
		printf("%s%s", before, p->areas[i].name);
		before = ", ";
	}
	printf("\n");
}

static void show_standing(const struct answer *a)
{
	const struct ww_policy_agent *agent = a->s->ask.agent;
	const char *finding;
	unsigned i = 0;

	if (a->p.local)
		printf("loopback, private or not of one host%s\n",
		       a->p.labels_total ? ": a table declares this network" : "");
	if (agent)
		printf("agent %s: region %s, home %s\n", agent->name, ww_standing_name(a->p.region),
		       ww_standing_name(a->p.home));
	while ((finding = ww_placement_finding(a->p.findings, &i)) != NULL)
		printf("finding: %s\n", finding);
}

static int show_text(const struct answer *a)
{
	const struct ww_policy *p = a->s->ask.policy;
	char at[WW_RFC3339_MAX], host[WW_POLICY_HOST_TEXT_MAX];

	ww_policy_host_text(p, host);
	ww_wall_rfc3339(a->s->ask.at, at);
	at[19] = '\0';
	printf("%s at %sZ: %s\n", a->what, at,
	       a->p.labels_total   ? "listed, not measured"
	       : !a->s->ask.tables ? "nothing is asked for what is listed: --tables DIR"
				   : "not listed");
	show_standing(a);
	if (show_labels(a) < 0)
		return -1;
	if (p->host.line && a->p.no_bound == NULL)
		printf("this host: %s (%s)\n", host, p->host.source);
	show_bound(p, "who ended TCP", &a->p.tcp);
	show_bound(p, "the holder of the certificate's key", &a->p.key_holder);
	return 0;
}

int ww_policy_show(struct ww_policy_show *s, const char *what)
{
	struct answer a = {.s = s, .what = what};
	struct ww_placement_ask *ask = &s->ask;
	int r = take_what(s, what);

	if (r)
		return r;
	if (s->agent) {
		ask->agent = ww_policy_agent_named(ask->policy, ww_slice_str(s->agent));
		if (!ask->agent) {
			ww_log(WW_LOG_ERR, "the policy has no agent %s: its `agents` name them",
			       s->agent);
			return WW_EXIT_USAGE;
		}
	}
	ask->rtt_counts = true;
	ww_placement_of(ask, &a.p);
	r = s->json ? show_json(&a) : show_text(&a);
	if (r < 0)
		return WW_EXIT_UNABLE;
	return a.p.findings ? WW_EXIT_NO : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger record of a lookup. */
#include <arpa/inet.h>

#include "base/encode.h"
#include "proto/lookup.h"

/* No answer is added to so many: one has two names of at most 1,275 bytes as JSON. */
#define ANSWERS_BYTES_MAX (WW_RECORD_BYTES_MAX / 2)

void ww_lookup_id(uint64_t cookie, uint64_t serial, char *out)
{
	out = ww_put_text(ww_put_hex(ww_put_text(out, "n-"), cookie), "-");
	ww_put_dec(out, serial);
}

static void write_name(struct ww_jsonw *w, const char *key, const struct ww_dns_name *name)
{
	char text[WW_DNS_TEXT_MAX];

	ww_dns_name_text(ww_slice(name->bytes, name->n), text);
	ww_jsonw_cstr(w, key, text);
}

static void write_type(struct ww_jsonw *w, uint16_t type)
{
	char text[WW_DNS_WORD_MAX];

	ww_dns_type_text(type, text);
	ww_jsonw_cstr(w, "type", text);
}

static void write_address(struct ww_jsonw *w, const char *key, const struct ww_dns_address *a)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->bytes, text, sizeof(text));
	ww_jsonw_cstr(w, key, text);
}

static void write_binding(struct ww_jsonw *w, const struct ww_dns_record *rr)
{
	ww_jsonw_u64(w, "priority", rr->priority);
	write_name(w, "target", &rr->target);
	if (rr->alpn[0])
		ww_jsonw_cstr(w, "alpn", rr->alpn);
	ww_jsonw_bool(w, "ech", rr->ech);
	ww_jsonw_array(w, "hints");
	for (unsigned i = 0; i < rr->addresses; i++)
		write_address(w, NULL, &rr->address[i]);
	ww_jsonw_end_array(w);
	if (rr->more)
		ww_jsonw_bool(w, "moreHints", true);
}

static void write_answer(struct ww_jsonw *w, const struct ww_dns_record *rr)
{
	ww_jsonw_object(w, NULL);
	write_name(w, "name", &rr->name);
	write_type(w, rr->type);
	ww_jsonw_u64(w, "ttl", rr->ttl);
	switch (rr->type) {
	case WW_DNS_A:
	case WW_DNS_AAAA:
		write_address(w, "address", &rr->address[0]);
		break;
	case WW_DNS_CNAME:
		write_name(w, "target", &rr->target);
		break;
	default:
		write_binding(w, rr);
		break;
	}
	ww_jsonw_end_object(w);
}

static void write_message(struct ww_jsonw *w, const struct ww_dns *m)
{
	char text[WW_DNS_WORD_MAX];
	unsigned i = 0;

	ww_dns_rcode_text(m->rcode, text);
	ww_jsonw_cstr(w, "rcode", text);
	ww_jsonw_bool(w, "truncated", m->truncated);
	if (m->edns)
		ww_jsonw_u64(w, "ednsBytes", m->edns_bytes);
	ww_jsonw_array(w, "answers");
	for (; i < m->records && w->out->n < ANSWERS_BYTES_MAX; i++)
		write_answer(w, &m->record[i]);
	ww_jsonw_end_array(w);
	if (m->others)
		ww_jsonw_u64(w, "others", m->others);
	if (m->more || i < m->records)
		ww_jsonw_bool(w, "more", true);
}

void ww_lookup_write(const struct ww_lookup *l, const struct ww_clock_map *clock,
		     struct ww_jsonw *w)
{
	static const char *const ends[] = {
#define END_TEXT(n, t) t,
		WW_LOOKUP_ENDS(END_TEXT)
#undef END_TEXT
	};
	char id[WW_LOOKUP_ID_MAX], text[WW_ENDPOINT_TEXT_MAX], when[WW_RFC3339_MAX];

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "lookup");
	ww_lookup_id(l->cookie, l->serial, id);
	ww_jsonw_cstr(w, "id", id);
	ww_wall_rfc3339(ww_clock_wall(clock, l->asked), when);
	ww_jsonw_cstr(w, "t", when);
	ww_flow_id(l->cookie, id);
	ww_jsonw_cstr(w, "flow", id);
	ww_actor_id(l->actor, id);
	ww_jsonw_cstr(w, "actor", id);
	ww_jsonw_id64(w, "cgroup", l->cgroup);
	ww_jsonw_cstr(w, "proto", l->proto == 6 ? "tcp" : "udp");
	ww_endpoint_text(&l->server, text);
	ww_jsonw_cstr(w, "server", text);
	write_name(w, "name", &l->name);
	write_type(w, l->type);
	ww_jsonw_cstr(w, "end", ends[l->end]);
	ww_jsonw_u64(w, "asks", l->asks);
	ww_jsonw_u64(w, "askedBootNs", l->asked.ns);
	if (l->answer) {
		ww_jsonw_u64(w, "answeredBootNs", l->answered.ns);
		write_message(w, l->answer);
	}
	if (l->unmatched)
		ww_jsonw_u64(w, "unmatched", l->unmatched);
	if (l->unread)
		ww_jsonw_u64(w, "unread", l->unread);
	ww_jsonw_end_object(w);
}

void ww_lookup_write_counts(const struct ww_lookup_counts *c, struct ww_jsonw *w)
{
	bool read = c->queries || c->answers || c->unmatched;

	ww_jsonw_object(w, "carries");
	ww_jsonw_cstr(w, "protocol", read ? "dns" : NULL);
	ww_jsonw_u64(w, "queries", c->queries);
	ww_jsonw_u64(w, "answers", c->answers);
	ww_jsonw_u64(w, "unmatched", c->unmatched);
	ww_jsonw_u64(w, "unread", c->unread);
	ww_jsonw_end_object(w);
}

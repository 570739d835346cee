/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger record of a flow. */
#include <netinet/in.h>
#include <stdio.h>

#include "base/encode.h"
#include "flow/certificate.h"
#include "flow/flow.h"
#include "flow/key_holder.h"
#include "flow/quic.h"
#include "policy/where.h"

void ww_flow_id(uint64_t cookie, char *out)
{
	ww_put_hex(ww_put_text(out, "f-"), cookie);
}

static const char *const how_names[] = {
	[WW_CLOSE_OPEN] = "open",         [WW_CLOSE_FIN_LOCAL] = "fin-local",
	[WW_CLOSE_FIN_PEER] = "fin-peer", [WW_CLOSE_RST_LOCAL] = "rst-local",
	[WW_CLOSE_RST_PEER] = "rst-peer", [WW_CLOSE_TIMEOUT] = "timeout",
	[WW_CLOSE_REFUSED] = "refused",   [WW_CLOSE_UNKNOWN] = "unknown",
};

static const char *const role_names[] = {"unknown", "connect", "accept", "send"};
static const char *const bind_names[] = {"unbound", "random", "record", "descriptor"};

static const char *name_of(const char *const *names, size_t count, unsigned i)
{
	return i < count ? names[i] : "unknown";
}

static void write_account(const struct ww_account *a, const char *key, struct ww_jsonw *w)
{
	ww_jsonw_object(w, key);
	ww_jsonw_u64(w, "payload", a->payload);
	ww_jsonw_u64(w, "handshake", a->handshake);
	ww_jsonw_u64(w, "tickets", a->tickets);
	ww_jsonw_u64(w, "explained", a->explained);
	ww_jsonw_u64(w, "captured", a->captured);
	ww_jsonw_u64(w, "overhead", a->overhead);
	if (a->overhead_max != a->overhead)
		ww_jsonw_u64(w, "overheadMax", a->overhead_max);
	ww_jsonw_i64(w, "remainder", a->remainder);
	ww_jsonw_bool(w, "checked", a->checked);
	ww_jsonw_end_object(w);
}

/* What a ClientHello said. What is absent is known to be only where it was read to its end. */
static void write_hello(const struct ww_tls_facts *facts, struct ww_jsonw *w)
{
	bool whole = facts->client_hello && !facts->client_cut;

	ww_jsonw_cstr(w, "sni", facts->sni[0] ? facts->sni : NULL);
	ww_jsonw_cstr(w, "alpn", facts->alpn[0] ? facts->alpn : NULL);
	if (facts->ech || whole)
		ww_jsonw_bool(w, "ech", facts->ech);
	else
		ww_jsonw_null(w, "ech");
	ww_jsonw_bool(w, "helloWhole", whole);
}

static void write_version(const char *key, uint32_t version, struct ww_jsonw *w)
{
	char hex[11];

	snprintf(hex, sizeof(hex), "0x%08x", version);
	ww_jsonw_cstr(w, key, version ? hex : NULL);
}

static void write_connection(const struct ww_quic_connection *c, struct ww_jsonw *w)
{
	char text[WW_ENDPOINT_TEXT_MAX];

	ww_jsonw_object(w, NULL);
	ww_endpoint_text(&c->peer, text);
	ww_jsonw_cstr(w, "peer", text);
	write_version("version", c->version, w);
	if (c->version_first != c->version)
		write_version("versionFirst", c->version_first, w);
	write_hello(&c->facts, w);
	ww_jsonw_u64(w, "alpnOffered", c->facts.alpn_offered);
	ww_jsonw_bool(w, "retried", c->retried);
	ww_jsonw_u64(w, "earlyPackets", c->early);
	if (c->why)
		ww_jsonw_cstr(w, "why", c->why);
	ww_jsonw_end_object(w);
}

/* What all connections of the socket say alike. */
static struct ww_tls_facts in_common(const struct ww_quic *q, uint32_t *ret_version)
{
	struct ww_tls_facts all = q->first->facts;

	*ret_version = q->first->version;
	for (const struct ww_quic_connection *c = q->first->next; c; c = c->next) {
		const struct ww_tls_facts *facts = &c->facts;

		if (strcmp(all.sni, facts->sni) != 0)
			all.sni[0] = '\0';
		if (strcmp(all.alpn, facts->alpn) != 0)
			all.alpn[0] = '\0';
		if (all.ech != facts->ech)
			all.ech = false, all.client_cut = true;
		all.client_cut |= facts->client_cut;
		all.client_hello &= facts->client_hello;
		if (c->version != *ret_version)
			*ret_version = 0;
	}
	return all;
}

static void write_quic(const struct ww_flow *f, struct ww_jsonw *w)
{
	const struct ww_quic *q = f->quic;
	struct ww_tls_facts all;
	uint32_t version;

	if (!q || !q->first) /* nothing opened: it is not called QUIC */
		return;
	all = in_common(q, &version);
	ww_jsonw_object(w, "quic");
	ww_jsonw_bool(w, "client", !q->served);
	write_version("version", version, w);
	write_hello(&all, w);
	ww_jsonw_array(w, "connections");
	for (const struct ww_quic_connection *c = q->first; c; c = c->next)
		write_connection(c, w);
	ww_jsonw_end_array(w);
	ww_jsonw_u64(w, "unread", q->unread);
	ww_jsonw_bool(w, "more",
		      q->more ||
			      f->packets[q->served ? WW_DIR_IN : WW_DIR_OUT] > WW_QUIC_LOOKED_MAX);
	ww_jsonw_end_object(w);
}

static void write_certificate(const struct ww_certificate *c, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "certificate");
	ww_jsonw_hex(w, "sha256", ww_slice(c->digest.b, sizeof(c->digest.b)));
	ww_jsonw_array(w, "names");
	for (unsigned i = 0; i < c->name_count; i++)
		ww_jsonw_cstr(w, NULL, c->names[i]);
	ww_jsonw_end_array(w);
	if (c->more)
		ww_jsonw_bool(w, "more", true);
	if (c->unreadable)
		ww_jsonw_bool(w, "unreadable", true);
	ww_jsonw_end_object(w);
}

static void write_tls(const struct ww_flow *f, struct ww_jsonw *w)
{
	char hex[8];

	ww_jsonw_object(w, "tls");
	snprintf(hex, sizeof(hex), "0x%04x", f->tls_facts.version);
	ww_jsonw_cstr(w, "version", f->tls_facts.version ? hex : NULL);
	snprintf(hex, sizeof(hex), "0x%04x", f->tls_facts.cipher);
	ww_jsonw_cstr(w, "cipher", f->tls_facts.cipher ? hex : NULL);
	write_hello(&f->tls_facts, w);
	ww_jsonw_cstr(w, "bind", name_of(bind_names, WW_ARRAY_SIZE(bind_names), f->bind));
	if (f->key_holder_us) {
		ww_jsonw_u64(w, "keyHolderUs", f->key_holder_us);
	} else {
		ww_jsonw_null(w, "keyHolderUs");
		ww_jsonw_cstr(w, "keyHolderWhy",
			      ww_key_holder_why_name((enum ww_holder_why)f->key_holder_why));
	}
	if (f->certificate)
		write_certificate(f->certificate, w);
	ww_jsonw_end_object(w);
}

static void write_channel(const struct ww_channel *c, struct ww_jsonw *w)
{
	char id[WW_ACTOR_ID_MAX];

	ww_jsonw_object(w, "channel");
	ww_jsonw_cstr(w, "program", c->program);
	ww_actor_id(c->server, id);
	ww_jsonw_cstr(w, "server", id);
	ww_jsonw_bool(w, "read", !c->opaque);
	ww_jsonw_u64(w, "seenSinceBootNs", c->since.ns);
	if (c->rings)
		ww_jsonw_bool(w, "rings", true);
	if (c->forked)
		ww_jsonw_bool(w, "forked", true);
	if (c->strange)
		ww_jsonw_bool(w, "strange", true);
	if (c->opaque)
		ww_jsonw_cstr(w, "why", c->why);
	ww_jsonw_end_object(w);
}

static void write_kernel(const struct ww_flow *f, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "kernel");
	ww_jsonw_u64(w, "bytesSent", f->bytes_sent);
	ww_jsonw_u64(w, "bytesAcked", f->bytes_acked);
	ww_jsonw_u64(w, "bytesReceived", f->bytes_received);
	ww_jsonw_u64(w, "bytesRetransmitted", f->bytes_retrans);
	ww_jsonw_u64(w, "minRttUs", f->rtt_min_us);
	ww_jsonw_u64(w, "smoothedRttUs", f->srtt_us);
	if (!f->channel && f->ip_proto != IPPROTO_TCP) {
		ww_jsonw_u64(w, "datagramsSent", f->packets[WW_DIR_OUT]);
		ww_jsonw_u64(w, "datagramsReceived", f->packets[WW_DIR_IN]);
	}
	ww_jsonw_end_object(w);
}

void ww_flow_write(const struct ww_flow *f, const struct ww_clock_map *clock,
		   const struct ww_tables *tables, struct ww_jsonw *w)
{
	char id[WW_ACTOR_ID_MAX], text[WW_ENDPOINT_TEXT_MAX], when[WW_RFC3339_MAX];

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "flow");
	ww_flow_id(f->cookie, id);
	ww_jsonw_cstr(w, "id", id);
	ww_wall_rfc3339(ww_clock_wall(clock, f->t_open), when);
	ww_jsonw_cstr(w, "t", when);
	ww_actor_id(f->owner, id);
	ww_jsonw_cstr(w, "actor", id);
	ww_jsonw_id64(w, "cgroup", f->cgroup);
	ww_jsonw_cstr(w, "proto",
		      f->channel                   ? "stdio"
		      : f->ip_proto == IPPROTO_TCP ? "tcp"
		      : f->ip_proto == IPPROTO_UDP ? "udp"
						   : "other");
	ww_jsonw_u64(w, "protoNumber", f->ip_proto);
	ww_jsonw_cstr(w, "role", name_of(role_names, WW_ARRAY_SIZE(role_names), f->role));
	ww_endpoint_text(&f->local, text);
	ww_jsonw_cstr(w, "local", text);
	ww_endpoint_text(&f->peer, text);
	ww_jsonw_cstr(w, "peer", text);
	ww_jsonw_u64(w, "openBootNs", f->t_open.ns);
	ww_jsonw_u64(w, "establishedBootNs", f->t_established.ns);
	ww_jsonw_u64(w, "closeBootNs", f->t_close.ns);
	ww_jsonw_cstr(w, "close", name_of(how_names, WW_ARRAY_SIZE(how_names), f->how));
	ww_jsonw_bool(w, "seenBirth", f->seen_birth);
	ww_jsonw_u64(w, "ownerChanges", f->owner_changes);
	if (f->channel)
		write_channel(f->channel, w);
	write_kernel(f, w);
	if (f->tls)
		write_tls(f, w);
	write_quic(f, w);
	ww_jsonw_object(w, "account");
	write_account(&f->account[WW_DIR_OUT], "out", w);
	write_account(&f->account[WW_DIR_IN], "in", w);
	ww_jsonw_end_object(w);
	ww_jsonw_u64(w, "lostOut", f->lost_bytes[WW_DIR_OUT]);
	ww_jsonw_u64(w, "lostIn", f->lost_bytes[WW_DIR_IN]);
	ww_jsonw_u64(w, "exchanges", f->exchanges);
	if (tables && !f->channel)
		ww_where_write(tables, &f->peer, ww_clock_wall(clock, f->t_open), w);
}

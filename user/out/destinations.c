/* SPDX-License-Identifier: Apache-2.0 */
#include "out/destinations.h"

#include <errno.h>

#include <wirewitness/limits.h>

#include "base/clock.h"
#include "out/member.h"

#define PEER_MAX  128u
#define NAME_MAX  256u
#define WHERE_MAX 256u

struct destination {
	char peer[PEER_MAX], proto[16], name[NAME_MAX];
	char listed[WHERE_MAX]; /* as the newest of its flows has it */
	char first[WW_RFC3339_MAX], last[WW_RFC3339_MAX];
	uint64_t flows, sent, received, last_close_ns;
};

struct ww_destinations {
	size_t count;
	uint64_t beyond; /* flows to destinations that found no room */
	struct destination *list;
};

int ww_destinations_new(struct ww_destinations **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void ww_destinations_free(struct ww_destinations *d)
{
	if (!d)
		return;
	free(d->list);
	free(d);
}

/* Decoded; too long is cut, also where memory is short. */
static void copy(const struct ww_json_token *v, char *out, size_t cap)
{
	WW_AUTO_BUF struct ww_buf text = {0};
	struct ww_slice s = ww_member_has(v) ? v->raw : WW_SLICE_NULL;

	ww_buf_init(&text, WW_RECORD_BYTES_MAX);
	if (s.n && v->escaped)
		s = ww_json_unescape(v, &text) == 0 ? ww_buf_slice(&text) : WW_SLICE_NULL;
	s = ww_slice_sub(s, 0, cap - 1);
	s.n = s.n ? strnlen((const char *)s.p, s.n) : 0;
	if (s.n)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static int by_name(const void *a, const void *b)
{
	const struct destination *x = a, *y = b;
	int r = strcmp(x->peer, y->peer);

	if (r == 0)
		r = strcmp(x->proto, y->proto);
	return r ? r : strcmp(x->name, y->name);
}

/* Kept in order, so that finding is quick and writing gives the same bytes whatever came first. */
static int find(struct ww_destinations *d, const struct destination *key, struct destination **ret)
{
	size_t from = 0, to = d->count;

	while (from < to) {
		size_t middle = (from + to) / 2;
		int r = by_name(key, &d->list[middle]);

		if (r == 0) {
			*ret = &d->list[middle];
			return 0;
		}
		if (r < 0)
			to = middle;
		else
			from = middle + 1;
	}
	*ret = NULL;
	if (d->count == WW_DESTINATIONS_MAX)
		return 0;
	if ((d->count & (d->count - 1)) == 0) { /* full at every power of two */
		size_t cap = d->count ? 2 * d->count : 1;
		void *more = realloc(d->list, cap * sizeof(*d->list));

		if (!more)
			return -ENOMEM;
		d->list = more;
	}
	memmove(&d->list[from + 1], &d->list[from], (d->count - from) * sizeof(*d->list));
	d->list[from] = *key;
	d->count++;
	*ret = &d->list[from];
	return 0;
}

int ww_destinations_add(struct ww_destinations *d, struct ww_slice record)
{
	enum { PEER, PROTO, SNI, QUIC_SNI, T, SENT, RECEIVED, OUT, IN, CLOSE, WHERE, N };
	static const struct ww_slice paths[N] = {
		[PEER] = WW_SLICE_LIT("peer"),
		[PROTO] = WW_SLICE_LIT("proto"),
		[SNI] = WW_SLICE_LIT("tls.sni"),
		[QUIC_SNI] = WW_SLICE_LIT("quic.sni"),
		[T] = WW_SLICE_LIT("t"),
		[SENT] = WW_SLICE_LIT("kernel.bytesSent"),
		[RECEIVED] = WW_SLICE_LIT("kernel.bytesReceived"),
		[OUT] = WW_SLICE_LIT("account.out.payload"),
		[IN] = WW_SLICE_LIT("account.in.payload"),
		[CLOSE] = WW_SLICE_LIT("closeBootNs"),
		[WHERE] = WW_SLICE_LIT("where.summary"),
	};
	struct destination key = {0}, *to;
	struct ww_json_token v[N];
	char t[WW_RFC3339_MAX];
	uint64_t closed;
	int r;

	ww_member_pick(record, paths, N, v);
	copy(&v[PEER], key.peer, sizeof(key.peer));
	copy(&v[PROTO], key.proto, sizeof(key.proto));
	copy(&v[ww_member_has(&v[SNI]) ? SNI : QUIC_SNI], key.name, sizeof(key.name));
	copy(&v[T], t, sizeof(t));
	r = find(d, &key, &to);
	if (r < 0)
		return r;
	if (!to) {
		d->beyond++;
		return 0;
	}
	closed = ww_member_u64(&v[CLOSE], 0);
	to->flows++;
	if (ww_member_has(&v[WHERE]))
		copy(&v[WHERE], to->listed, sizeof(to->listed));
	to->sent += ww_member_u64(&v[SENT], ww_member_u64(&v[OUT], 0));
	to->received += ww_member_u64(&v[RECEIVED], ww_member_u64(&v[IN], 0));
	if (to->first[0] == '\0' || strcmp(t, to->first) < 0)
		memcpy(to->first, t, sizeof(t));
	if (strcmp(t, to->last) > 0)
		memcpy(to->last, t, sizeof(t));
	if (closed > to->last_close_ns)
		to->last_close_ns = closed;
	return 0;
}

/* "203.0.113.7:443", "[2001:db8::1]:443". */
static void write_address(struct ww_jsonw *w, const char *peer)
{
	const char *colon = strrchr(peer, ':');
	size_t n = colon ? (size_t)(colon - peer) : strlen(peer);
	uint64_t port;

	ww_jsonw_str(w, "address",
		     peer[0] == '[' && n > 2 ? ww_slice(peer + 1, n - 2) : ww_slice(peer, n));
	if (colon && ww_slice_u64(ww_slice_str(colon + 1), &port) == 0)
		ww_jsonw_u64(w, "port", port);
	else
		ww_jsonw_null(w, "port");
}

void ww_destinations_write(struct ww_destinations *d, struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "basis", "the flows that the shown verdicts rest on");
	ww_jsonw_cstr(w, "certificates",
		      "not listed: TLS 1.3 encrypts them, one that was sent in clear stands in its "
		      "flow's "
		      "record");
	ww_jsonw_u64(w, "flowsBeyondList", d->beyond);
	ww_jsonw_array(w, "list");
	for (size_t i = 0; i < d->count; i++) {
		const struct destination *x = &d->list[i];

		ww_jsonw_object(w, NULL);
		write_address(w, x->peer);
		ww_jsonw_cstr(w, "proto", x->proto);
		ww_jsonw_object(w, "quoted");
		ww_jsonw_cstr(w, "sni", x->name[0] ? x->name : NULL);
		if (x->listed[0])
			ww_jsonw_cstr(w, "listed", x->listed);
		ww_jsonw_end_object(w);
		ww_jsonw_u64(w, "flows", x->flows);
		ww_jsonw_u64(w, "bytesSent", x->sent);
		ww_jsonw_u64(w, "bytesReceived", x->received);
		ww_jsonw_cstr(w, "firstOpened", x->first);
		ww_jsonw_cstr(w, "lastOpened", x->last);
		if (x->last_close_ns)
			ww_jsonw_u64(w, "lastCloseBootNs", x->last_close_ns);
		else
			ww_jsonw_null(w, "lastCloseBootNs");
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

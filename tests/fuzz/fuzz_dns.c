/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS: packets of sockets to a name server, and what is made of them. Input: packets, each a byte
 * that says how it came (1 in, 2 TCP, 4 another socket, 8 the rest is not captured, 16 time passes
 * after it, 32 an event was lost before it), its length (16 bits, big endian) and so many bytes;
 * TCP's are one stream per direction and socket. A message that can be read can be read up to every
 * cut, and its parts are within their ceilings; every question ends once; an answer gives no more
 * than it holds; records are JSON.
 */
#include <assert.h>

#include <wirewitness/limits.h>

#include "base/cursor.h"
#include "base/json.h"
#include "proto/named.h"

#include "../lib/whole_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SOCKETS 2u
#define CGROUP  77u

struct run {
	struct ww_lookups *lookups;
	struct ww_named *named;
	uint64_t ended;
	uint64_t stream[SOCKETS][2]; /* bytes so far */
	uint32_t number[SOCKETS][2];
	struct ww_boot now;
};

static struct ww_dns m;

static void check_name(const struct ww_dns_name *name)
{
	char text[WW_DNS_TEXT_MAX];

	assert(name->n >= 1 && name->bytes[name->n - 1] == 0);
	ww_dns_name_text(ww_slice(name->bytes, name->n), text);
	assert(strlen(text) >= 1);
	for (unsigned i = 0; i < name->n; i++)
		assert(name->bytes[i] < 'A' || name->bytes[i] > 'Z');
}

/* What can be read is within its ceilings, and a part of it is a gap or the whole. */
static void check_message(struct ww_slice in)
{
	struct ww_parse_error error = {0};
	enum ww_parse r = ww_dns_parse(in, in.n, &m, &error);
	bool truncated;

	assert(r == WW_PARSE_DONE || (r == WW_PARSE_BAD && error.at <= in.n && error.reason));
	if (r == WW_PARSE_BAD)
		return;
	assert(m.records <= WW_DNS_RECORDS_MAX);
	if (m.questions)
		check_name(&m.name);
	for (unsigned i = 0; i < m.records; i++) {
		const struct ww_dns_record *rr = &m.record[i];

		check_name(&rr->name);
		assert(rr->addresses <= WW_DNS_HINTS_MAX && rr->ttl <= INT32_MAX);
		assert(memchr(rr->alpn, '\0', sizeof(rr->alpn)));
		if (rr->type == WW_DNS_A || rr->type == WW_DNS_AAAA)
			assert(rr->addresses == 1 && rr->address[0].v6 == (rr->type != WW_DNS_A));
		else
			check_name(&rr->target);
	}
	truncated = m.truncated;
	for (size_t n = 0; n < in.n; n += 1 + n / 16) {
		r = ww_dns_parse(ww_slice_sub(in, 0, n), in.n, &m, &error);
		assert(r == WW_PARSE_GAP || r == WW_PARSE_DONE);
		assert(r == WW_PARSE_GAP || !truncated || n >= WW_DNS_HEAD_BYTES);
	}
}

static void connect_to(struct run *run, const struct ww_dns_address *a, uint32_t pid)
{
	struct ww_flow f = {.cgroup = CGROUP, .owner = {.pid = pid, .start_ns = pid}};
	WW_AUTO_BUF struct ww_buf b;
	struct ww_jsonw w;

	f.peer.family = a->v6 ? 10 : 2;
	memcpy(f.peer.addr, a->bytes, sizeof(a->bytes));
	if (ww_named_connect(run->named, &f, run->now) < 0)
		abort();
	ww_buf_init(&b, WW_RECORD_BYTES_MAX / 2);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_named_write(&f, &w);
	ww_jsonw_end_object(&w);
	assert(ww_jsonw_ok(&w));
	assert(whole_json(ww_buf_slice(&b)));
	ww_named_release(&f);
}

static void done(void *ctx, const struct ww_lookup *l)
{
	struct run *run = ctx;
	struct ww_clock_map clock = {0};
	WW_AUTO_BUF struct ww_buf b;
	struct ww_jsonw w;

	run->ended++;
	assert((l->end == WW_LOOKUP_ANSWERED) == (l->answer != NULL) && l->asks > 0);
	assert(!l->answer || l->answered.ns >= l->asked.ns);
	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_lookup_write(l, &clock, &w);
	assert(ww_jsonw_ok(&w));
	assert(whole_json(ww_buf_slice(&b)));
	if (!l->answer)
		return;
	if (ww_named_answer(run->named, l) < 0)
		abort();
	for (unsigned i = 0; i < l->answer->records; i++)
		for (unsigned k = 0; k < l->answer->record[i].addresses; k++) {
			connect_to(run, &l->answer->record[i].address[k], l->actor.pid);
			connect_to(run, &l->answer->record[i].address[k], 9999);
		}
}

static void unread(void *ctx, uint64_t cgroup)
{
	if (ww_named_unread(((struct run *)ctx)->named, cgroup) < 0)
		abort();
}

static void feed(struct run *run, uint8_t how, struct ww_slice bytes)
{
	unsigned socket = how >> 2 & 1, dir = how & 1;
	size_t captured = how & 8 ? bytes.n / 2 : bytes.n;
	struct ww_event_packet *ev = calloc(1, sizeof(*ev) + captured);

	if (!ev)
		abort();
	ev->h = (struct ww_event){.version = WW_EVENT_VERSION,
				  .kind = WW_EVENT_PACKET,
				  .size = (uint32_t)(sizeof(*ev) + captured),
				  .time_ns = ++run->now.ns,
				  .actor = {.pid = 5 + socket, .start_ns = 5 + socket},
				  .cgroup = CGROUP,
				  .cookie = 100 + socket};
	ev->peer = (struct ww_endpoint){.addr = {10, 0, 0, 53}, .family = 2, .port = 53};
	ev->payload_bytes = (uint32_t)bytes.n;
	ev->captured = (uint32_t)captured;
	ev->dir = (uint8_t)dir;
	ev->what = WW_PACKET_DNS;
	ev->proto = how & 2 ? 6 : 17;
	run->number[socket][dir] += how >> 5 & 1;
	ev->number = run->number[socket][dir]++;
	memcpy(ev->bytes, bytes.p, captured);
	if (how & 2) {
		ev->offset = run->stream[socket][dir];
		run->stream[socket][dir] += bytes.n;
	} else {
		check_message(ww_slice(ev->bytes, captured));
	}
	if (ww_lookups_feed(run->lookups, &ev->h) < 0)
		abort();
	free(ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ww_lookup_ops ops = {done, unread};
	struct ww_cursor c = ww_cursor(ww_slice(data, size));
	struct ww_lookup_counts counts, sum = {0};
	struct run run = {0};

	if (size > 65536 || ww_named_new(&run.named) < 0)
		return 0;
	if (ww_lookups_new(&ops, &run, &run.lookups) < 0)
		abort();
	while (ww_cursor_left(&c) > 3) {
		uint8_t how = ww_cursor_u8(&c);
		size_t n = ww_cursor_be16(&c);

		n = n < ww_cursor_left(&c) ? n : ww_cursor_left(&c);
		feed(&run, how, ww_cursor_take(&c, n));
		if (how & 16) {
			run.now.ns += WW_LOOKUP_WAIT_NS;
			ww_lookups_tick(run.lookups, run.now);
		}
	}
	for (unsigned i = 0; i < SOCKETS; i++)
		if (ww_lookups_closed(run.lookups, 100 + i, &counts)) {
			sum.queries += counts.queries;
			sum.answers += counts.answers;
		}
	assert(run.ended <= sum.queries && sum.answers <= run.ended);
	ww_lookups_free(run.lookups);
	ww_named_free(run.named);
	return 0;
}

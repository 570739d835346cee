/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS connection's hellos and records, as the kernel side tells them. Each step begins with a
 * byte of flags and a 16-bit number (big-endian): a hello of that many bytes, or a record of that
 * length. Hellos are read within their bytes; a time of the key's holder stands only behind two
 * hellos, our own answer and the server's, and is not below the time from the first hello to the
 * server's.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "flow/key_holder.h"
#include "flow/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IN    0x01
#define HELLO 0x02
#define LOST  0x04 /* and this is not told */
#define TYPE  0x70 /* of a record: 20 and this, shifted */
#define LATER 0x80 /* time passes before it */

struct world {
	struct ww_flow flow;
	struct ww_account_dir dirs[2];
	uint16_t index[2];
	uint64_t hello_ns[2];
	uint64_t now;
};

static void hello(struct world *w, struct ww_slice bytes, unsigned dir)
{
	struct ww_tls_facts *facts = &w->flow.tls_facts, before = *facts;
	uint8_t *exact = malloc(bytes.n + 1); /* so that a read beyond it is seen */
	enum ww_parse r;

	memcpy(exact, bytes.p, bytes.n);
	exact = realloc(exact, bytes.n ? bytes.n : 1);
	r = ww_tls_hello_parse(ww_slice(exact, bytes.n), dir == WW_DIR_OUT, facts);
	free(exact);
	assert(r == WW_PARSE_DONE || r == WW_PARSE_MORE || r == WW_PARSE_BAD);
	assert(r != WW_PARSE_BAD || memcmp(&before, facts, sizeof(before)) == 0);
	assert(memchr(facts->sni, '\0', sizeof(facts->sni)));
	assert(memchr(facts->alpn, '\0', sizeof(facts->alpn)));
	assert(facts->session_id_bytes <= sizeof(facts->session_id));
	if (!w->hello_ns[dir])
		w->hello_ns[dir] = w->now;
}

static void record(struct world *w, uint8_t flags, uint32_t bytes, unsigned dir)
{
	struct ww_event_record ev = {.dir = (uint8_t)dir,
				     .type = (uint8_t)(20 + ((flags & TYPE) >> 4) % 5),
				     .bytes = bytes,
				     .index = w->index[dir]++};

	ev.h.time_ns = w->now;
	if (!(flags & LOST))
		ww_account_add_record(&w->dirs[dir], &ev);
}

static void check(const struct world *w)
{
	const struct ww_flow *f = &w->flow;
	const struct ww_account_dir *in = &w->dirs[WW_DIR_IN];
	unsigned later = 0;

	assert((f->key_holder_us == 0) == (f->key_holder_why != WW_HOLDER_NONE));
	assert(f->key_holder_why < WW_HOLDER_WHY_MAX);
	if (!f->key_holder_us)
		return;
	assert(f->tls_facts.client_hello && f->tls_facts.server_hello);
	assert(w->hello_ns[WW_DIR_OUT] && !in->records_lost && !w->dirs[WW_DIR_OUT].records_lost);
	assert(!f->tls_facts.psk || f->tls_facts.version != 0x0304);
	assert(w->dirs[WW_DIR_OUT].record_count > 0 && in->record_count > 1);
	assert(f->key_holder_us * 1000ull >= in->records[0].time_ns - w->hello_ns[WW_DIR_OUT] ||
	       in->records[0].time_ns < w->hello_ns[WW_DIR_OUT]);
	for (unsigned i = 0; i < in->record_count; i++)
		later += in->records[i].time_ns + 999 >
			 w->hello_ns[WW_DIR_OUT] + f->key_holder_us * 1000ull - 1000;
	assert(later > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_cursor c = ww_cursor(ww_slice(data, size));
	struct world w = {.now = 1000};

	w.flow.role = WW_FLOW_CONNECT;
	w.flow.seen_birth = true;
	w.flow.tls = true;
	w.flow.peer = (struct ww_endpoint){{203, 0, 113, 7}, 2, 443, 0};
	while (ww_cursor_left(&c) >= 3) {
		uint8_t flags = ww_cursor_u8(&c);
		uint16_t n = ww_cursor_be16(&c);
		unsigned dir = flags & IN ? WW_DIR_IN : WW_DIR_OUT;
		size_t left = ww_cursor_left(&c);

		w.now += flags & LATER ? 1000003 : 1;
		if (flags & HELLO)
			hello(&w, ww_cursor_take(&c, n < left ? n : left), dir);
		else
			record(&w, flags, n, dir);
		ww_key_holder_settle(&w.flow, w.hello_ns[WW_DIR_OUT], w.dirs, !(flags & LOST));
		check(&w);
	}
	return 0;
}

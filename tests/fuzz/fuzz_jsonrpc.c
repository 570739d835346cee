/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One channel. The input is a list of steps (fuzz_steps.h); a gap may end a line. The very first
 * byte says how the channel ends and whether its begin was seen. The same bytes one at a time must
 * give the same exchanges: a newline is the only boundary there is.
 */
#include "../lib/fuzz_steps.h"

#include "proto/jsonrpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_BYTES_MAX 1024

struct seen {
	struct ww_digest_key key;
	struct ww_buf text; /* everything that later stages see, but times */
	unsigned count;
};

/* Who answers names what was asked. */
static void check_pair(const struct ww_exchange *x)
{
	struct ww_rpc_message asked, answered;

	assert(ww_rpc_message_parse(x->req.data, &asked) == WW_PARSE_DONE || !x->req.whole);
	assert(ww_rpc_message_parse(x->resp.data, &answered) == WW_PARSE_DONE || !x->resp.whole);
	if (!x->req.whole || !x->resp.whole)
		return;
	assert(asked.kind == WW_RPC_REQUEST && answered.kind == WW_RPC_RESPONSE);
	assert(asked.id.n && ww_slice_eq(asked.id, answered.id));
}

static void take(void *ctx, const struct ww_exchange *x)
{
	struct seen *s = ctx;

	s->count++;
	assert(x->client && x->channel && x->status == 0);
	assert(memchr(x->method, '\0', sizeof(x->method)));
	assert(x->req.data.n <= BODY_BYTES_MAX && x->resp.data.n <= BODY_BYTES_MAX);
	if (x->outcome == WW_X_COMPLETE)
		check_pair(x);
	add_exchange(&s->text, x);
}

static void play(struct ww_slice in, size_t piece_max, struct seen *s)
{
	static const uint8_t key[32];
	static const struct ww_proto_ops ops = {.exchange = take};
	struct ww_proto_config cfg = {.body_bytes_max = BODY_BYTES_MAX, .key = &s->key};
	struct ww_cursor c = ww_cursor(in);
	struct ww_channel channel = {0};
	struct ww_flow f = {.cookie = 1, .channel = &channel};
	struct ww_proto *p = NULL;
	struct step step;
	uint64_t at[2] = {0, 0}, held, refused;
	uint8_t first = ww_cursor_u8(&c);

	*s = (struct seen){0};
	ww_digest_key_init(&s->key, key);
	ww_buf_init(&s->text, 64 << 20);
	if (ww_proto_new(&cfg, &ops, s, &p) < 0)
		abort();
	f.how = first % 8;
	f.seen_birth = first & 8;
	while (next_step(&c, &step)) {
		uint64_t n = step.n + 1;

		give_bytes(p, &f, &step, piece_max, &at[step.dir]);
		if (!step.gap)
			continue;
		channel.line[step.dir] = step.marked ? at[step.dir] + n : 0;
		ww_proto_gap(p, &f, step.dir, at[step.dir], n, (struct ww_boot){1});
		at[step.dir] += n;
	}
	ww_proto_closed(p, &f);
	assert(!f.proto && f.exchanges == s->count);
	ww_proto_memory(p, &held, &refused);
	assert(held == 0 && refused == 0);
	ww_proto_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, bytewise;

	if (size > 65536)
		return 0;
	play(ww_slice(data, size), SIZE_MAX, &whole);
	if (size < 8192) {
		play(ww_slice(data, size), 1, &bytewise);
		assert(ww_slice_eq(ww_buf_slice(&whole.text), ww_buf_slice(&bytewise.text)));
		ww_buf_done(&bytewise.text);
	}
	ww_buf_done(&whole.text);
	return 0;
}

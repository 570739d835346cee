/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations between client and server of the official MCP SDK, byte by byte as they went over
 * the connections, against what the SDK itself made of them (tests/golden/mcp/capture.mjs).
 */
#include <errno.h>

#include "action/mcp.h"
#include "base/encode.h"
#include "proto/proto.h"
#include "golden.h"

#define CONNECTIONS_MAX 16u

struct talk {
	struct ww_digest_key key;
	struct ww_buf text; /* what we made of it, in the form of NAME.txt */
	unsigned others;    /* exchanges that are no tool call */
	unsigned unknown;   /* of them, POSTs of which that is not known */
};

static void say_sized(struct talk *t, const char *what, uint64_t bytes, const struct ww_sha256 *d)
{
	char hex[65];

	ww_hex_encode(ww_slice(d->b, sizeof(d->b)), hex);
	say(&t->text, "%s %llu %s\n", what, (unsigned long long)bytes, hex);
}

static void take(void *ctx, const struct ww_exchange *x)
{
	WW_AUTO(ww_mcp_call_free_auto) struct ww_mcp_call *c = NULL;
	struct talk *t = ctx;
	int r = ww_mcp_decode(x, &t->key, &c);

	if (r == -ENOENT) {
		t->others++;
		t->unknown += strcmp(x->method, "POST") == 0 && !ww_mcp_is_other(x);
		return;
	}
	assert_int_equal(r, 0);
	say(&t->text, "call %s streamed=%d answer=%s\n", c->tool, c->streamed,
	    ww_mcp_answer_name(c->answer));
	say_sized(t, "arguments", c->argument_bytes, &c->arguments);
	if (c->answer == WW_MCP_RPC_ERROR)
		say(&t->text, "code %lld\n", (long long)c->code);
	else
		say_sized(t, "result", c->text.n, &c->digest);
}

static void play(const char *name, size_t step, struct talk *t)
{
	static const struct ww_proto_ops ops = {.exchange = take};
	static const uint8_t key[32] = "unit test key";
	struct ww_slice talk = load(name, "talk");
	struct ww_proto_config cfg = {.key = &t->key};
	struct ww_flow f[CONNECTIONS_MAX] = {0};
	uint64_t at[CONNECTIONS_MAX][2] = {0};
	uint8_t *bytes = malloc(FILE_MAX);
	struct ww_proto *p = NULL;
	size_t end, n;

	*t = (struct talk){0};
	ww_buf_init(&t->text, FILE_MAX);
	ww_digest_key_init(&t->key, key);
	assert_int_equal(ww_proto_new(&cfg, &ops, t, &p), 0);
	for (size_t from = 0; from < talk.n; from = end + 1) {
		size_t digits = 0, arrow;
		uint64_t number = 0;
		enum ww_dir dir;

		end = ww_slice_find(talk, from, '\n');
		while (talk.p[from + digits] >= '0' && talk.p[from + digits] <= '9')
			digits++;
		assert_int_equal(ww_slice_u64(ww_slice_sub(talk, from, digits), &number), 0);
		assert_true(number < CONNECTIONS_MAX);
		f[number].cookie = number;
		f[number].role = WW_FLOW_CONNECT;
		arrow = from + digits;
		dir = talk.p[arrow] == '>' ? WW_DIR_OUT : WW_DIR_IN;
		assert_int_equal(ww_base64_decode(ww_slice_sub(talk, arrow + 2, end - arrow - 2),
						  false, bytes, FILE_MAX, &n),
				 0);
		for (size_t i = 0; i < n; i += step ? step : n) {
			struct ww_slice piece =
				ww_slice_sub(ww_slice(bytes, n), i, step ? step : n);

			ww_proto_bytes(p, &f[number], dir, at[number][dir], piece,
				       (struct ww_boot){1});
			at[number][dir] += piece.n;
		}
	}
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		f[i].how = WW_CLOSE_FIN_LOCAL;
		if (f[i].cookie)
			ww_proto_closed(p, &f[i]);
	}
	ww_proto_free(p);
	free(bytes);
	free((void *)(uintptr_t)talk.p);
}

static void check(const char *name)
{
	struct ww_slice want = load(name, "txt");
	static const size_t steps[] = {0, 1, 7, 1000};

	for (size_t i = 0; i < WW_ARRAY_SIZE(steps); i++) {
		struct talk t;

		play(name, steps[i], &t);
		if (!ww_slice_eq(ww_buf_slice(&t.text), want))
			fail_msg("%s step %zu:\n%.*s", name, steps[i], (int)t.text.n, t.text.p);
		assert_true(t.others >= 3); /* initialize, initialized, tools/list */
		assert_int_equal(t.unknown, 0);
		ww_buf_done(&t.text);
	}
	free((void *)(uintptr_t)want.p);
}

static void json(void **state)
{
	check("mcp/json");
}

static void stream(void **state)
{
	check("mcp/stream");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

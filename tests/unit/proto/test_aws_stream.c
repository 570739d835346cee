/* SPDX-License-Identifier: Apache-2.0 */
/* The AWS event stream, against what its official codec wrote and read (tests/golden/eventstream).
 */
#include "rig.h"

#include <stdio.h>

#include "proto/aws_stream.h"

#include "base/encode.h"

#include "../../lib/aws_message.h"

#define MESSAGE_BYTES_MAX 4096u

#define EVENT "\x0d:message-type\7\0\5event\x0b:event-type\7\0\5chunk"
#define EXCEPTION                   \
	"\x0d:message-type\7\0\x09" \
	"exception\x0f:exception-type\7\0\x13throttlingException"

/* Everything of an event in one line, as the golden file has it. */
static void event_text(const struct ww_aws_event *e, struct ww_buf *out)
{
	const struct ww_slice part[] = {e->message_type, e->event_type, e->exception_type,
					e->error_code, e->payload};
	char line[2 * MESSAGE_BYTES_MAX + 1];

	snprintf(line, sizeof(line), "%u", e->headers);
	assert_int_equal(ww_buf_add(out, line, strlen(line)), 0);
	for (size_t i = 0; i < WW_ARRAY_SIZE(part); i++) {
		snprintf(line, sizeof(line), "-");
		if (part[i].n > 0)
			ww_hex_encode(part[i], line);
		assert_int_equal(ww_buf_add(out, " ", 1), 0);
		assert_int_equal(ww_buf_add(out, line, strlen(line)), 0);
	}
}

/* All of `in` in such pieces: what was read, each behind the other; the last answer. */
static enum ww_parse read_all(struct ww_slice in, size_t step, struct ww_buf *out)
{
	enum ww_parse r = WW_PARSE_MORE;
	struct ww_aws_stream s;
	struct ww_aws_event e;

	ww_buf_clear(out);
	ww_aws_stream_init(&s, MESSAGE_BYTES_MAX);
	for (size_t at = 0; at < in.n && r != WW_PARSE_BAD; at += step) {
		size_t n = step < in.n - at ? step : in.n - at;
		uint8_t *copy = malloc(n);
		struct ww_slice piece = ww_slice(copy, n);

		assert_non_null(copy);
		memcpy(copy, in.p + at, n);
		while ((r = ww_aws_stream_next(&s, &piece, &e)) == WW_PARSE_DONE)
			event_text(&e, out);
		free(copy);
	}
	assert_false(s.no_memory);
	if (r == WW_PARSE_MORE && ww_aws_stream_pending(&s))
		r = WW_PARSE_GAP;
	ww_aws_stream_done(&s);
	return r;
}

static void must_read_as_the_codec_does(void **state)
{
	FILE *f = fopen("tests/golden/eventstream/cases", "r");
	unsigned bad = 0, all = 0;
	struct ww_buf out;
	char *line = NULL;
	size_t cap = 0;

	assert_non_null(f);
	ww_buf_init(&out, 1 << 20);
	while (getline(&line, &cap, f) > 0) {
		char *told = strchr(line, ' ') + 1;
		size_t n = (size_t)(told - line - 1) / 2;
		uint8_t *raw = malloc(n);
		bool refused;

		assert_non_null(raw);
		assert_int_equal(ww_hex_decode(ww_slice(line, 2 * n), raw, n), 0);
		told[strcspn(told, "\n")] = '\0';
		refused = strcmp(told, "bad") == 0;
		for (size_t step = n; step >= 1; step = step > 40 ? step / 2 : step - 1) {
			enum ww_parse r = read_all(ww_slice(raw, n), step, &out);

			assert_int_equal(r == WW_PARSE_MORE, !refused);
			assert_true(refused || ww_slice_eq_str(ww_buf_slice(&out), told));
		}
		all++;
		bad += refused;
		free(raw);
	}
	assert_true(bad > 200 && all - bad > 500);
	free(line);
	fclose(f);
	ww_buf_done(&out);
}

static void must_not_believe_an_unchecked_length(void **state)
{
	uint8_t raw[64];
	size_t n = put_message(raw, WW_SLICE_LIT(EVENT), WW_SLICE_LIT("x"));
	struct ww_buf out;

	ww_buf_init(&out, 1 << 20);
	raw[0] ^= 0x40; /* a gigabyte more */
	assert_int_equal(read_all(ww_slice(raw, 12), 1, &out), WW_PARSE_BAD);
	raw[0] ^= 0x40;
	raw[7] ^= 1;
	assert_int_equal(read_all(ww_slice(raw, 12), 12, &out), WW_PARSE_BAD);
	raw[7] ^= 1;
	/* Right checksums, impossible lengths. */
	put_be32(raw, 15);
	put_be32(raw + 4, 0);
	put_be32(raw + 8, (uint32_t)crc32(0, raw, 8));
	assert_int_equal(read_all(ww_slice(raw, 15), 1, &out), WW_PARSE_BAD);
	put_be32(raw, (uint32_t)n);
	put_be32(raw + 4, (uint32_t)n - 15);
	put_be32(raw + 8, (uint32_t)crc32(0, raw, 8));
	assert_int_equal(read_all(ww_slice(raw, n), 1, &out), WW_PARSE_BAD);
	assert_int_equal(out.n, 0);
	ww_buf_done(&out);
}

/* A stream of three, one of them too long: cut anywhere, in pieces of any size. */
static void messages_follow_each_other(void **state)
{
	static uint8_t raw[3 * MESSAGE_BYTES_MAX], longer[MESSAGE_BYTES_MAX];
	size_t first = put_message(raw, WW_SLICE_LIT(EVENT), WW_SLICE_LIT("{}"));
	size_t second = first + put_message(raw + first, WW_SLICE_LIT(EXCEPTION),
					    ww_slice(longer, sizeof(longer)));
	size_t n = second + put_message(raw + second, WW_SLICE_LIT(EXCEPTION), WW_SLICE_NULL);
	struct ww_buf whole, out;

	ww_buf_init(&whole, 1 << 20);
	ww_buf_init(&out, 1 << 20);
	assert_int_equal(read_all(ww_slice(raw, n), n, &whole), WW_PARSE_MORE);
	assert_true(whole.n > 0);
	for (size_t step = 1; step < 200; step++) {
		assert_int_equal(read_all(ww_slice(raw, n), step, &out), WW_PARSE_MORE);
		assert_true(ww_slice_eq(ww_buf_slice(&out), ww_buf_slice(&whole)));
	}
	for (size_t cut = 1; cut < n; cut++) {
		assert_int_equal(read_all(ww_slice(raw, cut), cut, &out),
				 cut == first || cut == second ? WW_PARSE_MORE : WW_PARSE_GAP);
		assert_true(ww_slice_starts(ww_buf_slice(&whole), ww_buf_slice(&out)));
	}
	raw[n - 1] ^= 1;
	assert_int_equal(read_all(ww_slice(raw, n), 7, &out), WW_PARSE_BAD);
	ww_buf_done(&whole);
	ww_buf_done(&out);
}

static void what_a_body_says(void **state)
{
	static uint8_t raw[4096];
	struct ww_body body = {.whole = true};
	struct ww_event_facts f = {0};
	size_t n = 0;

	for (int i = 0; i < 3; i++)
		n += put_message(raw + n, WW_SLICE_LIT(EVENT), WW_SLICE_LIT("{}"));
	body.data = ww_slice(raw, n);
	assert_true(ww_aws_stream_read(&body, &f));
	assert_true(f.present && f.whole);
	assert_int_equal(f.count, 3);
	assert_int_equal(f.failures, 0);
	assert_string_equal(f.failure, "");
	/* A failure in it; a text that is no name stays out. */
	n += put_message(raw + n,
			 WW_SLICE_LIT("\x0d:message-type\7\0\5error\x0b:error-code\7\0\4a b!"),
			 WW_SLICE_NULL);
	body.data = ww_slice(raw, n);
	assert_true(ww_aws_stream_read(&body, &f));
	assert_int_equal(f.failures, 1);
	assert_string_equal(f.failure, "");
	body.data = ww_slice(raw, put_message(raw, WW_SLICE_LIT(EXCEPTION), WW_SLICE_NULL));
	assert_true(ww_aws_stream_read(&body, &f));
	assert_string_equal(f.failure, "throttlingException");
	assert_true(f.whole);
	/* Cut, or its body was. */
	body.data.n--;
	assert_true(ww_aws_stream_read(&body, &f));
	assert_false(f.whole);
	assert_int_equal(f.count, 0);
	body.data.n++;
	body.whole = false;
	assert_true(ww_aws_stream_read(&body, &f));
	assert_false(f.whole);
	raw[20] ^= 1;
	assert_false(ww_aws_stream_read(&body, &f));
	assert_true(f.present && !f.whole && f.count == 0);
	assert_true(ww_aws_stream_is("Application/vnd.amazon.eventstream; a=b"));
	assert_false(ww_aws_stream_is("application/vnd.amazon.eventstreams"));
	assert_false(ww_aws_stream_is("text/event-stream"));
}

/* In an exchange: known by its content type, and malformed where it is none. */
static void an_exchange_says_it(void **state)
{
	static struct rig r;

	for (int broken = 0; broken < 2; broken++) {
		uint8_t raw[512];
		size_t n = put_message(raw, WW_SLICE_LIT(EVENT), WW_SLICE_LIT("{}"));
		char head[200];

		rig_begin(&r, 4096);
		n += put_message(raw + n, WW_SLICE_LIT(EXCEPTION), WW_SLICE_LIT("{\"a\":1}"));
		snprintf(head, sizeof(head),
			 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
			 "Content-Type: application/vnd.amazon.eventstream\r\n\r\n",
			 n);
		raw[n - 1] ^= (uint8_t)broken;
		rig_out(&r,
			"POST /model/a/invoke HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
		rig_in(&r, head);
		rig_bytes(&r, WW_DIR_IN, raw, n);
		rig_close(&r, WW_CLOSE_FIN_PEER);
		assert_int_equal(rig_x(&r, 0)->outcome, WW_X_COMPLETE);
		assert_int_equal(rig_x(&r, 0)->findings, broken ? WW_X_MALFORMED_BODY : 0);
		assert_true(rig_x(&r, 0)->events.present);
		assert_int_equal(rig_x(&r, 0)->events.whole, !broken);
		assert_int_equal(rig_x(&r, 0)->events.count, broken ? 1 : 2);
		assert_int_equal(rig_x(&r, 0)->events.failures, !broken);
		rig_end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_read_as_the_codec_does),
		cmocka_unit_test(must_not_believe_an_unchecked_length),
		cmocka_unit_test(messages_follow_each_other),
		cmocka_unit_test(what_a_body_says),
		cmocka_unit_test(an_exchange_says_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

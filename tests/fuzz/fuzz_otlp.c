/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OTLP decoders over any bytes; the first byte chooses: 'j' JSON, any other protobuf. What is
 * delivered keeps its promises (ids, ceilings, UTF-8), its record is JSON and fits, and a second
 * decoding gives the same.
 */
#include "base/json.h"
#include "base/utf8.h"
#include "claim/otlp.h"

#include "../lib/whole_json.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct ww_digest_key key;
	uint32_t spans;
	struct ww_sha256 records; /* digest over all records */
};

static void check_text(const char *s, size_t bytes_max)
{
	struct ww_slice text = ww_slice_str(s);

	assert(text.n <= bytes_max);
	for (size_t at = 0, n; at < text.n; at += n) {
		enum ww_parse p = ww_utf8_next(text, at, &n);

		assert(p == WW_PARSE_DONE);
	}
}

static void check_attrs(const struct ww_span *s)
{
	size_t bytes = 0;

	assert(s->attr_count <= WW_SPAN_ATTRS_MAX);
	for (unsigned i = 0; i < s->attr_count; i++) {
		assert(s->attrs[i].key[0] != '\0' && s->attrs[i].type <= 7);
		check_text(s->attrs[i].key, WW_ATTR_KEY_BYTES_MAX);
		check_text(s->attrs[i].value, WW_ATTR_BYTES_MAX);
		bytes += strlen(s->attrs[i].key) + strlen(s->attrs[i].value) + 2;
		assert(ww_span_attr(s, s->attrs[i].key));
	}
	assert(bytes <= WW_SPAN_BYTES_MAX);
}

static void check_claims(const struct ww_span *s)
{
	assert(s->claim_count <= WW_SPAN_CLAIMS_MAX);
	for (unsigned i = 0; i < s->claim_count; i++)
		assert(s->claims[i].claim_id[0] != '\0');
}

static void add_record(const struct ww_span *s, struct seen *seen)
{
	struct ww_buf record WW_AUTO_BUF = {0}, both WW_AUTO_BUF = {0};
	struct ww_sha256 digest;
	struct ww_jsonw w;
	int r;

	ww_buf_init(&record, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &record);
	ww_span_write(s, &seen->key, &w);
	assert(ww_jsonw_ok(&w));
	assert(whole_json(ww_buf_slice(&record)));
	ww_sha256(ww_buf_slice(&record), &digest);
	ww_buf_init(&both, 2 * WW_SHA256_LEN);
	r = ww_buf_add(&both, seen->records.b, WW_SHA256_LEN);
	assert(r == 0);
	r = ww_buf_add(&both, digest.b, WW_SHA256_LEN);
	assert(r == 0);
	ww_sha256(ww_buf_slice(&both), &seen->records);
}

static void take(void *ctx, struct ww_span *s)
{
	static const uint8_t none[16];
	struct seen *seen = ctx;

	seen->spans++;
	assert(memcmp(s->trace_id, none, 16) != 0 && memcmp(s->span_id, none, 8) != 0);
	assert(s->kind <= 5 && s->status <= WW_SPAN_ERROR && s->generation <= 4);
	check_text(s->name, sizeof(s->name) - 1);
	check_text(s->scope_name, sizeof(s->scope_name) - 1);
	check_text(s->service_name, sizeof(s->service_name) - 1);
#define CHECK(n, member, text) check_text(s->member, sizeof(s->member) - 1);
	WW_SPAN_TEXTS(CHECK)
#undef CHECK
	check_attrs(s);
	check_claims(s);
	add_record(s, seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32] = "a key for tests";
	struct seen first = {0}, second = {0};
	struct ww_otlp_result result = {0}, again = {0};
	enum ww_claim_encoding encoding;
	struct ww_slice body;
	int r;

	if (size == 0)
		return 0;
	encoding = data[0] == 'j' ? WW_CLAIM_OTLP_JSON : WW_CLAIM_OTLP_PROTOBUF;
	body = ww_slice_sub(ww_slice(data, size), 1, size);
	ww_digest_key_init(&first.key, key);
	ww_digest_key_init(&second.key, key);
	r = ww_otlp_decode(encoding, body, take, &first, &result);
	assert(r == 0 || r == -EBADMSG);
	assert(result.spans == first.spans && result.spans <= WW_SPANS_PER_REQUEST);
	assert((r == 0 && result.rejected == 0) || result.message[0] != '\0');
	assert(ww_otlp_decode(encoding, body, take, &second, &again) == r);
	assert(memcmp(&result, &again, sizeof(result)) == 0);
	assert(memcmp(&first.records, &second.records, sizeof(first.records)) == 0);
	return 0;
}

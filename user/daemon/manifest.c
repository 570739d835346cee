/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/manifest.h"

#include <errno.h>

#include "base/encode.h"
#include "base/json.h"

#define MANIFEST_VERSION 1

void ww_manifest_write(const struct ww_pipeline_config *cfg, const char *kernel,
		       const char *boot_id, struct ww_jsonw *w)
{
	struct ww_sha256 tables;

	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "version", MANIFEST_VERSION);
	ww_jsonw_cstr(w, "wirewitness", WW_VERSION);
	ww_jsonw_cstr(w, "kernel", kernel);
	ww_jsonw_cstr(w, "bootId", boot_id);
	ww_jsonw_hex(w, "digestKey", ww_slice(cfg->digest_key, sizeof(cfg->digest_key)));
	ww_jsonw_u64(w, "bodyBytesMax", cfg->body_bytes_max);
	ww_jsonw_u64(w, "graceNs", cfg->grace_ns);
	ww_jsonw_u64(w, "skewNs", cfg->skew_ns);
	ww_jsonw_object(w, "receiver");
	ww_jsonw_u64(w, "family", cfg->receiver.family);
	ww_jsonw_u64(w, "port", cfg->receiver.port);
	ww_jsonw_u64(w, "netns", cfg->receiver_netns);
	ww_jsonw_hex(w, "addr", ww_slice(cfg->receiver.addr, sizeof(cfg->receiver.addr)));
	ww_jsonw_end_object(w);
	ww_jsonw_str(w, "contracts", cfg->contracts);
	if (cfg->prose)
		ww_jsonw_str(w, "phrases", cfg->phrases);
	if (cfg->policy)
		ww_jsonw_str(w, "policy", cfg->policy->text);
	if (cfg->tables) {
		tables = ww_tables_digest(cfg->tables);
		ww_jsonw_hex(w, "tables", ww_slice(tables.b, sizeof(tables.b)));
	}
	ww_jsonw_end_object(w);
}

static int get_u64(struct ww_slice doc, const char *path, uint64_t max, uint64_t *ret_value)
{
	struct ww_json_token t;
	struct ww_slice range;
	uint64_t v;

	if (ww_json_path(doc, path, &t, &range) != WW_PARSE_DONE)
		return -EBADMSG;
	/* Above 2^53 the writer makes strings. */
	if ((t.type == WW_JSON_STRING ? ww_slice_u64(t.raw, &v) : ww_json_u64(&t, &v)) < 0 ||
	    v > max)
		return -EBADMSG;
	*ret_value = v;
	return 0;
}

static int get_hex(struct ww_slice doc, const char *path, uint8_t *out, size_t n)
{
	struct ww_json_token t;
	struct ww_slice range;

	if (ww_json_path(doc, path, &t, &range) != WW_PARSE_DONE || t.type != WW_JSON_STRING ||
	    ww_hex_decode(t.raw, out, n) < 0)
		return -EBADMSG;
	return 0;
}

/* Appends the text to memory. */
static int get_text(struct ww_slice doc, const char *path, struct ww_buf *memory)
{
	struct ww_json_token t;
	struct ww_slice range;
	int r;

	if (ww_json_path(doc, path, &t, &range) != WW_PARSE_DONE || t.type != WW_JSON_STRING)
		return -EBADMSG;
	r = ww_json_unescape(&t, memory);
	return r == 0 || r == -ENOMEM ? r : -EBADMSG;
}

/* One document, to its end: a path would be found in what is left of one. */
static bool whole(struct ww_slice json)
{
	struct ww_json_token t;
	struct ww_json j;
	enum ww_parse r;

	ww_json_init(&j, json);
	do
		r = ww_json_next(&j, &t);
	while (r == WW_PARSE_DONE);
	return r == WW_PARSE_END;
}

static void get_line(struct ww_slice doc, const char *path, char *out, size_t cap)
{
	struct ww_json_token t;

	out[0] = '\0';
	if (ww_json_path(doc, path, &t, NULL) != WW_PARSE_DONE || t.type != WW_JSON_STRING ||
	    t.escaped || t.raw.n >= cap)
		return;
	memcpy(out, t.raw.p, t.raw.n);
	out[t.raw.n] = '\0';
}

void ww_manifest_origin(struct ww_slice json, struct ww_manifest_origin *ret)
{
	get_line(json, "$.wirewitness", ret->version, sizeof(ret->version));
	get_line(json, "$.kernel", ret->kernel, sizeof(ret->kernel));
	get_line(json, "$.bootId", ret->boot_id, sizeof(ret->boot_id));
}

bool ww_manifest_tables(struct ww_slice json, struct ww_sha256 *ret)
{
	return get_hex(json, "$.tables", ret->b, sizeof(ret->b)) == 0;
}

int ww_manifest_policy(struct ww_slice json, struct ww_buf *memory, struct ww_slice *ret)
{
	size_t before = memory->n;
	struct ww_json_token t;
	int r = 0;

	if (ww_json_path(json, "$.policy", &t, NULL) != WW_PARSE_END)
		r = get_text(json, "$.policy", memory);
	if (r == 0)
		*ret = ww_slice_sub(ww_buf_slice(memory), before, SIZE_MAX);
	return r;
}

int ww_manifest_read(struct ww_slice json, struct ww_buf *memory,
		     struct ww_pipeline_config *ret_cfg)
{
	struct ww_pipeline_config cfg = {0};
	struct ww_json_token t;
	struct ww_sha256 tables;
	struct ww_slice range;
	uint64_t version, family, port, netns = 0;
	size_t contracts;
	int r;

	if (!whole(json) || get_u64(json, "$.version", MANIFEST_VERSION, &version) < 0 ||
	    version != MANIFEST_VERSION ||
	    get_hex(json, "$.digestKey", cfg.digest_key, sizeof(cfg.digest_key)) < 0 ||
	    get_u64(json, "$.bodyBytesMax", UINT64_MAX, &cfg.body_bytes_max) < 0 ||
	    get_u64(json, "$.graceNs", UINT64_MAX, &cfg.grace_ns) < 0 ||
	    get_u64(json, "$.skewNs", UINT64_MAX, &cfg.skew_ns) < 0 ||
	    get_u64(json, "$.receiver.family", UINT16_MAX, &family) < 0 ||
	    get_u64(json, "$.receiver.port", UINT16_MAX, &port) < 0 ||
	    get_hex(json, "$.receiver.addr", cfg.receiver.addr, sizeof(cfg.receiver.addr)) < 0)
		return -EBADMSG;
	/* Tapes of before know none. */
	if (ww_json_path(json, "$.receiver.netns", &t, &range) != WW_PARSE_END &&
	    get_u64(json, "$.receiver.netns", UINT32_MAX, &netns) < 0)
		return -EBADMSG;
	if (ww_json_path(json, "$.tables", &t, &range) != WW_PARSE_END &&
	    !ww_manifest_tables(json, &tables))
		return -EBADMSG;
	ww_buf_clear(memory);
	r = get_text(json, "$.contracts", memory);
	contracts = memory->n;
	/* Tapes of before know no prose: their records were made without. */
	cfg.prose = r == 0 && ww_json_path(json, "$.phrases", &t, &range) != WW_PARSE_END;
	if (cfg.prose)
		r = get_text(json, "$.phrases", memory);
	if (r < 0)
		return r;
	cfg.receiver.family = (uint16_t)family;
	cfg.receiver.port = (uint16_t)port;
	cfg.receiver_netns = (uint32_t)netns;
	cfg.contracts = ww_slice_sub(ww_buf_slice(memory), 0, contracts);
	cfg.phrases = ww_slice_sub(ww_buf_slice(memory), contracts, SIZE_MAX);
	*ret_cfg = cfg;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "out/publish_otlp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/json.h"
#include "base/json_write.h"

#define SEVERITY_INFO 9u

static void attribute(struct ww_jsonw *w, const char *key, const char *type, const char *value)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "key", key);
	ww_jsonw_object(w, "value");
	ww_jsonw_cstr(w, type, value);
	ww_jsonw_end_object(w);
	ww_jsonw_end_object(w);
}

/* 64-bit numbers are strings in the JSON of protobuf. */
static void log_record(struct ww_jsonw *w, const struct ww_checkpoint *head, struct ww_slice note,
		       struct ww_wall now)
{
	char time[32], size[32], root[WW_BASE64_LEN(WW_SHA256_LEN) + 1];

	snprintf(time, sizeof(time), "%" PRIu64, now.ns);
	snprintf(size, sizeof(size), "%" PRIu64, head->size);
	ww_base64_encode(ww_slice(head->root.b, sizeof(head->root.b)), root);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "timeUnixNano", time);
	ww_jsonw_cstr(w, "observedTimeUnixNano", time);
	ww_jsonw_u64(w, "severityNumber", SEVERITY_INFO);
	ww_jsonw_cstr(w, "severityText", "INFO");
	ww_jsonw_cstr(w, "eventName", "wirewitness.checkpoint");
	ww_jsonw_object(w, "body");
	ww_jsonw_str(w, "stringValue", note);
	ww_jsonw_end_object(w);
	ww_jsonw_array(w, "attributes");
	attribute(w, "wirewitness.checkpoint.origin", "stringValue", head->origin);
	attribute(w, "wirewitness.checkpoint.size", "intValue", size);
	attribute(w, "wirewitness.checkpoint.root", "stringValue", root);
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

int ww_publish_otlp_body(const struct ww_checkpoint *head, struct ww_slice note, const char *host,
			 struct ww_wall now, struct ww_buf *out)
{
	struct ww_jsonw w;

	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_array(&w, "resourceLogs");
	ww_jsonw_object(&w, NULL);
	ww_jsonw_object(&w, "resource");
	ww_jsonw_array(&w, "attributes");
	attribute(&w, "service.name", "stringValue", "wirewitness");
	attribute(&w, "service.version", "stringValue", WW_VERSION);
	attribute(&w, "host.name", "stringValue", host);
	ww_jsonw_end_array(&w);
	ww_jsonw_end_object(&w);
	ww_jsonw_array(&w, "scopeLogs");
	ww_jsonw_object(&w, NULL);
	ww_jsonw_object(&w, "scope");
	ww_jsonw_cstr(&w, "name", "wirewitness");
	ww_jsonw_cstr(&w, "version", WW_VERSION);
	ww_jsonw_end_object(&w);
	ww_jsonw_array(&w, "logRecords");
	log_record(&w, head, note, now);
	ww_jsonw_end_array(&w);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_array(&w);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_array(&w);
	ww_jsonw_end_object(&w);
	return w.err;
}

int ww_publish_otlp_taken(unsigned status, struct ww_slice body, char *why, size_t cap)
{
	struct ww_json_token t;
	struct ww_slice range;
	uint64_t rejected = 0;

	if (status < 200 || status > 299) {
		snprintf(why, cap, "the collector answers %u", status);
		return -EIO;
	}
	/* A full success is an empty message, in whatever encoding. */
	if (ww_json_path(body, "$.partialSuccess.rejectedLogRecords", &t, &range) !=
		    WW_PARSE_DONE ||
	    ww_slice_u64(t.raw, &rejected) < 0 || rejected == 0)
		return 0;
	snprintf(why, cap, "the collector rejects the record");
	return -EIO;
}

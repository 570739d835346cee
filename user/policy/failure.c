/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/failure.h"

/* Members that say so unless they are empty, zero, false or null. */
static const char *const errors[] = {
	"error",        "errors",        "err",        "errorcode", "error_code",
	"errormessage", "error_message", "error_type", "errortype", "exception",
	"fault",        "failure",       "failures",   "failed",    "failure_reason",
	"failure_code", "iserror",       "is_error",   "traceback", "stacktrace",
	"denied",       "rejected",
};

/* Members that say so when they are false. */
static const char *const successes[] = {"ok",         "success", "succeeded",
					"successful", "done",    "executed"};

/* Members whose numbers are those of HTTP. */
static const char *const statuses[] = {"status", "code", "statuscode", "status_code",
				       "http_status"};

/* Begins of words of a text. */
static const char *const begins[] = {
	"error",     "exception", "fail",      "denied",    "deny",     "denial",  "refus",
	"reject",    "unavailab", "timeout",   "timed out", "unable",   "cannot",  "can't",
	"couldn't",  "could not", "invalid",   "forbid",    "unauthor", "abort",   "cancel",
	"crash",     "unsupport", "unknown",   "missing",   "wrong",    "blocked", "declin",
	"expired",   "disabled",  "interrupt", "didn't",    "wasn't",   "isn't",   "hasn't",
	"not found", "not_found", "not-found",
};

/* Whole words of one that has several. */
static const char *const wholes[] = {"no", "not", "never", "without"};

#define IS_ONE_OF(t, list) is_one_of((t), (list), WW_ARRAY_SIZE(list))

static bool is_one_of(const struct ww_json_token *key, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ww_slice_ieq_str(key->raw, list[i]))
			return true;
	}
	return false;
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool stands_at(struct ww_slice text, size_t at, const char *word)
{
	return ww_slice_ieq_str(ww_slice_sub(text, at, strlen(word)), word);
}

static bool word_fails(struct ww_slice text, size_t at, bool prose)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(begins); i++) {
		if (stands_at(text, at, begins[i]))
			return true;
	}
	for (size_t i = 0; prose && i < WW_ARRAY_SIZE(wholes); i++) {
		size_t end = at + strlen(wholes[i]);

		if (stands_at(text, at, wholes[i]) && (end >= text.n || !is_letter(text.p[end])))
			return true;
	}
	return false;
}

static bool text_fails(struct ww_slice text)
{
	bool prose = ww_slice_find(text, 0, ' ') < text.n;

	for (size_t at = 0; at < text.n; at++) {
		if (is_letter(text.p[at]) && (at == 0 || !is_letter(text.p[at - 1])) &&
		    word_fails(text, at, prose))
			return true;
	}
	return false;
}

static bool is_empty(const struct ww_json_token *t)
{
	uint64_t n;

	switch (t->type) {
	case WW_JSON_STRING:
		return t->raw.n == 0;
	case WW_JSON_NUMBER:
		return ww_slice_u64(t->raw, &n) == 0 && n == 0;
	case WW_JSON_NULL:
	case WW_JSON_FALSE:
	case WW_JSON_END_OBJECT:
	case WW_JSON_END_ARRAY:
		return true;
	default:
		return false;
	}
}

/* What stands behind a key; of a container, what is first in it. */
static bool member_fails(const struct ww_json_token *key, const struct ww_json_token *value)
{
	uint64_t n;

	if (IS_ONE_OF(key, errors))
		return !is_empty(value);
	if (IS_ONE_OF(key, successes))
		return value->type == WW_JSON_FALSE;
	return IS_ONE_OF(key, statuses) && ww_slice_u64(value->raw, &n) == 0 && n >= 400 && n < 600;
}

bool ww_failure_told(struct ww_slice json)
{
	struct ww_json_token t, key = {0};
	bool keyed = false;
	struct ww_json j;

	ww_json_init(&j, json);
	while (ww_json_next(&j, &t) == WW_PARSE_DONE) {
		if (keyed && t.type != WW_JSON_OBJECT && t.type != WW_JSON_ARRAY) {
			if (member_fails(&key, &t))
				return true;
			keyed = false;
		}
		if (t.type == WW_JSON_STRING && text_fails(t.raw))
			return true;
		if (t.type == WW_JSON_KEY) {
			key = t;
			keyed = true;
		}
	}
	return false;
}

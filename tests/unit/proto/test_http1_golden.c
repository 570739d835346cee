/* SPDX-License-Identifier: Apache-2.0 */
/* Responses against what another HTTP implementation makes of them (tests/golden/http/oracle.py).
 */
#include "rig.h"

#include <glob.h>
#include <stdio.h>

#include "base/encode.h"

#define FILE_MAX (1u << 20)

static struct rig r;
static uint8_t raw[FILE_MAX];

static struct ww_slice load(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		fail_msg("%s: cannot be read (the tests run in the top folder)", path);
	n = fread(raw, 1, sizeof(raw), f);
	fclose(f);
	assert_true(n > 0 && n < sizeof(raw));
	return ww_slice(raw, n);
}

static void check(const char *path, size_t step)
{
	struct ww_slice in = load(path);
	size_t line = ww_slice_find(in, 0, '\n');
	char request[128], want[256], got[256], hex[65], text[256];
	const struct ww_exchange *x;
	struct ww_sha256 d;
	FILE *f;

	snprintf(request, sizeof(request),
		 "%.*s / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", (int)line, in.p);
	rig_begin(&r, 0);
	rig_out(&r, request);
	for (size_t at = line + 1; at < in.n; at += step) {
		struct ww_slice piece = ww_slice_sub(in, at, step);

		rig_bytes(&r, WW_DIR_IN, piece.p, piece.n);
	}
	rig_close(&r, WW_CLOSE_FIN_PEER);
	assert_int_equal(r.count, 1);
	x = rig_x(&r, 0);
	assert_int_equal(x->outcome, WW_X_COMPLETE);
	assert_int_equal(x->findings, 0);
	assert_true(x->resp.whole);
	ww_sha256(x->resp.data, &d);
	ww_hex_encode(ww_slice(d.b, sizeof(d.b)), hex);
	snprintf(got, sizeof(got), "%u %llu %s %s\n", x->status,
		 (unsigned long long)x->resp.decoded_bytes, hex,
		 x->resp.content_type[0] ? x->resp.content_type : "-");
	snprintf(text, sizeof(text), "%.*s.txt", (int)(strlen(path) - strlen(".resp")), path);
	f = fopen(text, "re");
	assert_non_null(f);
	assert_non_null(fgets(want, sizeof(want), f));
	fclose(f);
	if (strcmp(want, got) != 0)
		fail_msg("%s step %zu: got %s, want %s", path, step, got, want);
	rig_end(&r);
}

static void responses_mean_the_same_elsewhere(void **state)
{
	static const size_t steps[] = {FILE_MAX, 1, 13, 1460};
	glob_t g;

	assert_int_equal(glob("tests/golden/http/*.resp", 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 18);
	for (size_t i = 0; i < g.gl_pathc; i++)
		for (size_t k = 0; k < WW_ARRAY_SIZE(steps); k++)
			check(g.gl_pathv[i], steps[k]);
	globfree(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses_mean_the_same_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks the invariants of multipart.c; forms of others and what they read of them:
 * tests/golden/multipart. */
#include "rig.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"

static struct ww_digest_key key;
static struct ww_form form;

/* `in` in such pieces. False: its content type is no form's. */
static bool read_form(const char *type, struct ww_slice in, size_t step, bool complete)
{
	struct ww_multipart *m = NULL;
	int r = ww_multipart_new(type, &key, &m);

	assert_true(r == 0 || r == -ENOENT);
	if (r < 0)
		return false;
	for (size_t at = 0; at < in.n; at += step) {
		size_t n = step < in.n - at ? step : in.n - at;
		uint8_t *copy = rig_copy(ww_slice_sub(in, at, n));

		ww_multipart_add(m, ww_slice(copy, n));
		free(copy);
	}
	form = *ww_multipart_end(m, complete);
	ww_multipart_free(m);
	return true;
}

#define TYPE "multipart/form-data; boundary=XX"
#define PART(disposition, content) \
	"--XX\r\nContent-Disposition: form-data; " disposition "\r\n\r\n" content "\r\n"
#define END "--XX--\r\n"

static void must_be(unsigned i, const char *name, const char *content)
{
	struct ww_sha256 d;

	ww_digest(&key, ww_slice_str(content), &d);
	assert_string_equal(form.part[i].name, name);
	assert_int_equal(form.part[i].bytes, strlen(content));
	assert_memory_equal(&form.part[i].digest, &d, sizeof(d));
}

/* --- must not ----------------------------------------------------------------------------------
 */

static void must_say_what_is_malformed(void **state)
{
	static const struct {
		const char *body;
		unsigned total;
		bool whole; /* the first part */
	} c[] = {
		{"", 0, false},
		{"no form", 0, false},
		{"a preamble\r\n" PART("name=a", "1") END, 0, false},
		{"\r\n" PART("name=a", "1") END, 0, false},
		{PART("name=a", "1"), 1, false}, /* no closing delimiter */
		{"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1", 1, false},
		{PART("name=a", "1") "--XX-\r\n", 1, false}, /* half of one */
		{PART("name=a", "1") "--XXX\r\n", 1, false}, /* one that goes on */
		{PART("name=a", "1") "--XX \rx", 1, false},
		{"--XX\nContent-Disposition: form-data; name=a\n\n1\n--XX--", 0,
		 false}, /* lines end in LF */
		{"--XX\r\nContent-Disposition: form-data; name=a\n\r\n1\r\n" END, 0, false},
		{"--XX\r\nContent-Disposition form-data; name=a\r\n\r\n1\r\n" END, 0, false},
		{"--XX\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n" END, 0,
		 false},                                     /* folded */
		{"--XX\r\n\r\n1\r\n" END, 0, false},         /* says nothing */
		{PART("filename=a", "1") END, 0, false},     /* no name */
		{PART("name=a; name=b", "1") END, 0, false}, /* two */
		{PART("name=\"a", "1") END, 0, false},
		{PART("name=a\"", "1") END, 0, false},
		{PART("name=a b", "1") END, 0, false},
		{PART("name=a; x", "1") END, 0, false},
		{PART("name=a; filename=b; filename=c", "1") END, 0, false},
		{PART("name=a\r\nContent-Disposition: form-data; name=b", "1") END, 0, false},
		{"--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n" END, 0, false},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		assert_true(read_form(TYPE, ww_slice_str(c[i].body), 3, true));
		assert_true(form.malformed);
		assert_false(form.whole);
		assert_int_equal(form.total, c[i].total);
		if (c[i].total > 0) {
			must_be(0, "a", "1");
			assert_int_equal(form.part[0].whole, c[i].whole);
		}
	}
	/* The same of a body that was cut is no fault of the sender. */
	assert_true(read_form(TYPE, ww_slice_str(PART("name=a", "1")), 3, false));
	assert_false(form.malformed || form.whole);
}

static void must_not_read_behind_lost_bytes(void **state)
{
	static const char head[] =
		PART("name=a", "1") "--XX\r\nContent-Disposition: form-data; name=b\r\n\r\nto be";
	struct ww_multipart *m = NULL;

	assert_int_equal(ww_multipart_new(TYPE, &key, &m), 0);
	ww_multipart_add(m, ww_slice_str(head));
	ww_multipart_gap(m);
	ww_multipart_add(m, WW_SLICE_LIT("\r\n" PART("name=c", "3") END));
	form = *ww_multipart_end(m, true);
	ww_multipart_free(m);
	assert_int_equal(form.total, 2);
	must_be(0, "a", "1");
	must_be(1, "b", "to be");
	assert_true(form.part[0].whole && !form.part[1].whole);
	assert_false(form.whole || form.malformed);
}

static void must_keep_what_may_be_content_out_of_names(void **state)
{
	static const struct {
		const char *disposition, *name;
	} c[] = {{"name=purpose", "purpose"},      {"name=\"order-id\"", "order-id"},
		 {"name=\"john@doe.test\"", "{}"}, {"name=\"4711\"", "{}"},
		 {"name=\"a/b\"", "{}"},           {"name=\"\"", "{}"},
		 {"name=\"a\\\"b\"", "{}"},        {"NAME=upper", "upper"}};
	char body[512];

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		snprintf(body, sizeof(body),
			 "--XX\r\ncontent-disposition:form-data;%s\r\n\r\n1\r\n" END,
			 c[i].disposition);
		assert_true(read_form(TYPE, ww_slice_str(body), 1, true));
		assert_true(form.whole);
		must_be(0, c[i].name, "1");
	}
}

static void must_not_take_other_types(void **state)
{
	static const char *const c[] = {
		"",
		"multipart/form-data",
		"multipart/form-data; boundary=",
		"multipart/form-data; boundary=\"",
		"multipart/form-data; boundary=a\tb",
		"multipart/form-data; boundary=a; boundary=b",
		"multipart/form-data; "
		"boundary=1234567890123456789012345678901234567890123456789012345678901234567890X",
		"multipart/mixed; boundary=a",
		"application/json",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++)
		assert_false(read_form(c[i], WW_SLICE_NULL, 1, true));
}

static void heads_and_parts_have_ceilings(void **state)
{
	static char body[70000];
	size_t n = 0;

	for (unsigned i = 0; i < 700; i++)
		n += (size_t)snprintf(body + n, sizeof(body) - n, PART("name=a", "%c"),
				      'a' + i % 26);
	snprintf(body + n, sizeof(body) - n, END);
	assert_true(read_form(TYPE, ww_slice_str(body), 1000, true));
	assert_int_equal(form.total, 700);
	assert_true(form.whole);
	must_be(WW_FORM_PARTS_MAX - 1, "a", "p");
	n = (size_t)snprintf(body, sizeof(body), "--XX\r\nX: ");
	memset(body + n, 'x', 3000);
	snprintf(body + n + 3000, sizeof(body) - n - 3000, "\r\n" PART("name=a", "1") END);
	assert_true(read_form(TYPE, ww_slice_str(body), 1000, true));
	assert_true(form.malformed);
	assert_int_equal(form.total, 0);
}

/* --- must --------------------------------------------------------------------------------------
 */

static void every_split_gives_the_same(void **state)
{
	static const char body[] = PART("name=a", "1")
		PART("name=\"b\"; filename=\"c.txt\"\r\nContent-Type: text/plain",
		     "\r\n--X\r\n\r\r\n--Y") "--XX \t\r\nContent-Disposition: form-data; "
					     "name=empty\r\n\r\n" /* without a line */
		PART("name=d", "") "--XX--an epilogue\r\n--XX\r\n";
	static struct ww_form first;
	struct ww_sha256 d;

	for (size_t step = sizeof(body); step > 0; step--) {
		assert_true(read_form(TYPE, WW_SLICE_LIT(body), step, true));
		if (step == sizeof(body))
			first = form;
		assert_memory_equal(&form, &first, sizeof(form));
	}
	assert_true(form.whole && !form.malformed);
	assert_int_equal(form.total, 4);
	must_be(0, "a", "1");
	must_be(1, "b", "\r\n--X\r\n\r\r\n--Y");
	assert_true(form.part[1].file && !form.part[0].file);
	ww_digest(&key, WW_SLICE_LIT("c.txt"), &d);
	assert_memory_equal(&form.part[1].file_name, &d, sizeof(d));
	assert_string_equal(form.part[1].content_type, "text/plain");
	must_be(2, "empty", "");
	must_be(3, "d", "");
}

/* One form of the golden file: `want` is what Node's fetch reads of it. */
static bool same_as_fetch(const char *type, struct ww_slice body, char *want)
{
	unsigned i = 0;

	assert_true(read_form(type, body, body.n, true));
	if (strcmp(want, "bad") == 0)
		return !form.whole;
	if (!form.whole) /* stricter */
		return true;
	for (char *at = want, *name; (name = strsep(&at, ",")) && strcmp(name, "none") != 0; i++) {
		const struct ww_form_part *p = &form.part[i];
		char *file = strsep(&at, ","), *content = strsep(&at, ",");
		size_t n = strcmp(content, ".") == 0 ? 0 : strlen(content) / 2;
		uint8_t *raw = malloc(n + 1);
		char text[200] = "";
		struct ww_sha256 d;

		assert_non_null(raw);
		assert_int_equal(ww_hex_decode(ww_slice(content, 2 * n), raw, n), 0);
		ww_digest(&key, ww_slice(raw, n), &d);
		free(raw);
		assert_int_equal(p->bytes, n);
		assert_memory_equal(&p->digest, &d, sizeof(d));
		assert_int_equal(p->file, strcmp(file, "-") != 0);
		n = strcmp(name, ".") == 0 ? 0 : strlen(name) / 2;
		assert_int_equal(ww_hex_decode(ww_slice(name, 2 * n), (uint8_t *)text, n), 0);
		assert_true(strcmp(p->name, "{}") == 0 || strcmp(p->name, text) == 0);
	}
	return form.total == i;
}

/* What is read as whole is what Node's fetch reads, and nothing that it refuses. */
static void must_read_as_fetch_does(void **state)
{
	FILE *f = fopen("tests/golden/multipart/cases", "r");
	unsigned all = 0, whole = 0;
	char *line = NULL;
	size_t cap = 0;

	assert_non_null(f);
	while (getline(&line, &cap, f) > 0) {
		char *rest = line, *type_hex = strsep(&rest, " "), *hex = strsep(&rest, " ");
		size_t n = strcmp(hex, ".") == 0 ? 0 : strlen(hex) / 2;
		uint8_t *raw = malloc(n + 1);
		char type[128] = "";

		assert_non_null(raw);
		rest[strcspn(rest, "\n")] = '\0';
		assert_int_equal(ww_hex_decode(ww_slice_str(type_hex), (uint8_t *)type,
					       strlen(type_hex) / 2),
				 0);
		assert_int_equal(ww_hex_decode(ww_slice(hex, 2 * n), raw, n), 0);
		if (!same_as_fetch(type, ww_slice(raw, n), rest))
			fail_msg("%s", line);
		free(raw);
		/* Every other one is as it was written. */
		assert_true(form.whole || all % 2);
		all++;
		whole += form.whole;
	}
	assert_true(whole > all / 2 && whole < all);
	free(line);
	fclose(f);
}

/* In an exchange, also beyond what is kept of the body, and by its record. */
static void an_exchange_says_it(void **state)
{
	static const char head[] = "POST /v1/files HTTP/1.1\r\nHost: a\r\nContent-Type: " TYPE
				   "\r\nTransfer-Encoding: chunked\r\n\r\n";
	static char content[5000];
	static struct rig r;
	struct ww_buf out;
	char body[6000], chunk[32];
	const char *text;

	memset(content, 'c', sizeof(content) - 1);
	snprintf(body, sizeof(body),
		 PART("name=purpose", "fine-tune") PART("name=file; filename=x", "%s") END,
		 content);
	ww_buf_init(&out, 1 << 20);
	rig_begin(&r, 1000);
	rig_out(&r, head);
	for (size_t at = 0, n; at < strlen(body); at += n) {
		n = strlen(body) - at < 777 ? strlen(body) - at : 777;
		snprintf(chunk, sizeof(chunk), "%zx\r\n", n);
		rig_out(&r, chunk);
		rig_bytes(&r, WW_DIR_OUT, body + at, n);
		rig_out(&r, "\r\n");
	}
	rig_out(&r, "0\r\n\r\n");
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	/* Malformed, and cut: what was seen of it stands. */
	rig_out(&r, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " TYPE
		    "\r\nContent-Length: 4\r\n\r\n--XX");
	rig_in(&r, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	rig_out(&r, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " TYPE
		    "\r\nContent-Length: 99\r\n\r\n" PART("name=a", "1"));
	rig_close(&r, WW_CLOSE_FIN_LOCAL);
	assert_int_equal(r.count, 3);
	assert_int_equal(rig_x(&r, 0)->findings, WW_X_TRUNCATED_REQUEST);
	form = *rig_x(&r, 0)->req.form;
	assert_true(form.whole);
	assert_int_equal(form.total, 2);
	must_be(0, "purpose", "fine-tune");
	must_be(1, "file", content);
	assert_int_equal(rig_x(&r, 1)->findings, WW_X_MALFORMED_BODY);
	assert_true(rig_x(&r, 1)->req.whole);
	assert_false(rig_x(&r, 2)->req.form->whole || rig_x(&r, 2)->req.form->malformed);
	assert_int_equal(rig_x(&r, 2)->req.form->total, 1);
	rig_text(&r, &out);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	text = (const char *)out.p;
	assert_non_null(
		strstr(text, "\"parts\":[{\"name\":\"purpose\",\"bytes\":9,\"whole\":true,"));
	assert_non_null(strstr(text, "],\"partsTotal\":2,\"partsWhole\":true"));
	assert_null(strstr(text, "\"name\":\"x\""));
	ww_buf_done(&out);
	rig_end(&r);
}

static int setup(void **state)
{
	static const uint8_t raw[32] = "unit test key";

	ww_digest_key_init(&key, raw);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_say_what_is_malformed),
		cmocka_unit_test(must_not_read_behind_lost_bytes),
		cmocka_unit_test(must_keep_what_may_be_content_out_of_names),
		cmocka_unit_test(must_not_take_other_types),
		cmocka_unit_test(heads_and_parts_have_ceilings),
		cmocka_unit_test(every_split_gives_the_same),
		cmocka_unit_test(must_read_as_fetch_does),
		cmocka_unit_test(an_exchange_says_it),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

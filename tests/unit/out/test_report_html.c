/* SPDX-License-Identifier: Apache-2.0 */
#include "out/report_html.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <wirewitness/limits.h>

#define RECORDS      400u
#define RECORD_BYTES 40000u /* together more than is shown */

struct sink {
	size_t bytes, largest, hidden, anchors;
	size_t fail_at; /* bytes; 0: never */
};

static size_t count(struct ww_slice in, const char *text)
{
	size_t n = 0, length = strlen(text);
	const uint8_t *p = in.p;

	while ((p = memmem(p, in.n - (size_t)(p - in.p), text, length)) != NULL) {
		p += length;
		n++;
	}
	return n;
}

static int take(void *ctx, struct ww_slice piece)
{
	struct sink *s = ctx;

	s->bytes += piece.n;
	if (piece.n > s->largest)
		s->largest = piece.n;
	s->hidden += count(piece, "the report in this file has it");
	s->anchors += count(piece, "class=\"record\"");
	return s->fail_at && s->bytes >= s->fail_at ? -ENOSPC : 0;
}

struct fixture {
	struct ww_buf payload, scratch;
	struct ww_report_result checked;
};

static void set_up(struct fixture *f)
{
	struct ww_statement s = {.created_at = WW_SLICE_LIT("2026-11-23T10:00:00Z"),
				 .count = RECORDS,
				 .first = 0,
				 .last = RECORDS - 1,
				 .note = WW_SLICE_LIT("x\n")};
	WW_AUTO_FREE char *salted = malloc(WW_LEAF_SALT_LEN + RECORD_BYTES + 64);
	struct ww_errtext why = {""};
	struct ww_jsonw w;
	int n;

	assert_non_null(salted);
	memset(salted, 0, WW_LEAF_SALT_LEN);
	n = snprintf(salted + WW_LEAF_SALT_LEN, RECORD_BYTES + 64,
		     "{\"kind\":\"finding\",\"text\":\"%0*d\"}", (int)RECORD_BYTES, 7);
	*f = (struct fixture){.checked = {.consistent = true, .has_statement = true}};
	ww_buf_init(&f->payload, 64u << 20);
	ww_buf_init(&f->scratch, WW_NOTE_BYTES_MAX);
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		s.sections.each[i] = WW_SLICE_LIT("{}");
	snprintf(s.head.origin, sizeof(s.head.origin), "test");
	ww_jsonw_init(&w, &f->payload);
	ww_statement_begin(&w, &s);
	for (unsigned i = 0; i < RECORDS; i++) {
		const struct ww_statement_record r = {
			.index = i,
			.kind = WW_SLICE_LIT("finding"),
			.salted = ww_slice(salted, WW_LEAF_SALT_LEN + (size_t)n)};

		ww_statement_record_write(&w, &r);
	}
	ww_statement_end(&w, &s);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(ww_statement_parse(ww_buf_slice(&f->payload), &f->scratch, NULL,
					    &f->checked.statement, &why),
			 0);
	f->checked.payload = ww_buf_slice(&f->payload);
}

static void tear_down(struct fixture *f)
{
	ww_buf_done(&f->payload);
	ww_buf_done(&f->scratch);
}

static int make(struct fixture *f, struct sink *s)
{
	struct ww_errtext why = {""};

	return ww_report_html(WW_SLICE_LIT("{}\n"), &f->checked, take, s, &why);
}

/* Not all of a very large report is shown as text, but every record has its place. */
static void very_large(void **state)
{
	const size_t shown = WW_REPORT_HTML_TEXT_BYTES / RECORD_BYTES;
	struct sink s = {0};
	struct fixture f;

	set_up(&f);
	assert_int_equal(make(&f, &s), 0);
	assert_true(s.hidden > 0);
	assert_in_range(RECORDS - s.hidden, shown - 2, shown);
	assert_int_equal(s.anchors, RECORDS);
	assert_true(s.bytes < WW_REPORT_HTML_TEXT_BYTES + (1u << 20));
	assert_true(s.largest <= WW_HTML_PIECE_BYTES + WW_HTML_TEXT_MAX);
	tear_down(&f);
}

static void refused(void **state)
{
	struct sink s = {.fail_at = 200000};
	struct ww_errtext why = {""};
	struct fixture f;

	set_up(&f);
	assert_int_equal(make(&f, &s), -ENOSPC);
	assert_true(s.bytes < s.fail_at + WW_HTML_PIECE_BYTES + WW_HTML_TEXT_MAX);
	s = (struct sink){0};
	assert_int_equal(ww_report_html(WW_SLICE_LIT("</template>"), &f.checked, take, &s, &why),
			 -EINVAL);
	f.checked.consistent = false;
	s = (struct sink){0};
	assert_int_equal(make(&f, &s), -EBADMSG);
	assert_int_equal(s.bytes, 0);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(very_large),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "out/html.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static int keep(void *ctx, struct ww_slice piece)
{
	return ww_buf_add(ctx, piece.p, piece.n);
}

struct fixture {
	struct ww_buf out;
	struct ww_html h;
};

static void begin(struct fixture *f)
{
	ww_buf_init(&f->out, 8u << 20);
	ww_html_init(&f->h, keep, &f->out);
}

static void end(struct fixture *f, const char *want)
{
	assert_int_equal(ww_html_end(&f->h), 0);
	if (!ww_slice_eq_str(ww_buf_slice(&f->out), want))
		fail_msg("got    %.*s\nwanted %s", (int)f->out.n, (const char *)f->out.p, want);
	ww_html_done(&f->h);
	ww_buf_done(&f->out);
}

static void text(const void *p, size_t n, const char *want)
{
	struct fixture f;

	begin(&f);
	ww_html_text(&f.h, ww_slice(p, n));
	end(&f, want);
}

static void escaped(void **state)
{
	struct fixture f;

#define TEXT(in, want) text(in, sizeof(in) - 1, want)
	TEXT("plain", "plain");
	TEXT("", "");
	TEXT("</td><script>&amp;", "&lt;/td&gt;&lt;script&gt;&amp;amp;");
	TEXT("a\0b\x1b[2J\n\x7f", "a\\x00b\\x1b[2J\\x0a\\x7f");
	TEXT("\xe2\x80\xae<\xe2\x81\xa6", "\\u{202e}&lt;\\u{2066}");
	TEXT("\xff\xc0\xaf<\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;\xef\xbf\xbd");
	TEXT("gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac");
	begin(&f);
	ww_html_open(&f.h, "a");
	ww_html_attr_str(&f.h, "title", "\" onload='x' <&>\n");
	ww_html_attr_mark(&f.h, "href", "#r-", UINT64_MAX);
	ww_html_str(&f.h, "it's \"x\"");
	end(&f, "<a title=\"&quot; onload=&#39;x&#39; &lt;&amp;&gt;\\x0a\""
		" href=\"#r-18446744073709551615\">it's \"x\"</a>");
}

static void structure(void **state)
{
	struct fixture f;

	begin(&f);
	ww_html_open(&f.h, "p");
	ww_html_put(&f.h, "b", "v", "<");
	ww_html_open(&f.h, "br");
	ww_html_close(&f.h);
	ww_html_open(&f.h, "i");
	ww_html_close(&f.h);
	ww_html_u64(&f.h, 7);
	ww_html_lines(&f.h, WW_SLICE_LIT("\na<\r\nb\n"));
	ww_html_raw(&f.h, "<!-- ours -->");
	end(&f, "<p><b class=\"v\">&lt;</b><br><i></i>7\na&lt;\\x0d\nb\n<!-- ours --></p>");
}

static void embedded(void **state)
{
	static const char *const refused[] = {"a<b", "a&b", "\x01", "\x7f", "\x1b"};
	struct fixture f;

	begin(&f);
	ww_html_open(&f.h, "template");
	ww_html_embed(&f.h, WW_SLICE_LIT("{\"a\":1}\n"));
	end(&f, "<template>\n{\"a\":1}\n</template>");
	begin(&f);
	ww_html_open(&f.h, "template");
	ww_html_embed(&f.h, WW_SLICE_LIT("{\r\n\t\xe2\x80\x94}"));
	end(&f, "<template>\n{\r\n\t\xe2\x80\x94}\n</template>");
	for (size_t i = 0; i < WW_ARRAY_SIZE(refused); i++) {
		begin(&f);
		ww_html_embed(&f.h, ww_slice_str(refused[i]));
		assert_int_equal(ww_html_end(&f.h), -EINVAL);
		ww_html_done(&f.h);
		ww_buf_done(&f.out);
	}
}

static int refuse(void *ctx, struct ww_slice piece)
{
	unsigned *calls = ctx;

	return ++*calls == 2 ? -ENOSPC : 0;
}

/* Memory stays that of a piece, and the first error ends it. */
static void bounded(void **state)
{
	static const char letters[] = "0123456789abcdef";
	unsigned calls = 0;
	struct ww_html h;

	ww_html_init(&h, refuse, &calls);
	for (unsigned i = 0; i < 100000; i++) {
		ww_html_str(&h, letters);
		assert_true(h.out.n <= WW_HTML_PIECE_BYTES + sizeof(letters));
	}
	assert_int_equal(ww_html_end(&h), -ENOSPC);
	assert_int_equal(calls, 2);
	ww_html_done(&h);
}

static void too_long(void **state)
{
	WW_AUTO_FREE char *p = malloc(WW_HTML_TEXT_MAX);
	struct fixture f;

	assert_non_null(p);
	memset(p, '\1', WW_HTML_TEXT_MAX);
	begin(&f);
	ww_html_text(&f.h, ww_slice(p, WW_HTML_TEXT_MAX));
	assert_int_equal(ww_html_end(&f.h), -EMSGSIZE);
	ww_html_done(&f.h);
	ww_buf_done(&f.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escaped), cmocka_unit_test(structure), cmocka_unit_test(embedded),
		cmocka_unit_test(bounded), cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

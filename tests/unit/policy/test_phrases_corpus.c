/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The product's phrase rules over the labelled sentences of tests/corpus/prose. Prints precision
 * and recall per kind, of the half that rules were tuned on and of the half that was held out, and
 * holds both to floors. -v: the misses of the tuning half, one line each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "action/phrase.h"
#include "rt/file.h"

#define CORPUS    "tests/corpus/prose/"
#define TEXT_MAX  4096
#define PAIRS_MAX 8

/* One or two texts below what was measured when the rules were made, see
 * tests/corpus/prose/README.md. */
static const struct {
	unsigned precision, recall; /* in hundredths */
} floors[2][WW_PHRASE_KIND_MAX] = {
	{{97, 96}, {97, 97}, {91, 91}}, /* tuning half: done, will, control */
	{{95, 96}, {94, 94}, {87, 87}}, /* held out */
};

struct pair {
	unsigned kind, topic;
};

struct tally {
	unsigned right, wrong, missed;
};

struct corpus {
	struct ww_phrases *phrases;
	struct ww_contracts *contracts;
	struct ww_phrase_scanner *scanner;
	struct ww_digest_key key;
	struct ww_buf file;
	bool verbose;
	unsigned texts[2], plain[2];
	struct tally tally[2][WW_PHRASE_KIND_MAX];
};

static bool verbose;

static int setup(void **state)
{
	struct corpus *c = calloc(1, sizeof(*c));
	struct ww_contract_error e = {0};
	char yaml[4096];
	size_t n;
	uint8_t key[32] = {7};

	assert_non_null(c);
	assert_int_equal(ww_phrases_parse(ww_phrases_default(), WW_SLICE_NULL, &c->phrases, &e), 0);
	n = (size_t)snprintf(yaml, sizeof(yaml), "version: 1\ncontracts:\n");
	for (unsigned i = 0; i < c->phrases->topic_count; i++)
		n += (size_t)snprintf(
			yaml + n, sizeof(yaml) - n,
			"- {tool: t%u, effect: network, destinations: [{name: a.test}], "
			"methods: [POST], paths: [/], topics: [%s]}\n",
			i, c->phrases->topics[i].name);
	assert_int_equal(ww_contracts_parse(ww_slice_str(yaml), &c->contracts, &e), 0);
	assert_int_equal(ww_phrases_bind(c->phrases, c->contracts), 0);
	assert_int_equal(ww_phrase_scanner_new(c->phrases, &c->scanner), 0);
	ww_digest_key_init(&c->key, key);
	ww_buf_init(&c->file, 1u << 20);
	c->verbose = verbose;
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct corpus *c = *state;

	ww_phrase_scanner_free(c->scanner);
	ww_phrases_free(c->phrases);
	ww_contracts_free(c->contracts);
	ww_buf_done(&c->file);
	free(c);
	return 0;
}

/* Takes the part up to the next tab, or the line's end, off *rest. */
static struct ww_slice field(struct ww_slice *rest)
{
	size_t end = ww_slice_find(*rest, 0, '\t');
	struct ww_slice f = ww_slice_sub(*rest, 0, end);

	*rest = ww_slice_sub(*rest, end + 1, SIZE_MAX);
	return f;
}

/* "\n" stands for a line end. */
static struct ww_slice unescape(struct ww_slice in, char *out)
{
	size_t n = 0;

	assert_true(in.n < TEXT_MAX);
	for (size_t i = 0; i < in.n; i++) {
		bool end = in.p[i] == '\\' && i + 1 < in.n && in.p[i + 1] == 'n';

		out[n++] = end ? '\n' : (char)in.p[i];
		i += end;
	}
	return ww_slice(out, n);
}

static unsigned topic_of(const struct corpus *c, struct ww_slice name)
{
	if (ww_slice_eq_str(name, "-"))
		name = ww_slice_str("control");
	for (unsigned i = 0; i < c->phrases->topic_count; i++) {
		if (ww_slice_eq_str(name, c->phrases->topics[i].name))
			return i;
	}
	fail_msg("no topic %.*s", (int)name.n, (const char *)name.p);
	return 0;
}

/* "done:refund,will:message" */
static unsigned expected(const struct corpus *c, struct ww_slice labels, struct pair *out)
{
	unsigned n = 0;

	while (labels.n && !ww_slice_eq_str(labels, "-")) {
		size_t end = ww_slice_find(labels, 0, ','), colon = ww_slice_find(labels, 0, ':');
		struct ww_slice kind = ww_slice_sub(labels, 0, colon);

		assert_true(colon < end && n < PAIRS_MAX);
		out[n].kind = WW_PHRASE_KIND_MAX;
		for (unsigned k = 0; k < WW_PHRASE_KIND_MAX; k++) {
			if (ww_slice_eq_str(kind, ww_phrase_kind_name(k)))
				out[n].kind = k;
		}
		assert_true(out[n].kind < WW_PHRASE_KIND_MAX);
		out[n++].topic = topic_of(c, ww_slice_sub(labels, colon + 1, end - colon - 1));
		labels = ww_slice_sub(labels, end + 1, SIZE_MAX);
	}
	return n;
}

static void tell(const struct corpus *c, const char *what, struct pair p, const char *rule,
		 struct ww_slice text)
{
	print_message("%s %s:%s %s| %.*s\n", what, ww_phrase_kind_name(p.kind),
		      c->phrases->topics[p.topic].name, rule, (int)text.n, (const char *)text.p);
}

static void judge(struct corpus *c, unsigned half, struct ww_slice labels, struct ww_slice text)
{
	struct pair want[PAIRS_MAX];
	unsigned n = expected(c, labels, want);
	struct ww_phrases_said said = {0};
	bool told = c->verbose && half == 0;

	ww_phrase_scan(c->scanner, text, ~0u, &c->key, &said);
	assert_false(said.over);
	for (unsigned i = 0; i < said.count; i++) {
		struct pair got = {said.items[i].kind, said.items[i].topic};
		unsigned k = 0;

		while (k < n && (want[k].kind != got.kind || want[k].topic != got.topic))
			k++;
		if (k < n) {
			c->tally[half][got.kind].right++;
			want[k] = want[--n];
			continue;
		}
		c->tally[half][got.kind].wrong++;
		if (told)
			tell(c, "wrong ", got, c->phrases->rules[said.items[i].rule].id, text);
	}
	for (unsigned k = 0; k < n; k++) {
		c->tally[half][want[k].kind].missed++;
		if (told)
			tell(c, "missed", want[k], "", text);
	}
}

static unsigned hundredths(unsigned part, unsigned all)
{
	return all ? 100 * part / all : 100;
}

static void test_sentences(void **state)
{
	static const char *const halves[] = {"tuning", "held out"};
	struct corpus *c = *state;
	struct ww_slice rest, line;

	assert_int_equal(ww_file_read(CORPUS "sentences.tsv", &c->file), 0);
	rest = ww_buf_slice(&c->file);
	while (ww_slice_line(&rest, &line)) {
		char text[TEXT_MAX];
		struct ww_slice labels;
		struct ww_sha256 d;
		unsigned half;

		if (line.n == 0 || line.p[0] == '#')
			continue;
		labels = field(&line);
		(void)field(&line);
		(void)field(&line);
		ww_sha256(line, &d);
		half = d.b[0] & 1;
		c->texts[half]++;
		c->plain[half] += ww_slice_eq_str(labels, "-");
		judge(c, half, labels, unescape(line, text));
	}
	assert_true(c->texts[0] + c->texts[1] >= 400);
	assert_true(2 * (c->plain[0] + c->plain[1]) >= c->texts[0] + c->texts[1]);
	for (unsigned h = 0; h < 2; h++) {
		print_message("%s: %u texts, %u of them without a claim\n", halves[h], c->texts[h],
			      c->plain[h]);
		for (unsigned k = 0; k < WW_PHRASE_KIND_MAX; k++) {
			const struct tally *t = &c->tally[h][k];
			unsigned precision = hundredths(t->right, t->right + t->wrong);
			unsigned recall = hundredths(t->right, t->right + t->missed);

			print_message(
				"  %-7s precision %3u %% (%u of %u), recall %3u %% (%u of %u)\n",
				ww_phrase_kind_name(k), precision, t->right, t->right + t->wrong,
				recall, t->right, t->right + t->missed);
			assert_true(precision >= floors[h][k].precision);
			assert_true(recall >= floors[h][k].recall);
		}
	}
}

static void test_unrelated(void **state)
{
	struct corpus *c = *state;
	struct ww_slice rest, line;
	unsigned lines = 0, hits = 0;

	assert_int_equal(ww_file_read(CORPUS "unrelated.txt", &c->file), 0);
	rest = ww_buf_slice(&c->file);
	while (ww_slice_line(&rest, &line)) {
		struct ww_phrases_said said = {0};

		ww_phrase_scan(c->scanner, line, ~0u, &c->key, &said);
		for (unsigned i = 0; i < said.count; i++) {
			struct pair got = {said.items[i].kind, said.items[i].topic};

			tell(c, "wrong ", got, c->phrases->rules[said.items[i].rule].id, line);
		}
		hits += said.count;
		lines++;
	}
	print_message("unrelated: %u lines, %u claims\n", lines, hits);
	assert_true(lines >= 400);
	assert_int_equal(hits, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sentences, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unrelated, setup, teardown),
	};

	verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

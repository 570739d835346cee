/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks the invariants of dns.h, by number; messages of another implementation, and what it reads
 * of them, are in tests/golden/dns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "base/encode.h"
#include "base/own.h"
#include "proto/dns.h"

static struct ww_dns m;
static struct ww_parse_error error;

/* Exactly as many bytes: a read behind them shows. */
static enum ww_parse parse_of(const void *bytes, size_t n, size_t whole)
{
	WW_AUTO_FREE uint8_t *copy = malloc(n ? n : 1);
	enum ww_parse r;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	r = ww_dns_parse(ww_slice(copy, n), whole, &m, &error);
	return r;
}

#define PARSE(lit) parse_of(lit, sizeof(lit) - 1, sizeof(lit) - 1)

#define HEAD(answers) "\x12\x34\x81\x80\0\1\0" answers "\0\0\0\0"
#define QUESTION      "\1a\4test\0\0\1\0\1"

/* --- invariant 1: names --------------------------------------------------------------------------
 */

static void must_refuse_pointers(void **state)
{
	/* To itself, forward, in a circle, behind the end. */
	assert_int_equal(PARSE(HEAD("\0") "\xc0\x0c\0\1\0\1"), WW_PARSE_BAD);
	assert_int_equal(error.at, 14);
	assert_string_equal(error.reason, "pointer");
	assert_int_equal(PARSE(HEAD("\0") "\xc0\x0e\0\1\0\1"), WW_PARSE_BAD);
	assert_int_equal(PARSE(HEAD("\0") "\1a\xc0\x0c\0\1\0\1"), WW_PARSE_BAD);
	assert_int_equal(PARSE(HEAD("\0") "\xff\xff\0\1\0\1"), WW_PARSE_BAD);
	assert_int_equal(PARSE(HEAD("\1") QUESTION "\xc0\x15\0\1\0\1\0\0\0\0\0\0"), WW_PARSE_BAD);
	/* Into labels that reach over where it stands. */
	assert_int_equal(PARSE("\x03\x34\x81\x80\0\1\0\0\0\0\0\0\xc0\0\0\1\0\1"), WW_PARSE_DONE);
	assert_int_equal(PARSE("\x0d\x34\x81\x80\0\1\0\0\0\0\0\0\xc0\0\0\1\0\1"), WW_PARSE_BAD);
	assert_string_equal(error.reason, "pointer");
	/* Half of one. */
	assert_int_equal(PARSE(HEAD("\0") "\1a\xc0"), WW_PARSE_BAD);
	assert_string_equal(error.reason, "short");
}

static void must_refuse_labels(void **state)
{
	assert_int_equal(PARSE(HEAD("\0") "\x40" QUESTION), WW_PARSE_BAD);
	assert_string_equal(error.reason, "label");
	assert_int_equal(PARSE(HEAD("\0") "\x80" QUESTION), WW_PARSE_BAD);
}

/* A name of so many bytes of labels, then the root. */
static size_t put_name(uint8_t *out, size_t bytes)
{
	size_t n = 0;

	while (bytes > 0) {
		size_t label = bytes > 64 ? 64 : bytes;

		if (bytes - label == 1) /* no room for the next length and a byte */
			label--;
		out[n] = (uint8_t)(label - 1);
		memset(out + n + 1, 'x', label - 1);
		n += label;
		bytes -= label;
	}
	out[n++] = 0;
	return n;
}

static void must_refuse_long_names(void **state)
{
	for (size_t bytes = 250; bytes < 260; bytes++) {
		uint8_t in[400] = {0, 1, 1, 0, 0, 1};
		size_t n = 12 + put_name(in + 12, bytes);

		memcpy(in + n, "\0\1\0\1", 4);
		assert_int_equal(parse_of(in, n + 4, n + 4),
				 bytes + 1 <= WW_DNS_NAME_BYTES ? WW_PARSE_DONE : WW_PARSE_BAD);
	}
}

/* A record whose data are so many pointers, each to the one before it, and a record that is named
 * by the last of them. */
static enum ww_parse parse_chain(unsigned count)
{
	uint8_t in[1024] = "\0\1\1\0\0\1\0\0\0\0\0\2\1a\0\0\1\0\1\0\xff\0\0\1\0\0\0\0";
	size_t n = 12 + 7 + 9;

	in[n++] = (uint8_t)(2 * count >> 8);
	in[n++] = (uint8_t)(2 * count);
	for (unsigned i = 0; i <= count; i++) {
		size_t to = i ? n - 2 : 12;

		in[n++] = (uint8_t)(0xc0 | to >> 8);
		in[n++] = (uint8_t)to;
	}
	memcpy(in + n, "\xff\0\0\1\0\0\0\0\0\0", 10);
	return parse_of(in, n + 10, n + 10);
}

static void must_bound_pointers(void **state)
{
	assert_int_equal(parse_chain(1), WW_PARSE_DONE);
	assert_int_equal(parse_chain(127), WW_PARSE_DONE);
	assert_int_equal(parse_chain(128), WW_PARSE_BAD);
	assert_string_equal(error.reason, "pointer");
}

/* --- invariant 2 and text ------------------------------------------------------------------------
 */

static void must_write_names(void **state)
{
	char text[WW_DNS_TEXT_MAX];
	static const uint8_t odd[] = "\6A.b\\ \"\3\xff\0\n";

	assert_int_equal(PARSE(HEAD("\0") "\3WwW\4TEST\0\0\1\0\1"), WW_PARSE_DONE);
	ww_dns_name_text(ww_slice(m.name.bytes, m.name.n), text);
	assert_string_equal(text, "www.test");
	assert_int_equal(PARSE(HEAD("\0") "\0\0\1\0\1"), WW_PARSE_DONE);
	ww_dns_name_text(ww_slice(m.name.bytes, m.name.n), text);
	assert_string_equal(text, ".");
	ww_dns_name_text(ww_slice(odd, sizeof(odd)), text);
	assert_string_equal(text, "A\\.b\\\\\\032\\\".\\255\\000\\010");
	ww_dns_type_text(65280, text);
	assert_string_equal(text, "TYPE65280");
	ww_dns_rcode_text(23, text);
	assert_string_equal(text, "RCODE23");
}

static void must_fit_the_longest_name(void **state)
{
	uint8_t in[400] = {0, 1, 1, 0, 0, 1};
	size_t n = 12 + put_name(in + 12, 254);
	char text[WW_DNS_TEXT_MAX];

	for (size_t i = 12; i < n; i++)
		in[i] = in[i] == 'x' ? 0xff : in[i];
	memcpy(in + n, "\0\1\0\1", 4);
	assert_int_equal(parse_of(in, n + 4, n + 4), WW_PARSE_DONE);
	ww_dns_name_text(ww_slice(m.name.bytes, m.name.n), text);
	assert_true(strlen(text) > 990 && strlen(text) < sizeof(text));
}

/* --- invariant 3: records ------------------------------------------------------------------------
 */

#define RR(type, ttl, length) "\xc0\x0c" type "\0\1" ttl length

static void must_keep_to_the_length(void **state)
{
	assert_int_equal(PARSE(HEAD("\1") QUESTION RR("\0\1", "\0\0\0\5", "\0\3") "\1\2\3\4"),
			 WW_PARSE_BAD);
	assert_string_equal(error.reason, "address");
	assert_int_equal(PARSE(HEAD("\1") QUESTION RR("\0\x1c", "\0\0\0\5", "\0\4") "\1\2\3\4"),
			 WW_PARSE_BAD);
	/* An alias that ends before its data does, and one that goes on behind it. */
	assert_int_equal(PARSE(HEAD("\1") QUESTION RR("\0\5", "\0\0\0\5", "\0\4") "\1b\0\0"),
			 WW_PARSE_BAD);
	assert_string_equal(error.reason, "record length");
	assert_int_equal(PARSE(HEAD("\1") QUESTION RR("\0\5", "\0\0\0\5", "\0\2") "\1b\0"),
			 WW_PARSE_BAD);
	/* Parameters of a binding that are longer than it is. */
	assert_int_equal(PARSE(HEAD("\1") QUESTION RR("\0\x41", "\0\0\0\5",
						      "\0\7") "\0\1\0\0\4\0\x08\1\2\3\4\5\6\7\x08"),
			 WW_PARSE_BAD);
	assert_int_equal(PARSE(HEAD("\1") QUESTION RR("\0\x41", "\0\0\0\5",
						      "\0\x0b") "\0\1\0\0\5\0\0\0\1\0\0"),
			 WW_PARSE_BAD);
	assert_string_equal(error.reason, "order of parameters");
}

static void must_read_a_binding(void **state)
{
	static const struct {
		uint8_t bytes;
		const char *data;
	} bad[] = {
		{9, "\0\1\0\0\1\0\2\2h"},       /* a protocol that is cut */
		{7, "\0\1\0\0\1\0\0"},          /* none */
		{8, "\0\1\0\0\1\0\1\0"},        /* an empty one */
		{7, "\0\1\0\0\4\0\0"},          /* no address */
		{10, "\0\1\0\0\4\0\3\1\2\3"},   /* a part of one */
		{11, "\0\1\0\0\6\0\4\1\2\3\4"}, /* likewise */
	};
	uint8_t in[64] = HEAD("\1") QUESTION RR("\0\x41", "\0\0\0\5", "\0\0");
	size_t n = 12 + sizeof(QUESTION) - 1 + 12;

	assert_int_equal(PARSE(HEAD("\1") QUESTION RR(
				 "\0\x41", "\0\0\0\5",
				 "\0\x1a") "\0\1\0\0\1\0\6\2h3\2h2\0\4\0\4\1\2\3\4\0\5\0\1"),
			 WW_PARSE_BAD);
	assert_int_equal(PARSE(HEAD("\1") QUESTION RR(
				 "\0\x41", "\0\0\0\5",
				 "\0\x1a") "\0\1\0\0\1\0\6\2h3\2h2\0\4\0\4\1\2\3\4\0\5\0\1k"),
			 WW_PARSE_DONE);
	assert_string_equal(m.record[0].alpn, "h3,h2");
	assert_true(m.record[0].ech);
	assert_int_equal(m.record[0].addresses, 1);
	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		in[n - 1] = bad[i].bytes;
		memcpy(in + n, bad[i].data, bad[i].bytes);
		assert_int_equal(parse_of(in, n + bad[i].bytes, n + bad[i].bytes), WW_PARSE_BAD);
		in[n + 1] = 0; /* an alias: they are ignored */
		assert_int_equal(parse_of(in, n + bad[i].bytes, n + bad[i].bytes), WW_PARSE_DONE);
	}
}

static void a_gap_is_no_fault(void **state)
{
	static const char in[] = HEAD("\2") QUESTION RR("\0\1", "\0\0\0\5", "\0\4") "\1\2\3\4" RR(
		"\0\1", "\0\0\0\5", "\0\4") "\5\6\7\x08";

	for (size_t n = 0; n < sizeof(in) - 1; n++) {
		assert_int_equal(parse_of(in, n, sizeof(in) - 1), WW_PARSE_GAP);
		assert_int_equal(parse_of(in, n, n), WW_PARSE_BAD);
		assert_string_equal(error.reason, "short");
	}
	assert_int_equal(parse_of(in, sizeof(in) - 1, sizeof(in) - 1), WW_PARSE_DONE);
	assert_int_equal(m.records, 2);
	/* Bytes behind it are nobody's. */
	assert_int_equal(parse_of(in, sizeof(in), sizeof(in) + 5), WW_PARSE_DONE);
}

/* *ret is changed by DONE alone; a truncated one is read as far as it is there. */
static void what_is_cut_by_the_server(void **state)
{
	static const char in[] = "\x12\x34\x83\x80\0\1\0\2\0\0\0\0" QUESTION RR(
		"\0\1", "\0\0\0\5", "\0\4") "\1\2\3\4" RR("\0\1", "\0\0\0\5", "\0\4") "\5\6";

	assert_int_equal(PARSE(in), WW_PARSE_DONE);
	assert_true(m.truncated);
	assert_int_equal(m.records, 1);
	assert_int_equal(PARSE("\x43\x21"), WW_PARSE_BAD);
	assert_int_equal(m.id, 0x1234);
	assert_int_equal(PARSE("\x43\x21\x83\x80\0\1\0\2\0\0\0\0\1a"), WW_PARSE_BAD);
}

static void must_count_beyond_the_ceiling(void **state)
{
	uint8_t in[4096] = "\x12\x34\x81\x80\0\1\0\x28\0\0\0\0" QUESTION;
	size_t n = 12 + sizeof(QUESTION) - 1;

	for (unsigned i = 0; i < 40; i++, n += 16)
		memcpy(in + n, RR("\0\1", "\x80\0\0\5", "\0\4") "\1\2\3\4", 16);
	assert_int_equal(parse_of(in, n, n), WW_PARSE_DONE);
	assert_int_equal(m.records, WW_DNS_RECORDS_MAX);
	assert_int_equal(m.others, 40 - WW_DNS_RECORDS_MAX);
	assert_true(m.more);
	assert_int_equal(m.record[0].ttl, 0); /* RFC 2181 section 8 */
}

static void frames_of_a_stream(void **state)
{
	static const uint8_t in[] = {0, 3, 'a', 'b', 'c', 0, 0, 0, 2, 'd'};
	struct ww_slice message;

	for (size_t n = 0; n < 5; n++)
		assert_int_equal(ww_dns_frame(ww_slice(in, n), &message), WW_PARSE_MORE);
	assert_int_equal(ww_dns_frame(ww_slice(in, sizeof(in)), &message), WW_PARSE_DONE);
	assert_true(ww_slice_eq_str(message, "abc"));
	assert_int_equal(ww_dns_frame(ww_slice(in + 5, 5), &message), WW_PARSE_DONE);
	assert_int_equal(message.n, 0);
	assert_int_equal(ww_dns_frame(ww_slice(in + 7, 3), &message), WW_PARSE_MORE);
}

/* --- as others read it ---------------------------------------------------------------------------
 */

static void put_record(FILE *out, const struct ww_dns_record *rr)
{
	char name[WW_DNS_TEXT_MAX], target[WW_DNS_TEXT_MAX], text[INET6_ADDRSTRLEN];

	ww_dns_name_text(ww_slice(rr->name.bytes, rr->name.n), name);
	ww_dns_name_text(ww_slice(rr->target.bytes, rr->target.n), target);
	fprintf(out, "; %s %u %u ", name, rr->type, rr->ttl);
	if (rr->type == WW_DNS_CNAME)
		fprintf(out, "%s", target);
	if (rr->type == WW_DNS_SVCB || rr->type == WW_DNS_HTTPS)
		fprintf(out, "%u %s [%s] %d ", rr->priority, target, rr->alpn, rr->ech);
	for (unsigned i = 0; i < rr->addresses; i++) {
		inet_ntop(rr->address[i].v6 ? AF_INET6 : AF_INET, rr->address[i].bytes, text,
			  sizeof(text));
		fprintf(out, "%s%s", i ? "," : "", text);
	}
	fprintf(out, "%s", rr->more ? "+" : "");
}

static void put_message(FILE *out)
{
	char name[WW_DNS_TEXT_MAX];

	ww_dns_name_text(ww_slice(m.name.bytes, m.name.n), name);
	fprintf(out, "%u %d %u %u %d; ", m.id, m.response, m.opcode, m.rcode, m.truncated);
	if (m.edns)
		fprintf(out, "%u; ", m.edns_bytes);
	else
		fprintf(out, "-; ");
	fprintf(out, "%u; ", m.questions);
	if (m.questions)
		fprintf(out, "%s %u %u", name, m.type, m.class);
	else
		fprintf(out, "-");
	fprintf(out, "; %u", m.others);
	for (unsigned i = 0; i < m.records; i++)
		put_record(out, &m.record[i]);
}

/* What is read of one of them, in the words of the file. */
static void say(enum ww_parse r, char *text, size_t n)
{
	FILE *out = fmemopen(text, n, "w");

	assert_non_null(out);
	if (r == WW_PARSE_DONE)
		put_message(out);
	else
		fprintf(out, "%s", r == WW_PARSE_BAD ? "bad" : "gap");
	assert_int_equal(fclose(out), 0);
}

static void must_read_what_others_read(void **state)
{
	static char line[16384], got[65536];
	static uint8_t bytes[8192];
	unsigned read = 0, bad = 0;
	FILE *f = fopen("tests/golden/dns/cases", "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *wanted = strchr(line, ' ');
		size_t n = (size_t)(wanted - line) / 2;

		wanted[strcspn(wanted, "\n")] = '\0';
		wanted++;
		assert_true(n <= sizeof(bytes));
		assert_int_equal(ww_hex_decode(ww_slice(line, 2 * n), bytes, n), 0);
		say(parse_of(bytes, n, n), got, sizeof(got));
		bad += strcmp(wanted, "bad") == 0;
		read += strchr(wanted, ';') != NULL;
		if (strcmp(wanted, "either") == 0 || strcmp(got, wanted) == 0)
			continue;
		fprintf(stderr, "%s\ngot    %s\nwanted %s\n", line, got, wanted);
		fail();
	}
	fclose(f);
	assert_true(read > 400 && bad > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_refuse_pointers),
		cmocka_unit_test(must_refuse_labels),
		cmocka_unit_test(must_refuse_long_names),
		cmocka_unit_test(must_bound_pointers),
		cmocka_unit_test(must_write_names),
		cmocka_unit_test(must_fit_the_longest_name),
		cmocka_unit_test(must_keep_to_the_length),
		cmocka_unit_test(must_read_a_binding),
		cmocka_unit_test(a_gap_is_no_fault),
		cmocka_unit_test(what_is_cut_by_the_server),
		cmocka_unit_test(must_count_beyond_the_ceiling),
		cmocka_unit_test(frames_of_a_stream),
		cmocka_unit_test(must_read_what_others_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

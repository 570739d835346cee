/* SPDX-License-Identifier: Apache-2.0 */
/* The hellos are those of OpenSSL 3.0 (memory BIOs, name api.provider.example, ALPN http/1.1 and
 * h2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/tls_hello.h"

#include "base/encode.h"

static const char client_13[] =
	"1603010200010001fc030321aef8a2bb70de7aa90720c0fa6d3d40f2fc8d30f9785ade16bde5ffe5fcf5"
	"e520bbf51c093df9afafc62efef827e19f770a669fda3574c94504b289c21c6010f70024130213031301"
	"c02cc030c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff0100018f0000001900170000"
	"146170692e70726f76696465722e6578616d706c65000b000403000102000a00160014001d0017001e00"
	"19001801000101010201030104002300000010000e000c08687474702f312e3102683200160000001700"
	"00000d002a0028040305030603080708080809080a080b08040805080604010501060103030301030204"
	"0205020602002b00050403040303002d00020101003300260024001d0020165c8f6842eeced45024d139"
	"fcd43f429dc6d7912f16321f6bc202ce41329f5f001500c7000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000";
static const char server_13[] =
	"160303007a020000760303a92e7c9fc04ac588f5d457ce42467738075ba5828de4aefcd6bef1cb2c6386"
	"c620bbf51c093df9afafc62efef827e19f770a669fda3574c94504b289c21c6010f7130200002e002b00"
	"02030400330024001d0020dc3ccf557408e906fb24a66108e509ce198d74aa85d0f7571cb1d8275376b8"
	"64";
static const char client_12[] =
	"16030100cc010000c80303245a8ac66a3d6317afe7cd966f41e15c91476ae997fd10f9ad04232c593534"
	"b400001ec02cc030c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff0100008100000019"
	"00170000146170692e70726f76696465722e6578616d706c65000b000403000102000a000c000a001d00"
	"17001e00190018002300000010000e000c08687474702f312e310268320016000000170000000d002a00"
	"28040305030603080708080809080a080b080408050806040105010601030303010302040205020602";
static const char server_12[] =
	"16030300500200004c0303c0142b734a9460b570f39ad444db04bdd473310c1211f133444f574e475244"
	"0100c030000024ff01000100000b000403000102002300000010000b000908687474702f312e31001700"
	"00";

#define HELLO_MAX 1024

static struct ww_slice unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= HELLO_MAX);
	assert_int_equal(ww_hex_decode(ww_slice_str(hex), out, n), 0);
	return ww_slice(out, n);
}

static void must_refuse_other_records(void **state)
{
	static const char *const bad[] = {
		"1703030010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", /* application data */
		"1601010010010000aa0303aaaaaaaaaaaaaaaaaaaa", /* not a TLS version */
		"16030100100b0000aa0303aaaaaaaaaaaaaaaaaaaa", /* Certificate */
	};
	uint8_t raw[HELLO_MAX];
	struct ww_tls_facts facts = {0}, zero = {0};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_tls_hello_parse(unhex(bad[i], raw), true, &facts),
				 WW_PARSE_BAD);
	assert_int_equal(ww_tls_hello_parse(unhex(client_13, raw), false, &facts), WW_PARSE_BAD);
	assert_int_equal(ww_tls_hello_parse(unhex(server_13, raw), true, &facts), WW_PARSE_BAD);
	assert_int_equal(ww_tls_hello_parse(WW_SLICE_NULL, true, &facts), WW_PARSE_MORE);
	assert_memory_equal(&facts, &zero, sizeof(facts));
}

/* Grows each two-byte length that governs the name by one: each must contradict the one around it.
 */
static void must_refuse_inner_length_beyond_outer(void **state)
{
	static const char *const name = "api.provider.example";
	uint8_t raw[HELLO_MAX];
	struct ww_tls_facts facts = {0};
	struct ww_slice in = unhex(client_12, raw);
	uint8_t *at = memmem(raw, in.n, name, strlen(name));

	assert_non_null(at);
	/* Lower bytes of the lengths of name (-1), list of names (-4) and extension (-6). */
	for (int back = 1; back <= 6; back += back == 1 ? 3 : 2) {
		in = unhex(client_12, raw);
		at[-back]++;
		assert_int_equal(ww_tls_hello_parse(in, true, &facts), WW_PARSE_BAD);
	}
	/* The list of extensions longer than the message. */
	in = unhex(client_12, raw);
	at[-10]++;
	assert_int_equal(ww_tls_hello_parse(in, true, &facts), WW_PARSE_BAD);
	assert_string_equal(facts.sni, "");
}

static void must_refuse_names_that_are_not_text(void **state)
{
	static const char *const name = "api.provider.example";
	uint8_t raw[HELLO_MAX];
	struct ww_tls_facts facts = {0};
	struct ww_slice in = unhex(client_13, raw);
	uint8_t *at = memmem(raw, in.n, name, strlen(name));

	at[3] = '\0';
	assert_int_equal(ww_tls_hello_parse(in, true, &facts), WW_PARSE_BAD);
	at[3] = 0x1b;
	assert_int_equal(ww_tls_hello_parse(in, true, &facts), WW_PARSE_BAD);
	assert_string_equal(facts.sni, "");
}

static void reads_tls13(void **state)
{
	uint8_t raw[HELLO_MAX];
	struct ww_tls_facts facts = {0};

	assert_int_equal(ww_tls_hello_parse(unhex(client_13, raw), true, &facts), WW_PARSE_DONE);
	assert_true(facts.client_hello);
	assert_false(facts.server_hello);
	assert_string_equal(facts.sni, "api.provider.example");
	assert_string_equal(facts.alpn, "http/1.1");
	assert_int_equal(facts.alpn_offered, 2);
	assert_int_equal(facts.version_offered, 0x0304);
	assert_int_equal(facts.version, 0);
	assert_false(facts.ech || facts.client_cut);
	assert_int_equal(ww_tls_hello_parse(unhex(server_13, raw), false, &facts), WW_PARSE_DONE);
	assert_true(facts.server_hello);
	assert_int_equal(facts.version, 0x0304);
	assert_int_equal(facts.cipher, 0x1302);
	assert_string_equal(facts.sni, "api.provider.example");
}

static void reads_tls12(void **state)
{
	uint8_t raw[HELLO_MAX];
	struct ww_tls_facts facts = {0};

	assert_int_equal(ww_tls_hello_parse(unhex(client_12, raw), true, &facts), WW_PARSE_DONE);
	assert_int_equal(facts.version_offered, 0x0303);
	assert_int_equal(ww_tls_hello_parse(unhex(server_12, raw), false, &facts), WW_PARSE_DONE);
	assert_int_equal(facts.version, 0x0303);
	assert_int_equal(facts.cipher, 0xc030);
	assert_string_equal(facts.alpn, "http/1.1");
}

/* The last extension of the TLS 1.3 hello is padding: it becomes an encrypted_client_hello. */
static void sees_ech(void **state)
{
	uint8_t raw[HELLO_MAX];
	struct ww_tls_facts facts = {0};
	struct ww_slice in = unhex(client_13, raw);
	uint8_t *at = memmem(raw, in.n, "\x00\x15\x00\xc7", 4);

	assert_non_null(at);
	at[0] = 0xfe;
	at[1] = 0x0d;
	assert_int_equal(ww_tls_hello_parse(in, true, &facts), WW_PARSE_DONE);
	assert_true(facts.ech);
}

/* Cut anywhere it is MORE, and what was read is a part of the whole, never something else. */
static void cut_anywhere_is_short_not_wrong(void **state)
{
	static const char *const hello[] = {client_13, server_13, client_12, server_12};
	uint8_t raw[HELLO_MAX];

	for (size_t i = 0; i < WW_ARRAY_SIZE(hello); i++) {
		struct ww_slice in = unhex(hello[i], raw);
		struct ww_tls_facts whole = {0};
		bool client = i % 2 == 0;

		assert_int_equal(ww_tls_hello_parse(in, client, &whole), WW_PARSE_DONE);
		for (size_t n = 0; n < in.n; n++) {
			struct ww_tls_facts part = {0};
			uint8_t *exact = malloc(n + 1); /* so that a read beyond n is seen */

			memcpy(exact, in.p, n);
			exact = realloc(exact, n ? n : 1);
			assert_int_equal(ww_tls_hello_parse(ww_slice(exact, n), client, &part),
					 WW_PARSE_MORE);
			assert_true(!client || !part.client_hello || part.client_cut);
			assert_true(!part.sni[0] || strcmp(part.sni, whole.sni) == 0);
			assert_true(!part.alpn[0] || strcmp(part.alpn, whole.alpn) == 0);
			assert_true(!part.cipher || part.cipher == whole.cipher);
			assert_true(part.version_offered <= whole.version_offered);
			free(exact);
		}
	}
}

/* Of QUIC the message comes without a record around it: the same is read, and cut the same way. */
static void reads_the_message_alone(void **state)
{
	uint8_t raw[HELLO_MAX];
	struct ww_tls_facts record = {0};
	struct ww_slice in = unhex(client_13, raw), message = ww_slice_sub(in, 5, in.n);

	assert_int_equal(ww_tls_hello_parse(in, true, &record), WW_PARSE_DONE);
	for (size_t n = 0; n <= message.n; n++) {
		struct ww_tls_facts facts = {0};

		assert_int_equal(ww_tls_hello_message(ww_slice_sub(message, 0, n), true, &facts),
				 n < message.n ? WW_PARSE_MORE : WW_PARSE_DONE);
		assert_true(n < message.n || memcmp(&facts, &record, sizeof(facts)) == 0);
	}
	assert_int_equal(ww_tls_hello_message(in, true, &record), WW_PARSE_BAD);
}

static void survives_every_changed_byte(void **state)
{
	uint8_t raw[HELLO_MAX];
	struct ww_slice in = unhex(client_13, raw);

	for (size_t at = 0; at < in.n; at++) {
		uint8_t old = raw[at];

		for (unsigned v = 0; v < 256; v += 5) {
			struct ww_tls_facts facts = {0};

			raw[at] = (uint8_t)v;
			(void)ww_tls_hello_parse(in, true, &facts);
			assert_true(strnlen(facts.sni, sizeof(facts.sni)) < sizeof(facts.sni));
			assert_true(strnlen(facts.alpn, sizeof(facts.alpn)) < sizeof(facts.alpn));
		}
		raw[at] = old;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_refuse_other_records),
		cmocka_unit_test(must_refuse_inner_length_beyond_outer),
		cmocka_unit_test(must_refuse_names_that_are_not_text),
		cmocka_unit_test(reads_tls13),
		cmocka_unit_test(reads_tls12),
		cmocka_unit_test(sees_ech),
		cmocka_unit_test(cut_anywhere_is_short_not_wrong),
		cmocka_unit_test(reads_the_message_alone),
		cmocka_unit_test(survives_every_changed_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First flights of TLS 1.2 servers as OpenSSL 3.0 sends them (ServerHello, Certificate,
 * ServerKeyExchange, ServerHelloDone, a record each). Digests are what `openssl x509 -fingerprint`
 * prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/events.h"
#include "base/encode.h"
#include "flow/certificate.h"

static const char two[] =
	"16030300410200003d030350b2e167f6e4affe0b72886921eddd98c6273977a85ce34f1416596d991319"
	"f800c02c000015ff01000100000b000403000102002300000017000016030301d70b0001d30001d00001"
	"cd308201c930820170a003020102021441766d50102d72a1af405612683d563b200ada3d300a06082a86"
	"48ce3d040302301f311d301b06035504030c146170692e70726f76696465722e6578616d706c65301e17"
	"0d3236313132383031303430325a170d3336313132353031303430325a301f311d301b06035504030c14"
	"6170692e70726f76696465722e6578616d706c653059301306072a8648ce3d020106082a8648ce3d0301"
	"070342000424d811a134be8bfdedc6e98fdc033d24d89a3780e1a11423441c37f4efc1e3ea19191b7476"
	"2eb91b3bfb6947c066440fa82a4932150bb82b4ac1597cef128feba38189308186301d0603551d0e0416"
	"0414a2cc8e632d73cdd7be8580bbca22a8e4ae2f3677301f0603551d23041830168014a2cc8e632d73cd"
	"d7be8580bbca22a8e4ae2f3677300f0603551d130101ff040530030101ff30330603551d11042c302a82"
	"146170692e70726f76696465722e6578616d706c6582122a2e70726f76696465722e6578616d706c6530"
	"0a06082a8648ce3d04030203470030440220125f0c162b285c9b93c7526b489dcd029c85cf6c7e6d5b9e"
	"5a7338632351521a022011c34bb717a53bf1bd4b5d67e150bc7064ea40b5a36b00be79e30b8bb7dcd91a"
	"16030300730c00006f03001d20d5d81f98188944b6240a14bebb4bd2810da7d962b654456fffc81c6bb4"
	"44713d040300473045022100e3768ba06e614513eb2d11aa408aaf1afc6770250c018ea72f7ab8ea9b3a"
	"fd4e02202fabf397ef67123c0e9e9d8e0db4eeb8494b33201a559341948b834d73617e7616030300040e"
	"000000";
static const char two_sha256[] = "348ff7041a2da5ef0068b33c5291735e8a2984985abe80cc2229f19edfa07f74";
static const char many[] =
	"16030300410200003d03038a5ba05de8d7c3b51b25c0cf059c0e361f1389669dae4349d62f8387a4dbfb"
	"a400c02c000015ff01000100000b000403000102002300000017000016030302320b00022e00022b0002"
	"2830820224308201caa0030201020214270f6ec67c196d739c05f9cbb64728b1bb8210ba300a06082a86"
	"48ce3d040302300c310a300806035504030c0178301e170d3236313132383031333330345a170d333631"
	"3132353031333330345a300c310a300806035504030c01783059301306072a8648ce3d020106082a8648"
	"ce3d030107034200048c7d474bdc1278349a009154eaccfae1a3d1b93f8a48265334988d69c167565f63"
	"602d4ff18826f01ca061c4fa330d272b3f9b8dd301d4afc2c44fb76030a1d5a382010830820104301d06"
	"03551d0e04160414c1402b178dfc560b87c9cc8feb76858f5f51ec2c301f0603551d23041830168014c1"
	"402b178dfc560b87c9cc8feb76858f5f51ec2c300f0603551d130101ff040530030101ff3081b0060355"
	"1d110481a83081a5820a6e302e6578616d706c65820a6e312e6578616d706c65820a6e322e6578616d70"
	"6c65820a6e332e6578616d706c65820a6e342e6578616d706c65820a6e352e6578616d706c65820a6e36"
	"2e6578616d706c65820a6e372e6578616d706c65820a6e382e6578616d706c65820a6e392e6578616d70"
	"6c65820b6e31302e6578616d706c65820b6e31312e6578616d706c658704cb007109810b6140622e6578"
	"616d706c65300a06082a8648ce3d0403020348003045022100bed40f8f1476939b6b665698046925ffc1"
	"2b08168e3d797e96ef365614f75b990220345bb0a629bd52169c7dc38c032f4aac911ed80ae6d1e6c3af"
	"592ea0fec925a016030300720c00006e03001d206aaf3321d6d8d4880540247849c3544cb66ee1c6ad56"
	"34cfc12645eb9eba9c12040300463044022067f693b01a318c52cd564c0f6da901c5a38f0a542aaa8523"
	"d5491a187c0bbdc4022045e1c410ab8bf622d7fa93bcf540444d00f89912a5f3ac4258702e22b4057891"
	"16030300040e000000";
static const char many_sha256[] =
	"5b170f2044a21731a86194af07d9cb2e62dc3d2c448e0621c74dc672a28bcbaf";
static const char none[] =
	"16030300410200003d030363dcbd88920b27c476e7fa748bcb185aacbd57b0406a95b9cbbfaf1bd022ba"
	"7900c02c000015ff01000100000b000403000102002300000017000016030301910b00018d00018a0001"
	"873082018330820129a0030201020214203f67647593b39c73d9297d5cf6b978558ea0a9300a06082a86"
	"48ce3d04030230173115301306035504030c0c6f6e6c792e6578616d706c65301e170d32363131323830"
	"31333330345a170d3336313132353031333330345a30173115301306035504030c0c6f6e6c792e657861"
	"6d706c653059301306072a8648ce3d020106082a8648ce3d03010703420004452dffee5b6084953aeb84"
	"049dd0491ad1972c96217fc70b740349d7df8383ed27f72007f3c1227ba165895355f89372d4d8dfd2f6"
	"68627978961419b5663fbaa3533051301d0603551d0e04160414fcafb11ef93b8c8296ea944acf17c2f9"
	"df0ef1ce301f0603551d23041830168014fcafb11ef93b8c8296ea944acf17c2f9df0ef1ce300f060355"
	"1d130101ff040530030101ff300a06082a8648ce3d0403020348003045022065196a04ab18e7b5588c83"
	"bd1979b2678c1c48c32931a38125edc73e640734c602210098a464d65145472a3ce03f7c7401314691a5"
	"1cafa96e5be76b23820be5e4c36416030300730c00006f03001d20d6bf7e2cf8e9b4d964e51db701d3da"
	"bfc5cdf6066eadf8bfcf2e0ffa67032439040300473045022100e435b5c74c2e089e2fabbeb0fad1352f"
	"464afe1e3dd02dcc061efb8e9e542f0602203e27df1bc0cd9e5afa45d0a582341cd1fd15b905cbf580e1"
	"4c63c1ce5b6074c716030300040e000000";
static const char none_sha256[] =
	"c8a543c6cebe807ac53e1731568b7418eb87b54a2638140fa6594a13a30e8af5";

#define FLIGHT_MAX 1024

static struct ww_slice unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= FLIGHT_MAX);
	assert_int_equal(ww_hex_decode(ww_slice_str(hex), out, n), 0);
	return ww_slice(out, n);
}

static void segment(struct ww_certificate_reader *r, struct ww_certificate_room *room,
		    uint64_t offset, struct ww_slice bytes)
{
	struct ww_event_packet *ev = ev_packet(1, 7, 9, 6, WW_DIR_IN, offset, bytes.p, bytes.n);

	ev->what = WW_PACKET_CLEAR;
	ww_certificate_segment(r, room, ev);
	free(ev);
}

static void expect_digest(const struct ww_certificate *c, const char *want)
{
	char hex[2 * WW_SHA256_LEN + 1];

	ww_hex_encode(ww_slice(c->digest.b, sizeof(c->digest.b)), hex);
	assert_string_equal(hex, want);
}

static void expect_two(const struct ww_certificate *c)
{
	assert_non_null(c);
	expect_digest(c, two_sha256);
	assert_int_equal(c->name_count, 2);
	assert_string_equal(c->names[0], "api.provider.example");
	assert_string_equal(c->names[1], "*.provider.example");
	assert_false(c->more || c->unreadable);
}

/* In two pieces, cut anywhere, at any place of the stream. */
static void in_pieces(void **state)
{
	uint8_t raw[FLIGHT_MAX];
	struct ww_slice in = unhex(two, raw);

	for (size_t cut = 1; cut < in.n; cut++) {
		struct ww_certificate_reader r = {0};
		struct ww_certificate_room room = {0};

		ww_certificate_record(&r, 0, 100);
		segment(&r, &room, 100, ww_slice_sub(in, 0, cut));
		segment(&r, &room, 100 + cut, ww_slice_sub(in, cut, in.n));
		assert_true(r.over);
		expect_two(r.got);
		assert_int_equal(room.bytes, 0);
		ww_certificate_done(&r, &room);
	}
}

/* What was told begins within the hello's record: the next one is where reading begins. */
static void from_the_second_record_on(void **state)
{
	uint8_t raw[FLIGHT_MAX];
	struct ww_slice in = unhex(two, raw);
	size_t second = 5 + ((size_t)raw[3] << 8 | raw[4]);

	for (size_t from = 1; from <= second; from++) {
		struct ww_certificate_reader r = {0};
		struct ww_certificate_room room = {0};

		ww_certificate_record(&r, 0, 0);
		ww_certificate_record(&r, 1, second);
		segment(&r, &room, from, ww_slice_sub(in, from, in.n));
		expect_two(r.got);
		ww_certificate_done(&r, &room);
	}
}

/* Messages in one record, and one message in many: both are legal. */
static void records_as_servers_cut_them(void **state)
{
	uint8_t raw[FLIGHT_MAX], flat[FLIGHT_MAX], out[4 * FLIGHT_MAX];
	struct ww_slice in = unhex(two, raw);
	size_t n = 0;

	for (size_t at = 0; at + 5 <= in.n;) {
		size_t bytes = (size_t)raw[at + 3] << 8 | raw[at + 4];

		memcpy(flat + n, raw + at + 5, bytes);
		n += bytes;
		at += 5 + bytes;
	}
	for (size_t size = 1; size <= n; size += size < 8 ? 1 : 37) {
		struct ww_certificate_reader r = {0};
		struct ww_certificate_room room = {0};
		size_t to = 0;

		for (size_t at = 0; at < n && to + 5 + size < sizeof(out); at += size) {
			size_t bytes = n - at < size ? n - at : size;

			out[to++] = 22;
			out[to++] = 3;
			out[to++] = 3;
			out[to++] = (uint8_t)(bytes >> 8);
			out[to++] = (uint8_t)bytes;
			memcpy(out + to, flat + at, bytes);
			to += bytes;
		}
		ww_certificate_record(&r, 0, 0);
		segment(&r, &room, 0, ww_slice(out, to));
		expect_two(r.got);
		ww_certificate_done(&r, &room);
	}
}

static void names_beyond(void **state)
{
	uint8_t raw[FLIGHT_MAX];
	struct ww_certificate_reader r = {0};
	struct ww_certificate_room room = {0};

	ww_certificate_record(&r, 0, 0);
	segment(&r, &room, 0, unhex(many, raw));
	assert_non_null(r.got);
	expect_digest(r.got, many_sha256);
	assert_int_equal(r.got->name_count, WW_CERTIFICATE_NAMES_MAX);
	for (unsigned i = 0; i < r.got->name_count; i++) {
		char want[24];

		snprintf(want, sizeof(want), "n%u.example", i);
		assert_string_equal(r.got->names[i], want);
	}
	assert_true(r.got->more);
	ww_certificate_done(&r, &room);
}

static void no_names(void **state)
{
	uint8_t raw[FLIGHT_MAX];
	struct ww_certificate_reader r = {0};
	struct ww_certificate_room room = {0};

	ww_certificate_record(&r, 0, 0);
	segment(&r, &room, 0, unhex(none, raw));
	assert_non_null(r.got);
	expect_digest(r.got, none_sha256);
	assert_int_equal(r.got->name_count, 0);
	assert_false(r.got->more || r.got->unreadable);
	ww_certificate_done(&r, &room);
}

static void must_refuse_holes(void **state)
{
	uint8_t raw[FLIGHT_MAX];
	struct ww_slice in = unhex(two, raw);
	struct ww_certificate_reader r = {0};
	struct ww_certificate_room room = {0};

	ww_certificate_record(&r, 0, 0);
	segment(&r, &room, 0, ww_slice_sub(in, 0, 100));
	assert_false(r.over);
	segment(&r, &room, 101, ww_slice_sub(in, 101, in.n));
	assert_true(r.over && !r.got);
	assert_int_equal(room.bytes, 0);
	/* And it stays so. */
	segment(&r, &room, 0, in);
	assert_null(r.got);
	ww_certificate_done(&r, &room);
}

static void what_is_told_twice_is_read_once(void **state)
{
	uint8_t raw[FLIGHT_MAX];
	struct ww_slice in = unhex(two, raw);
	struct ww_certificate_reader r = {0};
	struct ww_certificate_room room = {0};

	ww_certificate_record(&r, 0, 0);
	segment(&r, &room, 0, ww_slice_sub(in, 0, 100));
	segment(&r, &room, 50, ww_slice_sub(in, 50, in.n));
	expect_two(r.got);
	ww_certificate_done(&r, &room);
}

static void must_refuse_without_a_begin(void **state)
{
	uint8_t raw[FLIGHT_MAX];
	struct ww_certificate_reader r = {0};
	struct ww_certificate_room room = {0};

	segment(&r, &room, 0, unhex(two, raw));
	assert_true(r.over && !r.got);
	ww_certificate_done(&r, &room);
}

static void must_not_hold_more_than_all_may(void **state)
{
	uint8_t raw[FLIGHT_MAX];
	struct ww_slice in = ww_slice_sub(unhex(two, raw), 0, 100);
	static struct ww_certificate_reader r[WW_CERTIFICATE_HELD_MAX / 100 + 1];
	struct ww_certificate_room room = {0};

	for (size_t i = 0; i < WW_ARRAY_SIZE(r); i++) {
		ww_certificate_record(&r[i], 0, 0);
		segment(&r[i], &room, 0, in);
		assert_true(room.bytes <= WW_CERTIFICATE_HELD_MAX);
	}
	assert_true(r[WW_ARRAY_SIZE(r) - 1].over);
	for (size_t i = 0; i < WW_ARRAY_SIZE(r); i++)
		ww_certificate_done(&r[i], &room);
	assert_int_equal(room.bytes, 0);
}

/* What else a server may send there ends the search. */
static void must_refuse_other_messages(void **state)
{
	static const char *const bad[] = {
		"1603030004"
		"0c000000", /* ServerKeyExchange */
		"1403030001"
		"01",
		"1603030007"
		"0b000003"
		"000000", /* no certificate */
		"160303000a"
		"0b000006"
		"000004"
		"000001", /* longer than what is around it */
		"160303000a"
		"0b000006"
		"000003"
		"000001", /* and shorter */
		"160303000a"
		"0b000006"
		"000003"
		"000000",
		"1602030004"
		"0b000000",
		"1604030004"
		"0b000000",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		uint8_t raw[FLIGHT_MAX], room[FLIGHT_MAX];
		struct ww_slice der;

		if (ww_certificate_find(unhex(bad[i], raw), room, &der) != WW_PARSE_BAD)
			fail_msg("taken: %s", bad[i]);
	}
}

static void survives_every_changed_byte(void **state)
{
	uint8_t raw[FLIGHT_MAX], room[FLIGHT_MAX];
	struct ww_slice in = unhex(many, raw);

	for (size_t at = 0; at < in.n; at++) {
		uint8_t old = raw[at];

		for (unsigned v = 0; v < 256; v += 3) {
			static struct ww_certificate c;
			struct ww_slice der;

			raw[at] = (uint8_t)v;
			if (ww_certificate_find(in, room, &der) != WW_PARSE_DONE)
				continue;
			ww_certificate_read(der, &c);
			assert_true(c.name_count <= WW_CERTIFICATE_NAMES_MAX);
			assert_true(!c.unreadable || c.name_count == 0);
		}
		raw[at] = old;
	}
}

/* Every part of a certificate is no certificate, and nothing is read beyond it. */
static void cut_anywhere_it_is_unreadable(void **state)
{
	uint8_t raw[FLIGHT_MAX], room[FLIGHT_MAX];
	struct ww_slice der;

	assert_int_equal(ww_certificate_find(unhex(two, raw), room, &der), WW_PARSE_DONE);
	for (size_t n = 0; n < der.n; n++) {
		static struct ww_certificate c;
		uint8_t *exact = malloc(n ? n : 1);

		if (n > 0)
			memcpy(exact, der.p, n);
		ww_certificate_read(ww_slice(exact, n), &c);
		assert_true(c.unreadable);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(from_the_second_record_on),
		cmocka_unit_test(records_as_servers_cut_them),
		cmocka_unit_test(names_beyond),
		cmocka_unit_test(no_names),
		cmocka_unit_test(must_refuse_holes),
		cmocka_unit_test(what_is_told_twice_is_read_once),
		cmocka_unit_test(must_refuse_without_a_begin),
		cmocka_unit_test(must_not_hold_more_than_all_may),
		cmocka_unit_test(must_refuse_other_messages),
		cmocka_unit_test(survives_every_changed_byte),
		cmocka_unit_test(cut_anywhere_it_is_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

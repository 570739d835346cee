/* SPDX-License-Identifier: Apache-2.0 */
/* The two packets are those of RFC 9001 appendix A.2 and RFC 9369 appendix A.2, with their keys. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/quic.h"

#include "base/encode.h"
#include "../../lib/quic_seal.h"

static const char initial_v1[] =
	"c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936"
	"b47d92ec356c0bab7df5976d27cd449f63300099f3991c260ec4c60d17b31f8429157bb35a1282a643a8"
	"d2262cad67500cadb8e7378c8eb7539ec4d4905fed1bee1fc8aafba17c750e2c7ace01e6005f80fcb7df"
	"621230c83711b39343fa028cea7f7fb5ff89eac2308249a02252155e2347b63d58c5457afd84d05dfffd"
	"b20392844ae812154682e9cf012f9021a6f0be17ddd0c2084dce25ff9b06cde535d0f920a2db1bf362c2"
	"3e596d11a4f5a6cf3948838a3aec4e15daf8500a6ef69ec4e3feb6b1d98e610ac8b7ec3faf6ad760b7ba"
	"d1db4ba3485e8a94dc250ae3fdb41ed15fb6a8e5eba0fc3dd60bc8e30c5c4287e53805db059ae0648db2"
	"f64264ed5e39be2e20d82df566da8dd5998ccabdae053060ae6c7b4378e846d29f37ed7b4ea9ec5d82e7"
	"961b7f25a9323851f681d582363aa5f89937f5a67258bf63ad6f1a0b1d96dbd4faddfcefc5266ba66117"
	"22395c906556be52afe3f565636ad1b17d508b73d8743eeb524be22b3dcbc2c7468d54119c7468449a13"
	"d8e3b95811a198f3491de3e7fe942b330407abf82a4ed7c1b311663ac69890f4157015853d91e923037c"
	"227a33cdd5ec281ca3f79c44546b9d90ca00f064c99e3dd97911d39fe9c5d0b23a229a234cb36186c481"
	"9e8b9c5927726632291d6a418211cc2962e20fe47feb3edf330f2c603a9d48c0fcb5699dbfe5896425c5"
	"bac4aee82e57a85aaf4e2513e4f05796b07ba2ee47d80506f8d2c25e50fd14de71e6c418559302f939b0"
	"e1abd576f279c4b2e0feb85c1f28ff18f58891ffef132eef2fa09346aee33c28eb130ff28f5b76695333"
	"4113211996d20011a198e3fc433f9f2541010ae17c1bf202580f6047472fb36857fe843b19f5984009dd"
	"c324044e847a4f4a0ab34f719595de37252d6235365e9b84392b061085349d73203a4a13e96f5432ec0f"
	"d4a1ee65accdd5e3904df54c1da510b0ff20dcc0c77fcb2c0e0eb605cb0504db87632cf3d8b4dae6e705"
	"769d1de354270123cb11450efc60ac47683d7b8d0f811365565fd98c4c8eb936bcab8d069fc33bd801b0"
	"3adea2e1fbc5aa463d08ca19896d2bf59a071b851e6c239052172f296bfb5e72404790a2181014f3b94a"
	"4e97d117b438130368cc39dbb2d198065ae3986547926cd2162f40a29f0c3c8745c0f50fba3852e566d4"
	"4575c29d39a03f0cda721984b6f440591f355e12d439ff150aab7613499dbd49adabc8676eef023b15b6"
	"5bfc5ca06948109f23f350db82123535eb8a7433bdabcb909271a6ecbcb58b936a88cd4e8f2e6ff58001"
	"75f113253d8fa9ca8885c2f552e657dc603f252e1a8e308f76f0be79e2fb8f5d5fbbe2e30ecadd220723"
	"c8c0aea8078cdfcb3868263ff8f0940054da48781893a7e49ad5aff4af300cd804a6b6279ab3ff3afb64"
	"491c85194aab760d58a606654f9f4400e8b38591356fbf6425aca26dc85244259ff2b19c41b9f96f3ca9"
	"ec1dde434da7d2d392b905ddf3d1f9af93d1af5950bd493f5aa731b4056df31bd267b6b90a079831aaf5"
	"79be0a39013137aac6d404f518cfd46840647e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c"
	"88d4a9a7f9474241e221af44860018ab0856972e194cd934";
static const char initial_v2[] =
	"d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03dcee"
	"bfa162e75d6c96058bdbfb127cdfcbf903388e99ad049f9a3dd4425ae4d0992cfff18ecf0fdb5a842d09"
	"747052f17ac2053d21f57c5d250f2c4f0e0202b70785b7946e992e58a59ac52dea6774d4f03b55545243"
	"cf1a12834e3f249a78d395e0d18f4d766004f1a2674802a747eaa901c3f10cda5500cb9122faa9f1df66"
	"c392079a1b40f0de1c6054196a11cbea40afb6ef5253cd6818f6625efce3b6def6ba7e4b37a40f7732e0"
	"93daa7d52190935b8da58976ff3312ae50b187c1433c0f028edcc4c2838b6a9bfc226ca4b4530e7a4cce"
	"e1bfa2a3d396ae5a3fb512384b2fdd851f784a65e03f2c4fbe11a53c7777c023462239dd6f7521a3f6c7"
	"d5dd3ec9b3f233773d4b46d23cc375eb198c63301c21801f6520bcfb7966fc49b393f0061d974a2706df"
	"8c4a9449f11d7f3d2dcbb90c6b877045636e7c0c0fe4eb0f697545460c806910d2c355f1d253bc9d2452"
	"aaa549e27a1fac7cf4ed77f322e8fa894b6a83810a34b361901751a6f5eb65a0326e07de7c1216ccce2d"
	"0193f958bb3850a833f7ae432b65bc5a53975c155aa4bcb4f7b2c4e54df16efaf6ddea94e2c50b4cd1df"
	"e06017e0e9d02900cffe1935e0491d77ffb4fdf85290fdd893d577b1131a610ef6a5c32b2ee0293617a3"
	"7cbb08b847741c3b8017c25ca9052ca1079d8b78aebd47876d330a30f6a8c6d61dd1ab5589329de714d1"
	"9d61370f8149748c72f132f0fc99f34d766c6938597040d8f9e2bb522ff99c63a344d6a2ae8aa8e51b7b"
	"90a4a806105fcbca31506c446151adfeceb51b91abfe43960977c87471cf9ad4074d30e10d6a7f03c63b"
	"d5d4317f68ff325ba3bd80bf4dc8b52a0ba031758022eb025cdd770b44d6d6cf0670f4e990b22347a7db"
	"848265e3e5eb72dfe8299ad7481a408322cac55786e52f633b2fb6b614eaed18d703dd84045a274ae8bf"
	"a73379661388d6991fe39b0d93debb41700b41f90a15c4d526250235ddcd6776fc77bc97e7a417ebcb31"
	"600d01e57f32162a8560cacc7e27a096d37a1a86952ec71bd89a3e9a30a2a26162984d7740f81193e823"
	"8e61f6b5b984d4d3dfa033c1bb7e4f0037febf406d91c0dccf32acf423cfa1e7071010d3f270121b493c"
	"e85054ef58bada42310138fe081adb04e2bd901f2f13458b3d6758158197107c14ebb193230cd1157380"
	"aa79cae1374a7c1e5bbcb80ee23e06ebfde206bfb0fcbc0edc4ebec309661bdd908d532eb0c6adc38b7c"
	"a7331dce8dfce39ab71e7c32d318d136b6100671a1ae6a6600e3899f31f0eed19e3417d134b90c9058f8"
	"632c798d4490da4987307cba922d61c39805d072b589bd52fdf1e86215c2d54e6670e07383a27bbffb5a"
	"ddf47d66aa85a0c6f9f32e59d85a44dd5d3b22dc2be80919b490437ae4f36a0ae55edf1d0b5cb4e9a3ec"
	"abee93dfc6e38d209d0fa6536d27a5d6fbb17641cde27525d61093f1b28072d111b2b4ae5f89d5974ee1"
	"2e5cf7d5da4d6a31123041f33e61407e76cffcdcfd7e19ba58cf4b536f4c4938ae79324dc402894b44fa"
	"f8afbab35282ab659d13c93f70412e85cb199a37ddec600545473cfb5a05e08d0b209973b2172b4d21fb"
	"69745a262ccde96ba18b2faa745b6fe189cf772a9f84cbfc";

#define DATAGRAM_MAX 4096

static const struct ww_endpoint peer = {{192, 0, 2, 1}, 2, 443, 0};

static struct ww_slice unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= DATAGRAM_MAX);
	assert_int_equal(ww_hex_decode(ww_slice_str(hex), out, n), 0);
	return ww_slice(out, n);
}

/* One client, as a test drives it. */
struct rig {
	struct ww_quic q;
	struct ww_quic_room room;
	struct ww_parse_error error;
	struct ww_buf datagram, frames;
	uint8_t hello[WW_QUIC_HELLO_BYTES_MAX * 2];
	size_t n;
};

static void begin(struct rig *r, const char *name, size_t pad)
{
	*r = (struct rig){0};
	ww_buf_init(&r->datagram, DATAGRAM_MAX);
	ww_buf_init(&r->frames, DATAGRAM_MAX);
	r->n = quic_hello(name, 7, pad, r->hello, sizeof(r->hello));
}

static void end(struct rig *r)
{
	ww_quic_done(&r->q, &r->room);
	assert_int_equal(r->room.bytes, 0);
	ww_buf_done(&r->datagram);
	ww_buf_done(&r->frames);
}

static enum ww_parse feed(struct rig *r, struct ww_slice datagram, size_t whole)
{
	/* Exactly so large that a read beyond it is seen. */
	uint8_t *exact = malloc(datagram.n ? datagram.n : 1);
	enum ww_parse said;

	assert_non_null(exact);
	if (datagram.n)
		memcpy(exact, datagram.p, datagram.n);
	r->error = (struct ww_parse_error){0};
	said = ww_quic_feed(&r->q, &r->room, &peer, ww_slice(exact, datagram.n), whole, &r->error);
	assert_true(said != WW_PARSE_BAD || (r->error.reason && r->error.at <= datagram.n));
	free(exact);
	return said;
}

/* What is in the datagram and the frames so far, then both are empty. */
static enum ww_parse send(struct rig *r, const struct quic_seal *s)
{
	enum ww_parse said;

	quic_seal(&r->datagram, s, ww_buf_slice(&r->frames));
	said = feed(r, ww_buf_slice(&r->datagram), r->datagram.n);
	ww_buf_clear(&r->datagram);
	ww_buf_clear(&r->frames);
	return said;
}

static void crypto(struct rig *r, size_t from, size_t n)
{
	quic_crypto(&r->frames, (uint32_t)from, ww_slice_sub(ww_slice(r->hello, r->n), from, n));
}

static const struct quic_seal client = {
	.version = WW_QUIC_V1, .dcid = WW_SLICE_LIT("12345678"), .scid = WW_SLICE_LIT("abcd")};

static const char *bad_reason(struct rig *r)
{
	return r->error.reason ? r->error.reason : "";
}

/* --- what must be refused ----------------------------------------------------------------------
 */

static void must_not_open_with_any_bit_changed(void **state)
{
	static const char *const packets[] = {initial_v1, initial_v2};
	uint8_t raw[DATAGRAM_MAX];
	struct rig r;

	begin(&r, "x", 0);
	for (size_t i = 0; i < WW_ARRAY_SIZE(packets); i++) {
		struct ww_slice in = unhex(packets[i], raw);

		for (size_t bit = 0; bit < in.n * 8; bit += 3) {
			raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_true(feed(&r, in, in.n) != WW_PARSE_DONE);
			assert_int_equal(r.q.count, 0);
			assert_int_equal(r.room.bytes, 0);
			raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
			r.q.tried = 0;
		}
	}
	end(&r);
}

static void must_not_name_what_is_no_client_of_quic(void **state)
{
	static const struct {
		const char *hex, *reason;
	} cases[] = {
		{"", ""},
		{"00", "no long header"},
		{"c0", "header beyond the datagram"},
		/* DNS, STUN, DTLS, WireGuard, RTP */
		{"a1b201000001000000000000076578616d706c6503636f6d0000010001", "another version"},
		{"000100002112a442aabbccddeeff001122334455", "no long header"},
		{"16fefd0000000000000000003001000024000000000000002400000000", "no long header"},
		{"0100000000000001aabbccddeeff00112233445566778899aabbccddeeff", "no long header"},
		{"8000000100000001aabbccdd0011223344556677889900112233", "another version"},
		/* Version Negotiation, Retry of both versions, a version from the draft */
		{"c0000000000412345678046162636400000001", "version negotiation"},
		{"f00000000104123456780461626364aabbccddeeff00112233445566778899",
		 "a server's Retry"},
		{"c06b3343cf04123456780461626364aabbccddeeff00112233445566778899",
		 "a server's Retry"},
		{"c0ff00001d0412345678046162636400401a000000000000000000000000000000000000000000000"
		 "000"
		 "0000",
		 "another version"},
		/* Lengths */
		{"8000000001041234567804616263640040140000000000000000000000000000000000000000",
		 "fixed bit"},
		{"c000000001151234567812345678123456781234567812345678aa00", "connection ID"},
		{"c000000001041234567804616263640040130000000000000000000000000000000000000000",
		 "shorter than"},
		{"c000000001041234567804616263640040ff0000000000000000000000000000000000000000",
		 "length beyond"},
		{"c00000000104123456780461626364ffffffffffffffff40140000000000000000000000000000000"
		 "000",
		 "header beyond"},
		{"c0000000010412345678046162636400ffffffffffffffff000000000000000000000000000000000"
		 "000",
		 "length beyond"},
		/* All as it should be, but nobody made it with the keys. */
		{"c000000001041234567804616263640040140000000000000000000000000000000000000000",
		 "no key opens it"},
	};
	uint8_t raw[DATAGRAM_MAX];
	struct rig r;

	begin(&r, "x", 0);
	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_slice in = unhex(cases[i].hex, raw);

		assert_int_equal(feed(&r, in, in.n), in.n ? WW_PARSE_BAD : WW_PARSE_MORE);
		assert_non_null(strstr(bad_reason(&r), cases[i].reason));
		assert_int_equal(r.q.count, 0);
	}
	assert_int_equal(r.q.unread, 1);
	end(&r);
}

static void must_refuse_what_no_initial_may_hold(void **state)
{
	static const struct {
		const char *frames;
		uint8_t set;
		const char *reason;
	} cases[] = {
		{"010801", 0, "a frame that no Initial may have"}, /* STREAM */
		{"1e", 0, "a frame that no Initial may have"},     /* HANDSHAKE_DONE */
		{"01", 0x04, "reserved bits are set"},
		{"01", 0x08, "reserved bits are set"},
		{"0200000000", 0, NULL},
		{"02000080ffffff00", 0,
		 "frame beyond the packet"}, /* ACK with ranges that are not there */
		{"0640004fff01", 0, "frame beyond the packet"},
		{"0640004004020000010000", 0, "no ClientHello"}, /* a ServerHello */
	};
	uint8_t raw[DATAGRAM_MAX];

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_slice frames = unhex(cases[i].frames, raw);
		struct quic_seal s = client;
		struct rig r;

		begin(&r, "x", 0);
		s.set = cases[i].set;
		quic_put(&r.frames, frames.p, frames.n);
		assert_int_equal(send(&r, &s), cases[i].reason ? WW_PARSE_BAD : WW_PARSE_MORE);
		/* It opened: it is QUIC, and why it was not understood is said. */
		assert_int_equal(r.q.count, 1);
		assert_false(r.q.first->whole);
		if (cases[i].reason) {
			assert_string_equal(r.error.reason, cases[i].reason);
			assert_string_equal(r.q.first->why, cases[i].reason);
		}
		end(&r);
	}
}

static void must_say_where_it_is_wrong(void **state)
{
	struct rig r;
	size_t head;

	begin(&r, "x", 0);
	quic_put(&r.frames, "\x01\x01\x08", 3);
	head = 1 + 4 + 1 + 8 + 1 + 4 + 2 + 2 + 4; /* of `client` */
	assert_int_equal(send(&r, &client), WW_PARSE_BAD);
	assert_int_equal(r.error.at, head + 2);
	end(&r);
}

static void must_refuse_a_hello_that_is_said_in_two_ways(void **state)
{
	struct quic_seal s = client;
	struct rig r;

	begin(&r, "one.example", 600);
	crypto(&r, 0, 300);
	assert_int_equal(send(&r, &s), WW_PARSE_MORE);
	r.hello[299] ^= 1;
	s.number++;
	crypto(&r, 299, 100);
	assert_int_equal(send(&r, &s), WW_PARSE_BAD);
	assert_string_equal(r.q.first->why, r.error.reason);
	assert_false(r.q.first->whole);
	end(&r);
}

/* --- what must be read -------------------------------------------------------------------------
 */

static void reads_the_packets_of_the_rfcs(void **state)
{
	static const struct {
		uint32_t version;
		const char *packet, *key, *iv, *hp;
	} cases[] = {
		{WW_QUIC_V1, initial_v1, "1f369613dd76d5467730efcbe3b1a22d",
		 "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"},
		{WW_QUIC_V2, initial_v2, "8b1a0bc121284290a29e0971b5cd045d",
		 "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"},
	};
	static const uint8_t dcid[8] = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};
	uint8_t raw[DATAGRAM_MAX];

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		const struct ww_quic_connection *c;
		struct ww_quic_keys k;
		struct ww_slice in;
		struct rig r;

		assert_int_equal(ww_quic_keys_init(cases[i].version, ww_slice(dcid, 8), &k), 0);
		assert_memory_equal(k.key, unhex(cases[i].key, raw).p, 16);
		assert_memory_equal(k.iv, unhex(cases[i].iv, raw).p, 12);
		assert_memory_equal(k.hp, unhex(cases[i].hp, raw).p, 16);
		begin(&r, "x", 0);
		in = unhex(cases[i].packet, raw);
		assert_int_equal(feed(&r, in, in.n), WW_PARSE_DONE);
		c = r.q.first;
		assert_int_equal(r.q.count, 1);
		assert_int_equal(c->version, cases[i].version);
		assert_string_equal(c->facts.sni, "example.com");
		assert_string_equal(c->facts.alpn, "alpn");
		assert_int_equal(c->facts.alpn_offered, 1);
		assert_int_equal(c->facts.version_offered, 0x0304);
		assert_false(c->facts.ech || c->facts.client_cut || c->retried);
		assert_true(c->whole && !c->why);
		assert_true(ww_endpoint_eq(&c->peer, &peer));
		/* Sent again it changes nothing. */
		assert_int_equal(feed(&r, in, in.n), WW_PARSE_DONE);
		assert_int_equal(r.q.count, 1);
		end(&r);
	}
	assert_int_equal(
		ww_quic_keys_init(0xff00001d, ww_slice(dcid, 8), &(struct ww_quic_keys){0}),
		-EPROTONOSUPPORT);
}

/* Cut off by the capture it is a gap, never something else, and nothing is made of it. */
static void cut_anywhere_is_a_gap(void **state)
{
	uint8_t raw[DATAGRAM_MAX];
	struct ww_slice in = unhex(initial_v1, raw);
	struct rig r;

	begin(&r, "x", 0);
	for (size_t n = 1; n < in.n; n++) {
		assert_int_equal(feed(&r, ww_slice_sub(in, 0, n), in.n), WW_PARSE_GAP);
		assert_int_equal(r.q.count, 0);
		r.q.tried = 0;
	}
	assert_int_equal(r.q.unread, in.n - 1);
	end(&r);
}

/* A hello of three packets, in every order and with one said twice. */
static void puts_a_hello_together_from_any_order(void **state)
{
	static const unsigned orders[][4] = {{0, 1, 2, 0}, {0, 2, 1, 1}, {1, 0, 2, 2},
					     {1, 2, 0, 0}, {2, 0, 1, 1}, {2, 1, 0, 0}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(orders); i++) {
		struct quic_seal s = client;
		struct rig r;

		begin(&r, "name.example", 2500);
		for (unsigned k = 0; k < 4; k++) {
			unsigned part = orders[i][k];

			/* Two frames, the later one first, a PING and an ACK between them. */
			crypto(&r, part * 900 + 500, 400);
			quic_put(&r.frames, "\x01\x03\x05\x00\x01\x02\x00\x01\x01\x02\x03", 11);
			crypto(&r, part * 900, 510);
			assert_int_equal(send(&r, &s), k < 2 ? WW_PARSE_MORE : WW_PARSE_DONE);
			assert_int_equal(r.q.first->whole, k >= 2);
			if (k >= 2)
				assert_string_equal(r.q.first->facts.sni, "name.example");
			s.number++;
		}
		assert_int_equal(r.q.count, 1);
		assert_string_equal(r.q.first->facts.alpn, "h3");
		end(&r);
	}
}

static void what_was_read_stands_where_the_rest_never_comes(void **state)
{
	struct quic_seal s = client;
	struct rig r;

	begin(&r, "name.example", 0);
	crypto(&r, 0, r.n - 1);
	assert_int_equal(send(&r, &s), WW_PARSE_MORE);
	assert_string_equal(r.q.first->facts.alpn, "h3");
	assert_string_equal(r.q.first->facts.sni, "");
	assert_true(r.q.first->facts.client_cut);
	assert_false(r.q.first->whole);
	/* The last byte, from a packet that also closes. */
	s.number = 1;
	crypto(&r, r.n - 1, 1);
	quic_put(&r.frames, "\x1c\x00\x06\x02no", 6);
	assert_int_equal(send(&r, &s), WW_PARSE_DONE);
	assert_string_equal(r.q.first->facts.sni, "name.example");
	assert_false(r.q.first->facts.client_cut);
	end(&r);
}

/* After a Retry: another ID, a token, the same hello; whole before it, or in part, or nothing. */
static void a_retry_is_the_same_connection(void **state)
{
	for (unsigned before = 0; before < 3; before++) {
		struct quic_seal s = client;
		struct rig r;

		s.scid = before == 1 ? s.scid : WW_SLICE_NULL;
		begin(&r, "name.example", 1500);
		if (before > 0) {
			crypto(&r, before == 1 ? 700 : 0, 800);
			assert_int_equal(send(&r, &s), WW_PARSE_MORE);
		}
		if (before > 1) {
			s.number = 1;
			crypto(&r, 800, 1000);
			assert_int_equal(send(&r, &s), WW_PARSE_DONE);
		}
		s.dcid = WW_SLICE_LIT("given by the server");
		s.token = WW_SLICE_LIT("and its token");
		s.number = 2;
		crypto(&r, 0, 800);
		assert_int_equal(send(&r, &s), WW_PARSE_MORE);
		s.number = 3;
		crypto(&r, 800, 1000);
		assert_int_equal(send(&r, &s), WW_PARSE_DONE);
		assert_int_equal(r.q.count, 1);
		assert_int_equal(r.q.first->retried, before > 0);
		assert_string_equal(r.q.first->facts.sni, "name.example");
		/* The server gives yet another ID; the keys stay. */
		s.keyed = s.dcid;
		s.dcid = WW_SLICE_LIT("servers own");
		s.number = 4;
		quic_put(&r.frames, "\x02\x00\x00\x00\x00", 5);
		assert_int_equal(send(&r, &s), WW_PARSE_DONE);
		assert_int_equal(r.q.count, 1);
		assert_int_equal(r.q.unread, 0);
		end(&r);
	}
}

/* Without a source ID, and to the same peer: only the keys tell them apart. */
static void tells_connections_of_one_socket_apart(void **state)
{
	struct quic_seal s = client;
	struct rig r;

	begin(&r, "one.example", 0);
	s.scid = WW_SLICE_NULL;
	crypto(&r, 0, r.n);
	assert_int_equal(send(&r, &s), WW_PARSE_DONE);
	r.n = quic_hello("two.example", 8, 900, r.hello, sizeof(r.hello));
	s.dcid = WW_SLICE_LIT("87654321");
	crypto(&r, 0, 800);
	assert_int_equal(send(&r, &s), WW_PARSE_MORE);
	crypto(&r, 800, 800);
	s.number = 1;
	assert_int_equal(send(&r, &s), WW_PARSE_DONE);
	assert_int_equal(r.q.count, 2);
	assert_string_equal(r.q.first->facts.sni, "one.example");
	assert_string_equal(r.q.first->next->facts.sni, "two.example");
	assert_false(r.q.first->next->retried);
	end(&r);
}

/* RFC 9369 section 4.1: the client goes over to version 2, under keys of its first ID. */
static void sees_both_sides_go_over_to_another_version(void **state)
{
	struct quic_seal s = client;
	struct rig r;

	begin(&r, "name.example", 0);
	crypto(&r, 0, r.n);
	assert_int_equal(send(&r, &s), WW_PARSE_DONE);
	s.version = WW_QUIC_V2;
	s.keyed = s.dcid;
	s.dcid = WW_SLICE_LIT("servers own");
	s.number = 1;
	quic_put(&r.frames, "\x02\x00\x00\x00\x00", 5);
	assert_int_equal(send(&r, &s), WW_PARSE_DONE);
	assert_int_equal(r.q.count, 1);
	assert_int_equal(r.q.first->version_first, WW_QUIC_V1);
	assert_int_equal(r.q.first->version, WW_QUIC_V2);
	end(&r);
}

static void reads_packets_that_share_a_datagram(void **state)
{
	/* A 0-RTT and a Handshake packet of the same IDs, each with 20 bytes that nobody reads. */
	static const char early[] =
		"d000000001083132333435363738046162636440140000000000000000000000"
		"000000000000000000",
			  handshake[] = "e000000001083132333435363738046162636440140000000000000000"
					"000000000000000000000000";
	struct quic_seal s = client;
	uint8_t raw[DATAGRAM_MAX];
	struct ww_slice in;
	struct rig r;

	begin(&r, "name.example", 1200);
	crypto(&r, 0, 700);
	quic_seal(&r.datagram, &s, ww_buf_slice(&r.frames));
	ww_buf_clear(&r.frames);
	in = unhex(early, raw);
	quic_put(&r.datagram, in.p, in.n);
	crypto(&r, 700, 700);
	s.number = 1;
	quic_seal(&r.datagram, &s, ww_buf_slice(&r.frames));
	in = unhex(handshake, raw);
	quic_put(&r.datagram, in.p, in.n);
	in = unhex(early, raw);
	quic_put(&r.datagram, in.p, in.n);
	quic_put(&r.datagram, "\x00\x00\x00", 3); /* fills it up */
	assert_int_equal(feed(&r, ww_buf_slice(&r.datagram), r.datagram.n), WW_PARSE_DONE);
	assert_int_equal(r.q.first->early, 2);
	assert_string_equal(r.q.first->facts.sni, "name.example");
	/* Another destination in one datagram is not the client's. */
	ww_buf_clear(&r.datagram);
	ww_buf_clear(&r.frames);
	in = unhex(handshake, raw);
	quic_put(&r.datagram, in.p, in.n);
	s.dcid = WW_SLICE_LIT("elsewhere");
	crypto(&r, 0, 700);
	assert_int_equal(send(&r, &s), WW_PARSE_MORE);
	assert_int_equal(r.q.count, 1);
	end(&r);
}

/* Numbers that need not begin at 0, in as few bytes as a client may take. */
static void reads_packet_numbers_of_any_length(void **state)
{
	static const struct {
		uint64_t number;
		unsigned bytes;
	} steps[] = {{0xa0000000, 4}, {0xa0000001, 1}, {0xa000007f, 1}, {0xa00000ff, 1},
		     {0xa0000100, 1}, {0xa0000080, 2}, {0xa0000171, 1}, {0xa0017000, 3}};
	struct quic_seal s = client;
	struct rig r;

	begin(&r, "name.example", 0);
	for (size_t i = 0; i < WW_ARRAY_SIZE(steps); i++) {
		s.number = steps[i].number;
		s.number_bytes = steps[i].bytes;
		crypto(&r, i, 1);
		assert_int_equal(send(&r, &s), WW_PARSE_MORE);
		assert_int_equal(r.q.unread, 0);
		assert_int_equal(r.q.count, 1);
	}
	end(&r);
}

/* --- ceilings ----------------------------------------------------------------------------------
 */

static void a_hello_beyond_the_ceiling_is_a_gap(void **state)
{
	struct quic_seal s = client;
	struct rig r;
	size_t at = 0;

	begin(&r, "name.example", 9000);
	for (; at + 1000 < WW_QUIC_HELLO_BYTES_MAX; at += 1000, s.number++) {
		crypto(&r, at, 1000);
		assert_int_equal(send(&r, &s), WW_PARSE_GAP);
	}
	for (; at < r.n; at += 1000, s.number++) {
		crypto(&r, at, 1000);
		assert_int_equal(send(&r, &s), WW_PARSE_GAP);
	}
	assert_false(r.q.first->whole);
	assert_non_null(strstr(r.q.first->why, "longer"));
	assert_true(r.q.first->facts.client_cut);
	end(&r);
}

static void connections_and_packets_beyond_the_ceiling_are_told(void **state)
{
	struct quic_seal s = client;
	char dcid[] = "1234567a";
	struct rig r;

	begin(&r, "name.example", 0);
	s.dcid = ww_slice_str(dcid);
	for (unsigned i = 0; i <= WW_QUIC_CONNECTIONS_MAX; i++) {
		dcid[7] = (char)('a' + i);
		r.n = quic_hello("name.example", (uint8_t)i, 0, r.hello, sizeof(r.hello));
		crypto(&r, 0, r.n);
		assert_int_equal(send(&r, &s),
				 i < WW_QUIC_CONNECTIONS_MAX ? WW_PARSE_DONE : WW_PARSE_GAP);
		assert_int_equal(r.q.more, i == WW_QUIC_CONNECTIONS_MAX);
	}
	assert_int_equal(r.q.count, WW_QUIC_CONNECTIONS_MAX);
	end(&r);

	begin(&r, "name.example", 0);
	s.dcid = client.dcid;
	for (unsigned i = 0; i <= WW_QUIC_INITIALS_MAX; i++) {
		s.number = i;
		crypto(&r, 0, r.n);
		assert_int_equal(send(&r, &s),
				 i < WW_QUIC_INITIALS_MAX ? WW_PARSE_DONE : WW_PARSE_GAP);
		assert_int_equal(r.q.more, i == WW_QUIC_INITIALS_MAX);
	}
	end(&r);
}

static void no_room_is_told(void **state)
{
	size_t taken = WW_QUIC_BYTES_MAX - sizeof(struct ww_quic_connection);
	struct rig r;

	begin(&r, "name.example", 0);
	r.room.bytes = taken;
	crypto(&r, 0, r.n);
	assert_int_equal(send(&r, &client), WW_PARSE_GAP);
	assert_string_equal(r.q.first->why, "no room for the ClientHello");
	ww_quic_done(&r.q, &r.room);
	assert_int_equal(r.room.bytes, taken);
	r.room.bytes++;
	crypto(&r, 0, r.n);
	assert_int_equal(send(&r, &client), WW_PARSE_GAP);
	assert_int_equal(r.q.count, 0);
	assert_true(r.q.more);
	r.room.bytes = 0;
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(must_not_open_with_any_bit_changed),
		cmocka_unit_test(must_not_name_what_is_no_client_of_quic),
		cmocka_unit_test(must_refuse_what_no_initial_may_hold),
		cmocka_unit_test(must_say_where_it_is_wrong),
		cmocka_unit_test(must_refuse_a_hello_that_is_said_in_two_ways),
		cmocka_unit_test(reads_the_packets_of_the_rfcs),
		cmocka_unit_test(cut_anywhere_is_a_gap),
		cmocka_unit_test(puts_a_hello_together_from_any_order),
		cmocka_unit_test(what_was_read_stands_where_the_rest_never_comes),
		cmocka_unit_test(a_retry_is_the_same_connection),
		cmocka_unit_test(tells_connections_of_one_socket_apart),
		cmocka_unit_test(sees_both_sides_go_over_to_another_version),
		cmocka_unit_test(reads_packets_that_share_a_datagram),
		cmocka_unit_test(reads_packet_numbers_of_any_length),
		cmocka_unit_test(a_hello_beyond_the_ceiling_is_a_gap),
		cmocka_unit_test(connections_and_packets_beyond_the_ceiling_are_told),
		cmocka_unit_test(no_room_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key holder's time. Hellos and the order of records are those of OpenSSL 3.0 on both sides
 * (memory BIOs, name api.provider.example, P-256 certificate; of early data, s_client): full,
 * resumed by a ticket, and after a HelloRetryRequest (the server takes P-384 only). Times are made
 * up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/events.h"
#include "base/encode.h"
#include "flow/flow.h"
#include "flow/key_holder.h"
#include "flow/tls_hello.h"

static const char full_client[] =
	"1603010200010001fc0303fea50168a767bca96ca5891266f7e59c8c85d597c5a801184be184767b243f"
	"352009b49a62543bb72ee9c04ffcb5544b95937639e57a479dfe50648e5dea7ba2540024130213031301"
	"c02cc030c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff0100018f0000001900170000"
	"146170692e70726f76696465722e6578616d706c65000b000403000102000a00160014001d0017001e00"
	"19001801000101010201030104002300000016000000170000000d002a00280403050306030807080808"
	"09080a080b080408050806040105010601030303010302040205020602002b00050403040303002d0002"
	"0101003300260024001d002084f53734e07c85bab35906f6ad7699c6317c65bd79a033f66311eb2e47fd"
	"f334001500d9000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000";
static const char full_server[] =
	"160303007a02000076030312353abb6ede50efc84b0eff45bd81f9636e6ddf20ed172594ea996403665e"
	"b72009b49a62543bb72ee9c04ffcb5544b95937639e57a479dfe50648e5dea7ba254130200002e002b00"
	"02030400330024001d0020b36bb5f8db80406c0d8392303bb413471095c01997dac2d545af6e6d357765"
	"50";
static const char resumed_client[] =
	"16030102320100022e0303c44b30b574bad8a9e20b9bcbc9b3ad66fbaa2137cb7cb7b715e36dfe35f066"
	"8220b8508e08e1dea9557fc06b5c72a128cdbe58c35b7f8d0e6101bdd423658e56f50024130213031301"
	"c02cc030c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff010001c10000001900170000"
	"146170692e70726f76696465722e6578616d706c65000b000403000102000a00160014001d0017001e00"
	"19001801000101010201030104002300000016000000170000000d002a00280403050306030807080808"
	"09080a080b080408050806040105010601030303010302040205020602002b00050403040303002d0002"
	"0101003300260024001d0020ed843fe2232519c6b6776493977f7a5f52a55f7b57c88d93da7ecc70e861"
	"af020029010b00d600d0ca7d8ced39100ac36d9b3d51d6e96f8aa1fffb89f1d5e245b92b0c5107d907e2"
	"a17ae58c5f5c00159f5be8eff9927d8de9524c2c7516105927255c32f466eefdcf1b71259af5460f2e0f"
	"007e0dd8ce38b4dc672765a49fec0d3611c4753398c6a09409125f1598d5980ecf7af3146a322ac7a334"
	"1e1c7c7efe505ef0250ab866b3364a970306e0b1ac5124f011e0312170b0002e03a797deff20319d9c66"
	"67d110c14600f155c294dd987930653fe77e84f59856d23d78ae17696a5922df3ff963ecc9b78c870b48"
	"3374b6e1c5f2b2fac79af2f40031306e2f7b8ab8d79af813a85ce1900b115a94fa599e08210b8819d4ef"
	"d49d7e6bdfe69fd3e60f6134653637bd00f664e046";
static const char resumed_server[] =
	"16030300800200007c0303978f515f2c8569c9263628d20bdc92e6431b54a80a100db736138e3ffddbbb"
	"2f20b8508e08e1dea9557fc06b5c72a128cdbe58c35b7f8d0e6101bdd423658e56f51302000034002b00"
	"02030400330024001d0020052e91a68033599d49a332b8d4777f5228d88fe2bfa7504ec59c838346605a"
	"4f002900020000";
static const char retry_client[] =
	"1603010200010001fc0303443790e852bcb605ab4fffc4b08304cb0e74cefb0e9126ecbc9e70995dae25"
	"2720b6126051f3de005b7000edad62b736ee73a1b13acd06fe04f363b9fa4c8d3b3e0024130213031301"
	"c02cc030c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff0100018f0000001900170000"
	"146170692e70726f76696465722e6578616d706c65000b000403000102000a00160014001d0017001e00"
	"19001801000101010201030104002300000016000000170000000d002a00280403050306030807080808"
	"09080a080b080408050806040105010601030303010302040205020602002b00050403040303002d0002"
	"0101003300260024001d00209e2a11e7eee7b1d49eda34afb3089738839854f4280b56418c506961ffdd"
	"2e14001500d9000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000";
static const char retry_server[] =
	"1603030058020000540303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a833"
	"9c20b6126051f3de005b7000edad62b736ee73a1b13acd06fe04f363b9fa4c8d3b3e130200000c002b00"
	"020304003300020018";
static const char retry_resumed_client[] =
	"16030102320100022e030314f2cf3d25e47a2ec78d14845a6bb4103e3e7c27479b6bf30db329a4725a92"
	"f1202904a1ff4056107be35048c7c5cd202c03f17ac659e3e75021c95f4f8cbe201f0024130213031301"
	"c02cc030c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff010001c10000001900170000"
	"146170692e70726f76696465722e6578616d706c65000b000403000102000a00160014001d0017001e00"
	"19001801000101010201030104002300000016000000170000000d002a00280403050306030807080808"
	"09080a080b080408050806040105010601030303010302040205020602002b00050403040303002d0002"
	"0101003300260024001d0020127574bc851041907f4b330a27a97f2e6d2e2f5196ccf25865c48fdc7913"
	"43410029010b00d600d0bf3a068aaac9db57144f04d3f2617e6ed534edcc31459a7e077c2fd1efcb95cb"
	"98056c0f59aea2ee7989dedbce0ee76a3074413a8091bcfc13cade36654b74b3efec054450d3c40dfa86"
	"abc2270d90c1e197a8ccb143c6c8f1b16c068030a2c74df613f0486269e575a4b04545be8d1ac3c2b7f4"
	"6415489b9a1a3223a9eac5f2024a674982be0b8699d475a0484b829b5a36021128e0a179482396fd9f47"
	"3dc3260069dbb4788d17376ad7aec9833ad1e9106155891b4e579a01fbfb794d771da2ef8909a9f0c41d"
	"a9b9dce4a73e01684f54bcf5003130148eebb137ca148734dff1ac23e5270598e6084970f23d273cc194"
	"c26da0abf19e07423cc1bd9d4e807229bc6be1d83b";
static const char retry_resumed_server[] =
	"1603030058020000540303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a833"
	"9c202904a1ff4056107be35048c7c5cd202c03f17ac659e3e75021c95f4f8cbe201f130200000c002b00"
	"020304003300020018";
static const char early_client[] =
	"1603010187010001830303d804bbec40758e675fa3a6d243ee29c027a786f81b9dca30dac576655123de"
	"4b20c390aded6dd651cc9ec1c59fe8b4e6cbf4569b308c4b798ca93115b141985cc4003e130213031301"
	"c02cc030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033"
	"009d009c003d003c0035002f00ff010000fc000b000403000102000a00160014001d0017001e00190018"
	"01000101010201030104002300000016000000170000000d002a0028040305030603080708080809080a"
	"080b080408050806040105010601030303010302040205020602002b0009080304030303020301002d00"
	"020101003300260024001d0020b64f95e5c988ab2f2ca0a43e469f0c82d8556c7160f4777e5b518680c7"
	"2fd802002a00000029005b00260020e351bab8c378594b230a27b2044e490a69abfed0c500d4f3898438"
	"b91cc307c55a376b2b003130975246e99012a33922b4a0f9cd3e76c7923d4eadb8ada5c0c0a9398d1b5e"
	"391352ad1c2795ce8e4893cc9a5a7fd53d49";
static const char full12_client[] =
	"16030100ba010000b60303fdb9d596b56268d9fbe51ec58695988e41254017216db7578e9f63c9b5e747"
	"7b00001ec02cc030c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff0100006f00000019"
	"00170000146170692e70726f76696465722e6578616d706c65000b000403000102000a000c000a001d00"
	"17001e00190018002300000016000000170000000d002a0028040305030603080708080809080a080b08"
	"0408050806040105010601030303010302040205020602";
static const char full12_server[] =
	"16030300410200003d03038266e4aaac02cc8c217a359904a27ecee7b04708a95411ca9e2a02cbd05a26"
	"fa00c02c000015ff01000100000b0004030001020023000000170000";
static const char resumed12_client[] =
	"1603010200010001fc030388a531e53911d12b22f78555fc145794cc4b1ec6ec787ce397e21438ecb64c"
	"2b20d6cac5a1b77025cebe949cf8789dae87c5df7e410d3072125fb34e2a4ecf5adc001ec02cc030c02b"
	"c02fcca9cca8c024c028c023c027009f009e006b006700ff010001950000001900170000146170692e70"
	"726f76696465722e6578616d706c65000b000403000102000a000c000a001d0017001e00190018002300"
	"b03e3f397429565949b393ff294ee56d4b184609ca357de26718bfbb6a2cf268d05ccfe4dda66117fb44"
	"0d058f85c9fc66b2faf64f5c78f62d89ff4f79dc38f5d68de79ee12b4fe817aad1e1b494e5c43e302132"
	"b426f61a2769fe14ff10a5fe5e66e81f57820337ba6b8f99a9662c57028e5f87818aac04f92b0c2699a8"
	"3fe332b77669e815466be368734c9eff5d2cba99260412c09cd75d4772a318ae80dc1d819804d365d030"
	"7565c53bf645d3fcff0016000000170000000d002a0028040305030603080708080809080a080b080408"
	"050806040105010601030303010302040205020602001500720000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000";
static const char resumed12_server[] =
	"1603030055020000510303f9155db58aa1d2d7cc0312268d3132e1358ee63afa0f36d6060bf0b10abdec"
	"fe20d6cac5a1b77025cebe949cf8789dae87c5df7e410d3072125fb34e2a4ecf5adcc02c000009ff0100"
	"010000170000";

#define COOKIE 7
#define PID    42

/* A record on the wire, in the order of time: who sent it, its type and length; ms since the begin.
 */
struct step {
	char who; /* 'c', 's' */
	uint8_t type;
	uint16_t bytes;
	uint32_t us;
	const char *hello;
};

/* What OpenSSL's two sides sent, with times. */
static const struct step full_13[] = {
	{'c', 22, 517, 1000, full_client},
	{'s', 22, 127, 21000, full_server},
	{'s', 20, 6, 21000, NULL},
	{'s', 23, 28, 21010, NULL},
	{'s', 23, 496, 21010, NULL},
	{'s', 23, 102, 24000, NULL},
	{'s', 23, 74, 24000, NULL},
	{'c', 20, 6, 24500, NULL},
	{'c', 23, 74, 24500, NULL},
	{'s', 23, 255, 44000, NULL},
	{0},
};
static const struct step resumed_13[] = {
	{'c', 22, 567, 1000, resumed_client},
	{'s', 22, 133, 21000, resumed_server},
	{'s', 20, 6, 21000, NULL},
	{'s', 23, 28, 21010, NULL},
	{'s', 23, 74, 21010, NULL},
	{'c', 20, 6, 21500, NULL},
	{'c', 23, 74, 21500, NULL},
	{'s', 23, 255, 41000, NULL},
	{0},
};
static const struct step retry_13[] = {
	{'c', 22, 517, 1000, retry_client},
	{'s', 22, 93, 21000, retry_server},
	{'s', 20, 6, 21000, NULL},
	{'c', 20, 6, 21500, NULL},
	{'c', 22, 517, 21500, NULL},
	{'s', 22, 192, 41000, NULL},
	{'s', 23, 28, 41000, NULL},
	{'s', 23, 496, 41000, NULL},
	{'s', 23, 101, 41000, NULL},
	{'s', 23, 74, 41000, NULL},
	{'c', 23, 74, 42000, NULL},
	{'s', 23, 255, 62000, NULL},
	{0},
};
static const struct step retry_resumed_13[] = {
	{'c', 22, 567, 1000, retry_resumed_client},
	{'s', 22, 93, 21000, retry_resumed_server},
	{'s', 20, 6, 21000, NULL},
	{'c', 20, 6, 21500, NULL},
	{'c', 22, 632, 21500, NULL},
	{'s', 22, 198, 41000, NULL},
	{'s', 23, 28, 41000, NULL},
	{'s', 23, 74, 41000, NULL},
	{'c', 23, 74, 42000, NULL},
	{'s', 23, 255, 62000, NULL},
	{0},
};
static const struct step full_12[] = {
	{'c', 22, 191, 1000, full12_client}, {'s', 22, 70, 21000, full12_server},
	{'s', 22, 476, 21000, NULL},         {'s', 22, 121, 21000, NULL},
	{'s', 22, 9, 21000, NULL},           {'c', 22, 42, 22000, NULL},
	{'c', 20, 6, 22000, NULL},           {'c', 22, 45, 22000, NULL},
	{'s', 22, 191, 42000, NULL},         {'s', 20, 6, 42000, NULL},
	{'s', 22, 45, 42000, NULL},          {0},
};
static const struct step resumed_12[] = {
	{'c', 22, 517, 1000, resumed12_client},
	{'s', 22, 90, 21000, resumed12_server},
	{'s', 20, 6, 21000, NULL},
	{'s', 22, 45, 21000, NULL},
	{'c', 20, 6, 22000, NULL},
	{'c', 22, 45, 22000, NULL},
	{0},
};

struct world {
	struct ww_actors *actors;
	struct ww_flows *flows;
	uint16_t index[2];
};

static int setup(void **state)
{
	static const struct ww_flow_ops none = {0};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(ww_actors_new(&w->actors), 0);
	assert_int_equal(ww_flows_new(w->actors, &none, NULL, &w->flows), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ww_flows_free(w->flows);
	ww_actors_free(w->actors);
	free(w);
	return 0;
}

static void feed(struct world *w, void *ev)
{
	assert_int_equal(ww_flows_feed(w->flows, ev), 0);
	free(ev);
}

static void open_flow(struct world *w, const char *peer)
{
	struct ww_event_flow *ev = ev_open(500000, PID, COOKIE, ev_endpoint(peer, 443));

	ev->local = ev_endpoint("10.0.0.1", 40000);
	feed(w, ev);
}

static void feed_hello(struct world *w, const struct step *s)
{
	enum ww_dir dir = s->who == 'c' ? WW_DIR_OUT : WW_DIR_IN;
	struct ww_event_hello *ev = ev_hello(s->us * 1000ull, COOKIE, dir, 9);
	size_t n = strlen(s->hello) / 2;

	ev->client = s->who == 'c';
	assert_int_equal(ww_hex_decode(ww_slice_str(s->hello), ev->bytes, n), 0);
	ev->captured = (uint16_t)n;
	ev->record_bytes = s->bytes;
	feed(w, ev);
}

/* As the kernel side tells it: a hello, and that same record among the others a moment later. */
static void feed_step(struct world *w, const struct step *s)
{
	enum ww_dir dir = s->who == 'c' ? WW_DIR_OUT : WW_DIR_IN;
	struct ww_event_record *ev;

	if (s->hello)
		feed_hello(w, s);
	ev = ev_record(s->us * 1000ull + 300, COOKIE, dir, s->type, s->bytes);
	ev->index = w->index[dir]++;
	feed(w, ev);
}

static const struct ww_flow *flow_of(struct world *w)
{
	return ww_flows_get(w->flows, COOKIE);
}

static void expect(struct world *w, uint32_t us, enum ww_holder_why why)
{
	const struct ww_flow *f = flow_of(w);

	if (f->key_holder_us != us || f->key_holder_why != why)
		fail_msg("%u us (%s), not %u (%s)", f->key_holder_us,
			 ww_key_holder_why_name((enum ww_holder_why)f->key_holder_why), us,
			 ww_key_holder_why_name(why));
}

static void play(struct world *w, const struct step *s)
{
	open_flow(w, "203.0.113.7");
	for (; s->who; s++)
		feed_step(w, s);
}

/* The time counts once the server went on, and from then on whatever comes. */
static void full_tls13(void **state)
{
	struct world *w = *state;

	open_flow(w, "203.0.113.7");
	for (const struct step *s = full_13; s->who; s++) {
		feed_step(w, s);
		if (s[1].who)
			expect(w, 0, WW_HOLDER_UNFINISHED);
	}
	/* The record of the server's Finished: 24000.3 - 1000 us, and a microsecond that has begun.
	 */
	expect(w, 23001, WW_HOLDER_NONE);
	feed(w, ev_counters(WW_EVENT_FLOW_STAT, 50000000, COOKIE, 900, 2000));
	expect(w, 23001, WW_HOLDER_NONE);
}

/* Where one more byte would have had room for the end of the signature: the client's own flight. */
static void a_flight_in_one_record(void **state)
{
	struct world *w = *state;
	struct step s[WW_ARRAY_SIZE(full_13)];

	memcpy(s, full_13, sizeof(s));
	s[6].bytes = 75;
	play(w, s);
	expect(w, 23501, WW_HOLDER_NONE);
}

static void a_flight_in_one_record_of_tls12(void **state)
{
	struct world *w = *state;
	struct step s[WW_ARRAY_SIZE(full_12)];

	memcpy(s, full_12, sizeof(s));
	s[4].bytes = 10;
	play(w, s);
	expect(w, 21001, WW_HOLDER_NONE);
}

/* What a server sends right behind its flight makes it later, never sooner. */
static void a_flight_with_data_behind(void **state)
{
	struct world *w = *state;
	struct step s[WW_ARRAY_SIZE(full_13) + 1];

	memcpy(s, full_13, 7 * sizeof(s[0]));
	s[7] = (struct step){'s', 23, 40, 24200, NULL};
	memcpy(s + 8, full_13 + 7, sizeof(s) - 8 * sizeof(s[0]));
	play(w, s);
	expect(w, 23201, WW_HOLDER_NONE);
}

static void full_tls12(void **state)
{
	struct world *w = *state;

	play(w, full_12);
	expect(w, 20001, WW_HOLDER_NONE);
}

static void retried(void **state)
{
	struct world *w = *state;

	/* From the first ClientHello: two round trips, where one would do. */
	play(w, retry_13);
	assert_true(flow_of(w)->tls_facts.retry);
	expect(w, 40001, WW_HOLDER_NONE);
}

static void must_not_count_what_goes_on(void **state)
{
	struct world *w = *state;

	play(w, resumed_13);
	assert_true(flow_of(w)->tls_facts.psk);
	expect(w, 0, WW_HOLDER_RESUMED);
}

static void must_not_count_what_may_go_on_after_a_retry(void **state)
{
	struct world *w = *state;

	play(w, retry_resumed_13);
	assert_true(flow_of(w)->tls_facts.retry && flow_of(w)->tls_facts.psk_offered);
	expect(w, 0, WW_HOLDER_UNREAD);
}

static void must_not_count_a_session_of_tls12(void **state)
{
	struct world *w = *state;

	play(w, resumed_12);
	assert_true(flow_of(w)->tls_facts.resumed);
	expect(w, 0, WW_HOLDER_RESUMED);
}

/* A ticket without a session id: the server's order of records says it alone. */
static void must_not_count_a_session_that_no_id_tells(void **state)
{
	struct world *w = *state;
	struct step s[WW_ARRAY_SIZE(resumed_12)];

	memcpy(s, resumed_12, sizeof(s));
	s[0].hello = full12_client;
	s[1].hello = full12_server;
	play(w, s);
	assert_false(flow_of(w)->tls_facts.resumed);
	expect(w, 0, WW_HOLDER_RESUMED);
}

static void must_not_count_early_data(void **state)
{
	struct world *w = *state;
	struct step s[WW_ARRAY_SIZE(full_13)];

	memcpy(s, full_13, sizeof(s));
	s[0].hello = early_client;
	play(w, s);
	assert_true(flow_of(w)->tls_facts.early);
	expect(w, 0, WW_HOLDER_EARLY_DATA);
}

static void must_not_count_unsigned_exchanges(void **state)
{
	struct world *w = *state;
	uint8_t raw[128];
	char hex[2 * sizeof(raw) + 1];
	struct step s[WW_ARRAY_SIZE(full_12)];
	size_t n = strlen(full12_server) / 2, at = 5 + 4 + 2 + 32;

	/* TLS_RSA_WITH_AES_128_GCM_SHA256, behind the session id. */
	assert_int_equal(ww_hex_decode(ww_slice_str(full12_server), raw, n), 0);
	at += 1 + raw[at];
	raw[at] = 0;
	raw[at + 1] = 0x9c;
	ww_hex_encode(ww_slice(raw, n), hex);
	memcpy(s, full_12, sizeof(s));
	s[1].hello = hex;
	play(w, s);
	expect(w, 0, WW_HOLDER_UNSIGNED);
}

/* A fatal alert is encrypted, too: the client that sends it may not have had the signature. */
static void must_not_count_an_alert(void **state)
{
	struct world *w = *state;
	struct step s[WW_ARRAY_SIZE(full_13)];

	memcpy(s, full_13, sizeof(s));
	s[8].bytes = 24;
	play(w, s);
	expect(w, 0, WW_HOLDER_UNFINISHED);
}

/* A record that claims to be a Finished does not bring the server to go on. */
static void must_not_count_what_the_server_refused(void **state)
{
	struct world *w = *state;
	struct step s[WW_ARRAY_SIZE(full_13)];

	memcpy(s, full_13, sizeof(s));
	s[9].bytes = 24;
	play(w, s);
	expect(w, 0, WW_HOLDER_UNFINISHED);
}

static void must_not_count_with_a_record_lost(void **state)
{
	struct world *w = *state;

	for (unsigned lost = 0; full_13[lost].who; lost++) {
		open_flow(w, "203.0.113.7");
		w->index[0] = w->index[1] = 0;
		for (unsigned i = 0; full_13[i].who; i++) {
			if (i == lost)
				w->index[full_13[i].who != 'c']++;
			else
				feed_step(w, &full_13[i]);
		}
		if (flow_of(w)->key_holder_us)
			fail_msg("without event %u: %u us", lost, flow_of(w)->key_holder_us);
		teardown(state);
		setup(state);
		w = *state;
	}
}

/* The hello's event and that of its record can be lost one without the other. */
static void must_not_count_without_a_hello(void **state)
{
	struct world *w = *state;

	for (unsigned lost = 0; lost < 2; lost++) {
		open_flow(w, "203.0.113.7");
		for (unsigned i = 0; full_13[i].who; i++) {
			struct step s = full_13[i];

			if (i == lost)
				s.hello = NULL;
			feed_step(w, &s);
		}
		assert_int_equal(flow_of(w)->key_holder_us, 0);
		teardown(state);
		setup(state);
		w = *state;
	}
}

static void must_not_count_where_a_hello_was_cut(void **state)
{
	struct world *w = *state;

	for (unsigned which = 0; which < 2; which++) {
		char hex[2 * 600];
		struct step s[WW_ARRAY_SIZE(full_13)];

		memcpy(s, full_13, sizeof(s));
		snprintf(hex, sizeof(hex), "%.*s", (int)strlen(s[which].hello) - 8, s[which].hello);
		s[which].hello = hex;
		play(w, s);
		expect(w, 0, WW_HOLDER_UNREAD);
		teardown(state);
		setup(state);
		w = *state;
	}
}

static void must_not_count_on_the_same_host(void **state)
{
	static const char *const peers[] = {"127.0.0.5", "10.0.0.1"};
	struct world *w = *state;

	for (unsigned i = 0; i < 2; i++) {
		open_flow(w, peers[i]);
		for (const struct step *s = full_13; s->who; s++)
			feed_step(w, s);
		expect(w, 0, WW_HOLDER_SAME_HOST);
		teardown(state);
		setup(state);
		w = *state;
	}
}

static void must_not_count_what_began_before(void **state)
{
	struct world *w = *state;

	for (const struct step *s = full_13; s->who; s++)
		feed_step(w, s);
	expect(w, 0, WW_HOLDER_OLDER);
}

static void must_not_count_what_is_served(void **state)
{
	struct world *w = *state;
	struct ww_event_flow *ev = ev_open(500000, PID, COOKIE, ev_endpoint("203.0.113.7", 4000));

	ev->role = WW_FLOW_ACCEPT;
	feed(w, ev);
	for (const struct step *s = full_13; s->who; s++) {
		struct step other = *s;

		/* The hellos' own sides stay; the directions turn. */
		other.hello = NULL;
		other.who = s->who == 'c' ? 's' : 'c';
		feed_step(w, &other);
	}
	feed(w, ev_hello(60000000, COOKIE, WW_DIR_IN, 9));
	expect(w, 0, WW_HOLDER_SERVED);
}

/* Whatever a server says of itself, there is no time but behind a record that we saw leave. */
static void hostile_hellos(void **state)
{
	struct world *w = *state;
	uint8_t raw[256];
	size_t n = strlen(full_server) / 2;

	for (size_t at = 0; at < n; at++) {
		for (unsigned v = 0; v < 256; v += 15) {
			char hex[2 * sizeof(raw) + 1];
			struct step s[WW_ARRAY_SIZE(full_13)];

			assert_int_equal(ww_hex_decode(ww_slice_str(full_server), raw, n), 0);
			raw[at] = (uint8_t)v;
			ww_hex_encode(ww_slice(raw, n), hex);
			memcpy(s, full_13, sizeof(s));
			s[1].hello = hex;
			play(w, s);
			/* None, or not before the server's last record. */
			if (flow_of(w)->key_holder_us && flow_of(w)->key_holder_us < 23001)
				fail_msg("byte %zu is %u: %u us", at, v, flow_of(w)->key_holder_us);
			teardown(state);
			setup(state);
			w = *state;
		}
	}
}

/* Times that do not fit are none, and no sum wraps. */
static void forged_times(void **state)
{
	struct ww_flow f = {.role = WW_FLOW_CONNECT,
			    .seen_birth = true,
			    .tls = true,
			    .peer = ev_endpoint("203.0.113.7", 443),
			    .tls_facts = {.client_hello = true,
					  .server_hello = true,
					  .version = 0x0304,
					  .cipher = 0x1301}};
	struct ww_account_dir dirs[2] = {
		{.record_count = 2, .records = {{517, 22, 10}, {74, 23, UINT64_MAX - 1}}},
		{.record_count = 2, .records = {{127, 22, 20}, {255, 23, UINT64_MAX}}},
	};

	ww_key_holder_settle(&f, 5, dirs, true);
	assert_int_equal(f.key_holder_us, 0);
	assert_int_equal(f.key_holder_why, WW_HOLDER_UNFINISHED);
	dirs[0].records[1].time_ns = 5 + UINT32_MAX * 1000ull;
	ww_key_holder_settle(&f, 5, dirs, true);
	assert_int_equal(f.key_holder_us, UINT32_MAX);
	dirs[0].records[1].time_ns++;
	ww_key_holder_settle(&f, 5, dirs, true);
	assert_int_equal(f.key_holder_us, 0);
	/* A hello that is younger than what answers it. */
	dirs[0].records[1].time_ns = 30;
	ww_key_holder_settle(&f, 31, dirs, true);
	assert_int_equal(f.key_holder_us, 0);
	ww_key_holder_settle(&f, 30, dirs, true);
	assert_int_equal(f.key_holder_us, 0);
	ww_key_holder_settle(&f, 29, dirs, true);
	assert_int_equal(f.key_holder_us, 1);
	/* The walk lost its place before there was anything. */
	dirs[0].record_count = 1;
	ww_key_holder_settle(&f, 5, dirs, false);
	assert_int_equal(f.key_holder_why, WW_HOLDER_LOST);
}

static void every_reason_has_a_name(void **state)
{
	assert_null(ww_key_holder_why_name(WW_HOLDER_NONE));
	for (unsigned i = WW_HOLDER_NONE + 1; i < WW_HOLDER_WHY_MAX; i++)
		assert_non_null(ww_key_holder_why_name((enum ww_holder_why)i));
	assert_string_equal(ww_key_holder_why_name(WW_HOLDER_WHY_MAX), "unknown");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(full_tls13),
		T(full_tls12),
		T(a_flight_in_one_record),
		T(a_flight_in_one_record_of_tls12),
		T(a_flight_with_data_behind),
		T(retried),
		T(must_not_count_what_goes_on),
		T(must_not_count_what_may_go_on_after_a_retry),
		T(must_not_count_a_session_of_tls12),
		T(must_not_count_a_session_that_no_id_tells),
		T(must_not_count_early_data),
		T(must_not_count_unsigned_exchanges),
		T(must_not_count_an_alert),
		T(must_not_count_what_the_server_refused),
		T(must_not_count_with_a_record_lost),
		T(must_not_count_without_a_hello),
		T(must_not_count_where_a_hello_was_cut),
		T(must_not_count_on_the_same_host),
		T(must_not_count_what_began_before),
		T(must_not_count_what_is_served),
		T(hostile_hellos),
		cmocka_unit_test(forged_times),
		cmocka_unit_test(every_reason_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a request to the guard, and as the file that keeps its denials: what is taken is
 * within its limits, its text is one line, and the file written of it says the same again.
 */
#include <assert.h>
#include <stdio.h>

#include "daemon/warden_commands.h"

#define NOW ((struct ww_wall){1795780800000000000ull})

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_command(const struct ww_warden_command *c)
{
	char text[WW_WARDEN_TEXT_MAX];

	ww_warden_command_text(c, text);
	assert(text[0] && strnlen(text, sizeof(text)) < sizeof(text));
	for (const char *p = text; *p; p++)
		assert((uint8_t)*p >= 0x20 && *p != 0x7f);
	assert(c->what == WW_WARDEN_PREFIX || !c->prefix.family);
	assert((c->what == WW_WARDEN_REGION) == (c->region[0] != '\0'));
	assert(c->what != WW_WARDEN_ALL || c->agent[0]);
}

static void check_file(const struct ww_warden_commands *in)
{
	static struct ww_warden_commands out;
	WW_AUTO_BUF struct ww_buf first, second;
	unsigned line;

	ww_buf_init(&first, 1u << 20);
	ww_buf_init(&second, 1u << 20);
	assert(ww_warden_commands_file(in, &first) == 0);
	assert(ww_warden_commands_read(ww_buf_slice(&first), &out, &line) == 0);
	assert(out.count == in->count);
	assert(ww_warden_commands_file(&out, &second) == 0);
	assert(ww_slice_eq(ww_buf_slice(&first), ww_buf_slice(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ww_warden_commands commands;
	struct ww_slice in = ww_slice(data, size);
	struct ww_warden_command c;
	struct ww_errtext why;
	uint64_t cookie;
	unsigned line = 0;
	bool cut;

	(void)ww_warden_verb(in);
	(void)!ww_warden_flow_read(in, &cookie, &why);
	for (unsigned deny = 0; deny < 2; deny++) {
		if (ww_warden_command_read(in, deny, NOW, &c, &cut, &why) < 0)
			continue;
		check_command(&c);
		assert(deny || (!cut && !c.until.ns));
		assert(!c.until.ns || c.until.ns > NOW.ns);
		commands.count = 0;
		assert(ww_warden_commands_add(&commands, &c, &why) == 0);
		check_file(&commands);
		assert(ww_warden_commands_remove(&commands, &c, &why) == 0 && commands.count == 0);
	}
	if (ww_warden_commands_read(in, &commands, &line) < 0) {
		assert(line > 0);
		return 0;
	}
	for (unsigned i = 0; i < commands.count; i++)
		check_command(&commands.at[i]);
	check_file(&commands);
	return 0;
}

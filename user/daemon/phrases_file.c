/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/phrases_file.h"

#include "base/log.h"
#include "rt/file.h"

static int read_file(const char *path, struct ww_buf *memory)
{
	WW_AUTO(ww_phrases_free_auto) struct ww_phrases *parsed = NULL;
	struct ww_contract_error error = {0};
	int r;

	r = ww_file_read(path, memory);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", path);
	r = ww_phrases_parse(ww_phrases_default(), ww_buf_slice(memory), &parsed, &error);
	if (r < 0 && error.text[0])
		ww_log(WW_LOG_ERR, "%s:%u: %s", path, error.line, error.text);
	else if (r < 0)
		ww_log_err_r(r, "cannot use %s", path);
	return r;
}

int ww_phrases_option(const char *arg, struct ww_buf *memory, struct ww_pipeline_config *cfg)
{
	bool on = !arg || strcmp(arg, "on") == 0;
	int r = 0;

	ww_buf_clear(memory);
	if (!on && strcmp(arg, "off") != 0) {
		r = read_file(arg, memory);
		on = true;
	}
	if (r < 0)
		return r;
	cfg->prose = on;
	cfg->phrases = ww_buf_slice(memory);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/policy_option.h"

#include <stdio.h>

#include "base/log.h"
#include "rt/file.h"

void ww_policy_error_text(const char *file, const char *severity, const struct ww_contract_error *e,
			  char *out, size_t cap)
{
	char place[32] = "";

	if (e->line && e->column)
		snprintf(place, sizeof(place), ":%u:%u", e->line, e->column);
	else if (e->line)
		snprintf(place, sizeof(place), ":%u", e->line);
	snprintf(out, cap, "%s%s: %s%s", file, place, severity, e->text);
}

int ww_policy_option(const char *arg, struct ww_policy **ret)
{
	struct ww_contract_error error = {0};
	WW_AUTO_BUF struct ww_buf yaml = {0};
	char text[4608];
	int r;

	if (!arg || strcmp(arg, "off") == 0)
		return 0;
	ww_buf_init(&yaml, WW_POLICY_FILE_BYTES + 1);
	r = ww_file_read(arg, &yaml);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", arg);
	r = ww_policy_parse(ww_buf_slice(&yaml), ret, &error);
	if (r < 0 && error.text[0]) {
		ww_policy_error_text(arg, "", &error, text, sizeof(text));
		ww_log(WW_LOG_ERR, "%s", text);
	} else if (r < 0) {
		ww_log_err_r(r, "cannot use %s", arg);
	}
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#define LINE_BYTES_MAX 1024

static _Atomic int level_max = WW_LOG_INFO;

void ww_log_set_level(enum ww_log_level level)
{
	level_max = level;
}

static size_t clamp(int n, size_t room)
{
	if (n < 0)
		return 0;
	return (size_t)n < room ? (size_t)n : room - 1;
}

/* Arguments may come from the wire: no forged lines, no terminal escapes (C0, DEL; C1 in UTF-8). */
static void make_harmless(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char b = (unsigned char)text[i];

		if (b < 0x20 || b == 0x7f)
			text[i] = '?';
		else if (b == 0xc2 && i + 1 < n && ((unsigned char)text[i + 1] & 0xe0) == 0x80)
			text[i] = text[i + 1] = '?';
	}
}

/* One write per line, so that lines of several threads do not mix. `error` may be NULL. */
__attribute__((format(printf, 2, 0))) static void emit(enum ww_log_level level, const char *fmt,
						       va_list ap, const char *error)
{
	static const struct {
		const char *name;
		int priority; /* syslog(3) severity */
	} levels[] = {{"error", 3}, {"warning", 4}, {"info", 6}, {"debug", 7}};
	char line[LINE_BYTES_MAX];
	size_t n = 0, text;

	if ((int)level > level_max)
		return;
	if (getenv("JOURNAL_STREAM"))
		n = clamp(snprintf(line, sizeof(line), "<%d>", levels[level].priority),
			  sizeof(line));
	n += clamp(snprintf(line + n, sizeof(line) - n, "%s: ", levels[level].name),
		   sizeof(line) - n);
	text = n;
	n += clamp(vsnprintf(line + n, sizeof(line) - n, fmt, ap), sizeof(line) - n);
	if (error)
		n += clamp(snprintf(line + n, sizeof(line) - n, ": %s", error), sizeof(line) - n);
	make_harmless(line + text, n - text);
	line[n++] = '\n';
	/* Nowhere to report that reporting failed. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

void ww_log(enum ww_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(level, fmt, ap, NULL);
	va_end(ap);
}

int ww_log_err_r(int r, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	emit(WW_LOG_ERR, fmt, ap, strerror_r(-r, text, sizeof(text)));
	va_end(ap);
	return r;
}

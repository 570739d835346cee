/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tool server that is as good as its C library: the same source, linked in different ways. It
 *answers every request, and its calls are logged as those of server.py are.
 *
 *	server LOG
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* What stands behind key, up to one of the characters of end; the messages are those of agent.py.
 */
static char *member(const char *line, const char *key, const char *end)
{
	const char *at = strstr(line, key);

	return at ? strndup(at + strlen(key), strcspn(at + strlen(key), end)) : NULL;
}

static void answer(FILE *log, const char *line, size_t bytes)
{
	char *id = member(line, "\"id\": ", ",}"), *order = member(line, "\"order\": \"", "\"");
	char *mode = member(line, "\"mode\": \"", "\"");
	char out[512];
	int n;

	if (!id)
		return;
	n = snprintf(out, sizeof(out),
		     "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[{\"type\":\"text\","
		     "\"text\":\"{}\"}]}}",
		     id);
	if (order && mode)
		fprintf(log,
			"{\"server\":%d,\"id\":%s,\"order\":\"%s\",\"mode\":\"%s\",\"in\":%zu,"
			"\"out\":%d,\"effect\":\"done\"}\n",
			(int)getpid(), id, order, mode, bytes, n);
	puts(out);
	free(id);
	free(order);
	free(mode);
}

int main(int argc, char **argv)
{
	FILE *log = argc == 2 ? fopen(argv[1], "ae") : NULL;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (!log)
		return 2;
	setvbuf(log, NULL, _IOLBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((n = getline(&line, &room, stdin)) > 0)
		answer(log, line, (size_t)n - 1);
	return 0;
}

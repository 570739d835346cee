/* SPDX-License-Identifier: Apache-2.0 */
/* Signs a payload with a ledger's key, for tests that lie with the key in hand: dsse_sign KEY <
 * PAYLOAD
 */
#include <fcntl.h>
#include <stdio.h>

#include "ledger/dsse.h"
#include "ledger/durable.h"
#include "wirewitness/limits.h"

static int complain(const char *what)
{
	fprintf(stderr, "dsse_sign: %s\n", what);
	return 1;
}

int main(int argc, char **argv)
{
	WW_AUTO_BUF struct ww_buf key = {0}, payload = {0}, out = {0};
	struct ww_note_signer s;

	ww_buf_init(&key, 4096);
	ww_buf_init(&payload, WW_REPORT_BYTES_MAX);
	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	if (argc != 2 || ww_durable_read(AT_FDCWD, argv[1], &key) < 0 ||
	    ww_note_signer_parse(
		    ww_slice_sub(ww_buf_slice(&key), 0, ww_slice_find(ww_buf_slice(&key), 0, '\n')),
		    &s) < 0)
		return complain("usage: dsse_sign KEY < PAYLOAD");
	if (ww_durable_read(AT_FDCWD, "/dev/stdin", &payload) < 0 ||
	    ww_dsse_sign(&s, WW_SLICE_LIT(WW_DSSE_INTOTO), ww_buf_slice(&payload), &out) < 0)
		return complain("cannot sign");
	return fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0 ? 0 : 1;
}

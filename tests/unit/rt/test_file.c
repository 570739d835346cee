/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/file.h"

#include "base/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

/* FIPS 180-4: a million times 'a'; read in steps, from the begin, wherever the descriptor stands.
 */
static void digest_of_a_file(void **state)
{
	char path[] = "/tmp/ww-file-XXXXXX", block[1000], hex[2 * WW_SHA256_LEN + 1];
	WW_AUTO_FD int fd = mkstemp(path);
	struct ww_sha256 h, before;

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	memset(block, 'a', sizeof(block));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 1000000);
	assert_int_equal(ww_file_sha256(fd, 1000000, &h), 0);
	ww_hex_encode(ww_slice(h.b, sizeof(h.b)), hex);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	before = h;
	assert_int_equal(ww_file_sha256(fd, 999999, &h), -EFBIG);
	assert_int_equal(ww_file_sha256(-1, 1000000, &h), -EBADF);
	assert_memory_equal(&before, &h, sizeof(h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(digest_of_a_file)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

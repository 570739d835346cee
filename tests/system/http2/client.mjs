// SPDX-License-Identifier: Apache-2.0
// node client.mjs ORIGIN: one connection; a hundred streams at once, then every kind of answer, then a megabyte; says what came.
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';

const session = http2.connect(process.argv[2], { ca: readFileSync(process.env.CA_FILE) });
const seen = { answered: 0, bytes: 0, reset: 0 };

function call(path, bytes, cancel, form) {
	return new Promise((resolve) => {
		const stream = session.request({ ':method': bytes || form ? 'POST' : 'GET', ':path': path, 'x-tag': path,
			...(form ? { 'content-type': form.type } : {}), traceparent: `00-${'7'.repeat(32)}-${String(bytes + 1).padStart(16, '0')}-01` });
		let got = 0, status = 0;

		stream.on('error', () => {});
		stream.on('response', (headers) => (status = headers[':status']));
		stream.on('data', (b) => {
			got += b.length;
			if (cancel)
				stream.close(http2.constants.NGHTTP2_CANCEL);
		});
		stream.on('close', () => {
			seen.bytes += got;
			if (stream.rstCode)
				seen.reset++;
			else if (status)
				seen.answered++;
			resolve();
		});
		stream.end(form?.body ?? (bytes ? Buffer.alloc(bytes, 'request ') : undefined));
	});
}

// An upload as Node's fetch writes it; the last file makes it longer than what is kept of a body.
async function upload() {
	const form = new FormData();

	form.append('purpose', 'fine-tune');
	form.append('file', new Blob(['content of 7 bytes; '.repeat(9), '\r\n--\r\n']), 'a name.jsonl');
	form.append('number 4711', '');
	form.append('archive', new Blob([Buffer.alloc(3 << 20, 'archive ')], { type: 'application/zip' }), 'b.zip');
	const made = new Response(form);

	await call('/status/201', 0, false, { type: made.headers.get('content-type'), body: Buffer.from(await made.arrayBuffer()) });
}

await Promise.all(Array.from({ length: 100 }, (_, i) => call(i % 3 ? `/bytes/${i * 300}` : `/status/${200 + i}`, i % 2 ? i * 100 : 0)));
for (const path of ['/bytes/50000', '/gzip/50000', '/br/50000', '/zstd/50000', '/aws/40', '/aws/7', '/trailers/3000', '/early/10', '/reset', '/cut/40000', '/bytes/0'])
	await call(path, 0);
await call('/bytes/300000', 0, true);
await call('/bytes/1048576', 70000);
await call('/bytes/5000000', 0);
await upload();
session.close();
await new Promise((resolve) => session.on('close', resolve));
process.stdout.write(JSON.stringify(seen) + '\n');

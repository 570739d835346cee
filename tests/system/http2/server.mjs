// SPDX-License-Identifier: Apache-2.0
// An HTTP/2 server that writes down what it really got and sent, one line per request, by the number that it also sends as
// x-request-id. What it answers is in the path: /status/CODE, /bytes/N, /gzip/N, /br/N, /zstd/N, /aws/N (N events of the AWS event
// stream, the last an exception when N is odd), /trailers/N, /early/N (103 first), /reset (after the request), /cut/N (reset in
// the middle of its content), /goaway (a farewell, then the answer). Options as ../../lib/servers, --packages: npm packages.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const { values: opt } = parseArgs({ options: { cert: { type: 'string' }, key: { type: 'string' }, log: { type: 'string' },
	packages: { type: 'string' },	port: { type: 'string', default: '443' } } });
const server = http2.createSecureServer({ cert: readFileSync(opt.cert), key: readFileSync(opt.key), allowHTTP1: false,
	settings: { maxConcurrentStreams: 200 } });
let count = 0;
const coders = { gzip: gzipSync, br: brotliCompressSync, zstd: (input) => execFileSync('zstd', ['-qc'], { input }) };

function content(n) {
	return Buffer.alloc(n, `content of ${n} bytes; `);
}

// By the official codec; what it is of is written down.
function awsEvents(n, line) {
	const { EventStreamCodec } = createRequire(`${opt.packages}/x.js`)('@smithy/eventstream-codec');
	const codec = new EventStreamCodec((b) => new TextDecoder().decode(b), (s) => new TextEncoder().encode(s));
	const text = (value) => ({ type: 'string', value });

	line.events = { count: n, failures: n % 2, ...(n % 2 ? { failure: 'throttlingException' } : {}), whole: true };
	return Buffer.concat(Array.from({ length: n }, (_, i) => codec.encode({ body: content(i),
		headers: n % 2 && i === n - 1 ? { ':message-type': text('exception'), ':exception-type': text('throttlingException') }
			: { ':message-type': text('event'), ':event-type': text('chunk') } })));
}

const sha256 = (content) => createHash('sha256').update(content).digest('hex');

// As Node's fetch reads them: name, size and digest of each part, and whether it is a file.
async function parts(type, body) {
	const out = [];

	for (const [name, value] of await new Response(body, { headers: { 'content-type': type } }).formData()) {
		const content = typeof value === 'string' ? Buffer.from(value) : Buffer.from(await value.arrayBuffer());

		out.push({ name, bytes: content.length, sha256: sha256(content), file: typeof value !== 'string' });
	}
	return out;
}

function answer(stream, headers, line) {
	const [, what, value] = headers[':path'].split('/'), n = Number(value ?? 0);
	const h = { ':status': 200, 'content-type': 'text/plain', 'x-request-id': line.id };
	let body = content(what === 'status' || what === 'reset' ? 0 : n);

	line.status = h[':status'] = what === 'status' ? n : 200;
	if (what === 'reset') {
		line.outcome = 'reset';
		stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
		return;
	}
	if (what === 'early')
		stream.additionalHeaders({ ':status': 103, link: '</a>' });
	if (what === 'aws') {
		h['content-type'] = 'application/vnd.amazon.eventstream';
		body = awsEvents(n, line);
	}
	line.plain = body.length;
	line.sha256 = sha256(body);
	if (coders[what]) {
		h['content-encoding'] = what;
		body = coders[what](body);
	}
	line.sent = headers[':method'] === 'HEAD' ? 0 : body.length;
	if (what === 'goaway')
		stream.session.goaway(http2.constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
	if (what === 'cut') {
		line.outcome = 'reset';
		stream.respond(h);
		stream.write(body.subarray(0, n / 2), () => stream.destroy(new Error('cut')));
		return;
	}
	if (what === 'trailers') {
		stream.respond(h, { waitForTrailers: true });
		stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': String(n) }));
	} else {
		stream.respond(h);
	}
	stream.end(line.sent ? body : undefined);
}

server.on('stream', (stream, headers) => {
	const line = { kind: 'req', id: `n${count++}`, method: headers[':method'], path: headers[':path'], stream: stream.id, status: 0,
		got: 0, sent: 0, outcome: 'sent' };

	stream.on('error', () => {});
	const form = [];

	stream.on('data', (bytes) => {
		line.got += bytes.length;
		if (headers['content-type'])
			form.push(bytes);
	});
	stream.on('end', async () => {
		if (form.length)
			line.parts = await parts(headers['content-type'], Buffer.concat(form));
		answer(stream, headers, line);
	});
	stream.on('close', () => appendFileSync(opt.log, JSON.stringify(line) + '\n'));
});
server.on('sessionError', () => {});
process.on('SIGTERM', () => process.exit(0));
server.listen(Number(opt.port), () => process.stdout.write(`ready ${server.address().port}\n`));

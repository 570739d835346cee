// SPDX-License-Identifier: Apache-2.0
// A gRPC-like service over HTTP/2: POST /pay.Refunds/Create is answered 200, and with its real status in the trailers,
// taken from the request header x-script: ok, or a gRPC status number. Options and log as ../lib/servers/truth.mjs
// (lines of kind "req" only).
import { appendFileSync, readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { parseArgs } from 'node:util';

const { values: opt } = parseArgs({ options: { cert: { type: 'string' }, key: { type: 'string' }, log: { type: 'string' } } });
const server = http2.createSecureServer({ cert: readFileSync(opt.cert), key: readFileSync(opt.key), allowHTTP1: false });

server.on('stream', (stream, headers) => {
	const grpc = headers['x-script'] === 'ok' ? '0' : headers['x-script'];

	stream.on('error', () => {});
	stream.resume();
	stream.on('end', () => {
		appendFileSync(opt.log, JSON.stringify({
			kind: 'req', server: 'grpc', method: headers[':method'], path: headers[':path'], tag: headers['x-tag'] ?? null,
			traceparent: headers.traceparent ?? null, status: 200, outcome: 'sent',
			note: { effect: grpc === '0' ? 'done' : 'none', script: headers['x-script'], grpc },
		}) + '\n');
		stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
		stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpc }));
		stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
	});
});
server.on('sessionError', () => {});
process.on('SIGTERM', () => process.exit(0));
server.listen(443, '0.0.0.0', () => process.stdout.write('ready 443\n'));

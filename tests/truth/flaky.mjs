// SPDX-License-Identifier: Apache-2.0
// A service that breaks before it could read a request; it never carries anything out. By port:
//   444  resets as soon as the TLS handshake is complete    445  resets at the first byte, before any handshake
//   446  resets in the middle of the request
// Options and log as ../lib/servers/truth.mjs; a line {kind: "broken", addr, port, at, read} per connection.
import { appendFileSync, readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { parseArgs } from 'node:util';

const { values: opt } = parseArgs({ options: { cert: { type: 'string' }, key: { type: 'string' }, log: { type: 'string' } } });
const credentials = { cert: readFileSync(opt.cert), key: readFileSync(opt.key) };

function broken(raw, at, read) {
	appendFileSync(opt.log, JSON.stringify({ kind: 'broken', addr: raw.remoteAddress, port: raw.remotePort, at, read }) + '\n');
	raw.resetAndDestroy();
}

function secure(at, arrived) {
	const raws = new Map();
	const server = tls.createServer(credentials, (socket) => arrived(socket, raws.get(socket.remotePort)));

	server.on('connection', (raw) => {
		raws.set(raw.remotePort, raw);
		raw.on('error', () => {});
		raw.on('close', () => raws.delete(raw.remotePort));
	});
	server.on('tlsClientError', () => {});
	return server;
}

const after_handshake = secure('handshake', (socket, raw) => {
	socket.on('error', () => {});
	broken(raw, 'handshake', 0);
});
const in_request = secure('request', (socket, raw) => {
	socket.on('error', () => {});
	socket.once('data', (part) => broken(raw, 'request', part.length));
});
const at_once = net.createServer((raw) => {
	raw.on('error', () => {});
	raw.once('data', () => broken(raw, 'hello', 0));
});

process.on('SIGTERM', () => process.exit(0));
await Promise.all([[after_handshake, 444], [at_once, 445], [in_request, 446]].map(([server, port]) =>
	new Promise((resolve) => server.listen(port, '0.0.0.0', resolve))));
process.stdout.write('ready 444\n');

// SPDX-License-Identifier: Apache-2.0
// A TLS server whose log is the ground truth of the tests: what really arrived, on which connection, and what was
// really answered. The provider and payments servers are request handlers on top of it.
//
// Options: --cert FILE --key FILE --log FILE [--addr 0.0.0.0] [--port 443] [--gzip on|off] [--plain] [--http2]
//          --fault FAULT (repeatable), of all that it answers:
//            reset=MS         none: the request is read in full, and after so long, when the kernel has acknowledged it all, the
//                             connection is reset
//            status=N         that status, with Retry-After: 1
//            to=ORIGIN        307 to the same path there
//            head=NAME:VALUE  a header more
//            hold=FIFO        an answer in parts stops after the first, until FIFO has a line
// Prints "ready PORT" when it listens; stops on SIGTERM with status 0, after the last connection is logged.
//
// The log is NDJSON, appended synchronously, a request's line before its answer is sent: a client that has the answer
// can rely on the line. Times `t` are microseconds since the epoch. Lines by `kind`:
//   req   conn, addr, port (the peer's), sni, method, path, tag (x-tag), host, traceparent, body_bytes, body_sha256, and of
//         the answer: status (null: none was sent), outcome (sent, reset, silent), reply_bytes, reply_sha256 (both
//         before any content coding), encoding, plus what the handler adds as `note`
//   conn  at close: conn, addr, port, tls (version, null: no handshake), cipher, client_random, requests,
//         app_read, app_written (bytes inside TLS), raw_read, raw_written (bytes on the socket)
import { createHash } from 'node:crypto';
import { appendFileSync, createReadStream, readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { parseArgs } from 'node:util';
import { constants, createGzip, gzipSync } from 'node:zlib';

const now = () => Math.round((performance.timeOrigin + performance.now()) * 1000);
const sha256 = (data) => createHash('sha256').update(data).digest('hex');

function read_body(req) {
	return new Promise((resolve, reject) => {
		const parts = [];
		req.on('data', (part) => parts.push(part));
		req.on('end', () => resolve(Buffer.concat(parts)));
		req.on('error', reject);
	});
}

// Sends each part in a write of its own, so that a stream is a stream on the wire too.
async function send_parts(res, parts, gzip, hold) {
	const out = gzip ? createGzip({ flush: constants.Z_SYNC_FLUSH }) : res;

	if (gzip)
		out.pipe(res);
	for (const [i, part] of parts.entries()) {
		await new Promise((resolve) => out.write(part, resolve));
		await (i === 0 && hold ? new Promise((resolve) => createReadStream(hold).once('data', resolve)) : new Promise(setImmediate));
	}
	out.end();
}

// What becomes of a reply by the faults that the server was given.
function spoil(reply, path, faults) {
	const with_header = (r, name, value) => ({ ...r, headers: { ...r.headers, [name]: value } });
	const instead = (r, status, name, value) => with_header({ status, json: { error: { code: 'fault' } }, note: r.note }, name, value);

	return faults.reduce((r, [word, value]) => {
		switch (word) {
		case 'reset':
			return { outcome: 'reset', after_ms: Number(value), note: r.note };
		case 'status':
			return instead(r, Number(value), 'retry-after', '1');
		case 'to':
			return instead(r, 307, 'location', value + path);
		case 'head':
			return with_header(r, ...value.split(/:(.*)/, 2));
		default:
			return r;
		}
	}, reply);
}

/*
 * handler({ method, path, headers, body }) returns what to do:
 *   { status, headers?, json | text | parts, note? }   parts: array of strings, sent one by one (server-sent events)
 *   { outcome: 'reset' | 'silent', note? }             the request was read in full, no answer is given
 * or a promise of it: a slow service.
 */
export function serve(name, handler) {
	const { values: opt } = parseArgs({
		options: {
			cert: { type: 'string' },
			key: { type: 'string' },
			log: { type: 'string' },
			addr: { type: 'string', default: '0.0.0.0' },
			port: { type: 'string', default: '443' },
			gzip: { type: 'string', default: 'on' },
			plain: { type: 'boolean', default: false },
			http2: { type: 'boolean', default: false },
			fault: { type: 'string', multiple: true, default: [] },
		},
	});
	const faults = opt.fault.map((fault) => fault.split(/=(.*)/, 2));
	const hold = faults.find(([word]) => word === 'hold')?.[1];
	const conns = new Map(); // "addr:port" -> record, while open
	let conn_count = 0;
	let stopping = false;

	const log = (line) => appendFileSync(opt.log, JSON.stringify({ t: now(), server: name, ...line }) + '\n');
	const conn_of = (socket) => conns.get(`${socket.remoteAddress}:${socket.remotePort}`);

	async function answer(req, res) {
		const conn = conn_of(req.socket);
		const body = await read_body(req).catch(() => null);

		if (body === null)
			return; // the client went away in the middle of it
		const line = {
			kind: 'req', conn: conn.id, addr: conn.addr, port: conn.port,
			sni: req.socket.servername || null, method: req.method, path: req.url,
			tag: req.headers['x-tag'] ?? null, host: req.headers.host ?? req.headers[':authority'] ?? null,
			traceparent: req.headers.traceparent ?? null,
			body_bytes: body.length, body_sha256: sha256(body),
		};
		const reply = spoil(await handler({ method: req.method, path: req.url, headers: req.headers, body }), req.url, faults);

		conn.requests++;
		if (reply.outcome) {
			log({ ...line, status: null, outcome: reply.outcome, reply_bytes: 0, note: reply.note });
			if (reply.outcome === 'reset') {
				await new Promise((resolve) => setTimeout(resolve, reply.after_ms ?? 0));
				conn.raw.resetAndDestroy();
			}
			return;
		}
		const headers = { ...reply.headers };
		let parts = reply.parts;
		if (reply.json !== undefined) {
			headers['content-type'] ??= 'application/json';
			parts = [JSON.stringify(reply.json)];
		} else if (reply.text !== undefined) {
			headers['content-type'] ??= 'text/plain';
			parts = [reply.text];
		}
		const whole = Buffer.from(parts.join(''));
		const gzip = opt.gzip === 'on' && whole.length > 0 && /\bgzip\b/.test(req.headers['accept-encoding'] ?? '');

		if (gzip)
			headers['content-encoding'] = 'gzip';
		log({ ...line, status: reply.status, outcome: 'sent', reply_bytes: whole.length,
			reply_sha256: sha256(whole), encoding: gzip ? 'gzip' : null, note: reply.note });
		if (reply.parts) {
			res.writeHead(reply.status, headers);
			await send_parts(res, parts, gzip, hold);
		} else {
			const coded = gzip ? gzipSync(whole) : whole;
			headers['content-length'] = coded.length;
			res.writeHead(reply.status, headers);
			res.end(coded);
		}
	}

	const tls = opt.plain ? null : { cert: readFileSync(opt.cert), key: readFileSync(opt.key) };
	const server = opt.plain ? http.createServer(answer)
		: opt.http2 ? http2.createSecureServer({ ...tls, allowHTTP1: true }, answer) : https.createServer(tls, answer);

	server.keepAliveTimeout = 120_000; // the client decides when a connection ends
	server.on('connection', (raw) => {
		if (raw.encrypted)
			return;
		const key = `${raw.remoteAddress}:${raw.remotePort}`;
		const conn = {
			id: ++conn_count, addr: raw.remoteAddress, port: raw.remotePort, raw,
			tls: null, cipher: null, client_random: null, requests: 0, secure: null,
		};

		conns.set(key, conn);
		raw.on('error', () => {});
		raw.on('close', () => {
			conns.delete(key);
			log({
				kind: 'conn', conn: conn.id, addr: conn.addr, port: conn.port,
				tls: conn.tls, cipher: conn.cipher, client_random: conn.client_random,
				requests: conn.requests,
				app_read: conn.secure?.bytesRead ?? null, app_written: conn.secure?.bytesWritten ?? null,
				raw_read: raw.bytesRead, raw_written: raw.bytesWritten,
			});
			if (stopping && conns.size === 0)
				process.exit(0);
		});
	});
	server.on('secureConnection', (socket) => {
		const conn = conn_of(socket);

		conn.secure = socket;
		conn.tls = socket.getProtocol();
		conn.cipher = socket.getCipher().standardName;
	});
	// Only the public client random is taken from a key log line, never the secret.
	server.on('keylog', (line, socket) => {
		const conn = conn_of(socket);

		if (conn)
			conn.client_random = line.toString('latin1').split(' ')[1];
	});
	server.on('tlsClientError', () => {});
	process.on('SIGTERM', () => {
		stopping = true;
		server.close();
		for (const conn of conns.values())
			(conn.secure ?? conn.raw).destroy();
		if (conns.size === 0)
			process.exit(0);
	});
	server.listen(Number(opt.port), opt.addr, () => process.stdout.write(`ready ${server.address().port}\n`));
}

// SPDX-License-Identifier: Apache-2.0
// A WebSocket server (npm ws) that writes down what it really got and sent, one line per message, under the path of its
// connection: kind in|out, type, bytes, sha256, frames that it sent; at the end a line of kind end: codes, pings and pongs it got
// and sent. What was agreed on is in the path's begin: /plain, /deflate, /fresh (no context kept), /narrow (small windows), and
// /server-fresh, where only the server drops its context. It echoes every message, in parts when the text begins so; "leave N"
// closes with that code, "ping" sends one. Options as ../../lib/servers.
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const { values: opt } = parseArgs({ options: { cert: { type: 'string' }, key: { type: 'string' }, log: { type: 'string' },
	packages: { type: 'string' }, port: { type: 'string', default: '443' } } });
const { WebSocketServer } = createRequire(`${opt.packages}/x.js`)('ws');
const all = { threshold: 0, concurrencyLimit: 1 };
const terms = { plain: false, deflate: all, fresh: { ...all, serverNoContextTakeover: true, clientNoContextTakeover: true },
	narrow: { ...all, serverMaxWindowBits: 9, clientMaxWindowBits: 10 }, server: { ...all, serverNoContextTakeover: true } };
const makers = Object.fromEntries(Object.entries(terms).map(([name, perMessageDeflate]) =>
	[name, new WebSocketServer({ noServer: true, perMessageDeflate, maxPayload: 16 << 20 })]));
const write = (line) => appendFileSync(opt.log, JSON.stringify(line) + '\n');

function serve(socket, path) {
	const end = { kind: 'end', path, gotControls: 0, sentControls: 0, gotCode: 0, sentCode: 0 };
	const told = (kind, type, content, frames) => write({ kind, path, type, bytes: content.length, frames,
		sha256: createHash('sha256').update(content).digest('hex') });
	const send = (content, binary, parts) => {
		told('out', binary ? 'binary' : 'text', content, parts);
		const size = Math.ceil(content.length / parts);

		for (let i = 0; i < parts; i++)
			socket.send(content.subarray(i * size, (i + 1) * size), { binary, fin: i === parts - 1 });
	};

	socket.on('ping', () => { end.gotControls++; end.sentControls++; });
	socket.on('pong', () => end.gotControls++);
	socket.on('message', (content, binary) => {
		const text = binary ? '' : content.toString();

		told('in', binary ? 'binary' : 'text', content);
		if (text === 'ping') {
			end.sentControls++;
			socket.ping('are you there');
		}
		if (text.startsWith('leave ')) {
			end.sentCode = Number(text.split(' ')[1]);
			socket.close(end.sentCode, 'as you said');
		} else {
			send(content, binary, text.startsWith('parts') ? 3 : 1);
		}
	});
	socket.on('close', (code) => {
		end.gotCode = code;
		write(end);
	});
	socket.on('error', () => {});
}

const server = https.createServer({ cert: readFileSync(opt.cert), key: readFileSync(opt.key) });
server.on('upgrade', (request, raw, head) => {
	const ws = makers[request.url.slice(1).split('-')[0]];

	ws.handleUpgrade(request, raw, head, (socket) => serve(socket, request.url));
});
process.on('SIGTERM', () => process.exit(0));
server.listen(Number(opt.port), () => process.stdout.write(`ready ${server.address().port}\n`));

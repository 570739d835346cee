// SPDX-License-Identifier: Apache-2.0
// node websocket.mjs ORIGIN PACKAGES: a short talk with tests/system/websocket/server.mjs, compressed, closed by the server.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [origin, packages] = process.argv.slice(2);
const { WebSocket } = createRequire(`${packages}/x.js`)('ws');
const socket = new WebSocket(`${origin}/deflate`, { ca: readFileSync(process.env.CA_FILE), perMessageDeflate: { threshold: 0 } });

await once(socket, 'open');
for (const text of ['refund A17', 'refund A17', 'parts of a longer message', 'ping']) {
	const echo = once(socket, 'message');

	socket.send(text);
	await echo;
}
const closed = once(socket, 'close');
socket.send('leave 4000');
await closed;

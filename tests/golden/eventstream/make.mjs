// SPDX-License-Identifier: Apache-2.0
// node make.mjs PACKAGES: messages of the AWS event stream, written by the official codec, and copies of them with a few bytes
// changed; beside each what that codec reads of it. One line per message: its bytes in hex, then "bad", or the number of headers,
// four texts (:message-type, :event-type, :exception-type, :error-code; "-": no such text) and the payload in hex. A changed copy
// gets right checksums half of the time, so that what they protect is looked at, too.
import { createRequire } from 'node:module';

const { EventStreamCodec, Int64 } = createRequire(`${process.argv[2]}/x.js`)('@smithy/eventstream-codec');
// Texts are read byte by byte: what is not UTF-8 stays as it is.
const codec = new EventStreamCodec((b) => Buffer.from(b).toString('latin1'), (s) => new TextEncoder().encode(s));
let seed = 1n;
const draw = (n) => Number((seed = (seed * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn) >> 33n) % n;
const bytes = (n) => Uint8Array.from({ length: n }, () => draw(256));
const words = ['', 'event', 'chunk', 'contentBlockDelta', 'throttlingException', 'application/json', 'Grüße'];
const hex = (b) => Buffer.from(b.buffer, b.byteOffset, b.byteLength).toString('hex') || '-';

function value() {
	const of = [() => ({ type: 'boolean', value: true }), () => ({ type: 'boolean', value: false }),
		() => ({ type: 'byte', value: draw(256) - 128 }), () => ({ type: 'short', value: draw(65536) - 32768 }),
		() => ({ type: 'integer', value: draw(2 ** 31) - 2 ** 30 }), () => ({ type: 'long', value: Int64.fromNumber(draw(2 ** 30)) }),
		() => ({ type: 'binary', value: bytes(draw(40)) }), () => ({ type: 'string', value: words[draw(words.length)] }),
		() => ({ type: 'timestamp', value: new Date(draw(2 ** 30)) }),
		() => ({ type: 'uuid', value: hex(bytes(16)).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') })];

	return of[draw(of.length)]();
}

function message() {
	const headers = {}, text = (value) => ({ type: 'string', value });

	switch (draw(5)) {
	case 0: Object.assign(headers, { ':message-type': text('exception'), ':exception-type': text('throttlingException') }); break;
	case 1: Object.assign(headers, { ':message-type': text('error'), ':error-code': text('500'), ':error-message': text('no') }); break;
	case 2: Object.assign(headers, { ':message-type': text('event'), ':event-type': text('chunk') }); break;
	case 3: headers[[':message-type', ':event-type', ':exception-type', ':error-code'][draw(4)]] = value(); break;
	}
	for (let n = draw(4); n > 0; n--)
		headers[`x-${draw(1000)}`] = value();
	return codec.encode({ headers, body: bytes(draw(4) ? draw(200) : 0) });
}

function crc32(b) {
	let c = ~0;

	for (const byte of b) {
		c ^= byte;
		for (let k = 0; k < 8; k++)
			c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
	}
	return ~c >>> 0;
}

function changed(m) {
	const b = Uint8Array.from(m), view = new DataView(b.buffer), length = b.length;

	for (let n = 1 + draw(2); n > 0; n--)
		b[draw(3) ? draw(b.length) : 12 + draw(Math.max(1, b.length - 16))] ^= 1 << draw(8);
	if (draw(2)) {
		view.setUint32(0, length);
		view.setUint32(8, crc32(b.subarray(0, 8)));
		view.setUint32(length - 4, crc32(b.subarray(0, length - 4)));
	}
	return b;
}

function told(m) {
	try {
		const { headers, body } = codec.decode(m);
		const texts = [':message-type', ':event-type', ':exception-type', ':error-code'].map((name) =>
			headers[name]?.type === 'string' && headers[name].value ? hex(Buffer.from(headers[name].value, 'latin1')) : '-');

		return [Object.keys(headers).length, ...texts, hex(body)].join(' ');
	} catch {
		return 'bad';
	}
}

for (let i = 0; i < 400; i++) {
	const m = message(), c = changed(m);

	process.stdout.write(`${hex(m)} ${told(m)}\n${hex(c)} ${told(c)}\n`);
}

// SPDX-License-Identifier: Apache-2.0
// node make.mjs: forms as Node's own fetch writes them, and copies of them with a few bytes changed; beside each what the same fetch
// reads of it. One line per form: its content type and body in hex, then "bad" or, for each part, name, file name ("-": no file)
// and content in hex, joined by commas. The file beside this one is by the fetch of Node 20.20.2.
let seed = 1n;
const draw = (n) => Number((seed = (seed * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn) >> 33n) % n;
// Texts are read as UTF-8, so only such bytes are drawn.
const bytes = (n) => Uint8Array.from({ length: n }, () => draw(120) + 8);
const hex = (b) => Buffer.from(b).toString('hex') || '.';
const names = ['purpose', 'file', 'a b', 'with "quotes"', 'line\r\nbreak', 'Größe', 'files[]', 'order-id'];
const contents = (boundary) => [bytes(draw(100)), Buffer.from('\r\n'), Buffer.from('\r\n--'), Buffer.from(`--${boundary.slice(0, -1)}`),
	Buffer.from(`\r\n--${boundary.slice(0, -1)}\r\n`), Buffer.from('\r\r\n-\r\n--'), Buffer.alloc(0), Buffer.alloc(300, '\r')];

function form(boundary) {
	const parts = [];

	for (let n = draw(5); n >= 0; n--) {
		const name = names[draw(names.length)].replace(/\r|\n|"/g, (c) => ({ '\r': '%0D', '\n': '%0A', '"': '%22' })[c]);
		const file = draw(2) ? `; filename="${['a.txt', 'b c.json', 'Ü.pdf', ''][draw(4)]}"` : '';
		const type = file ? '\r\nContent-Type: application/octet-stream' : '';

		parts.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}${type}\r\n\r\n`),
			contents(boundary)[draw(8)], Buffer.from('\r\n'));
	}
	return Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
}

function changed(body) {
	const b = Buffer.from(body);

	if (draw(4) === 0)
		return b.subarray(0, draw(b.length));
	for (let n = 1 + draw(2); n > 0; n--)
		b[draw(2) ? draw(b.length) : draw(Math.min(b.length, 120))] ^= 1 << draw(7);
	return b;
}

// Other parameters of a disposition and capitals are allowed (RFC 2183), and refused by this fetch: not of interest here.
const isOdd = (body) => /form-data; name="[^"]*"; (?!filename=)|(?!form-data;)[Ff][Oo][Rr][Mm]-[Dd][Aa][Tt][Aa];/.test(body.toString('latin1'));

async function told(type, body) {
	try {
		const read = await new Response(body, { headers: { 'content-type': type } }).formData(), out = [];

		for (const [name, value] of read)
			out.push(hex(Buffer.from(name)), typeof value === 'string' ? '-' : hex(Buffer.from(value.name)),
				typeof value === 'string' ? hex(Buffer.from(value)) : hex(await value.bytes?.() ?? await value.arrayBuffer()));
		return out.join(',') || 'none';
	} catch {
		return 'bad';
	}
}

for (let i = 0; i < 120; i++) {
	const boundary = `----formdata-${draw(1e9)}`, type = `multipart/form-data; boundary=${draw(2) ? boundary : `"${boundary}"`}`;
	const body = form(boundary);
	let other = changed(body);

	while (isOdd(other))
		other = changed(body);

	process.stdout.write(`${hex(type)} ${hex(body)} ${await told(type, body)}\n${hex(type)} ${hex(other)} ${await told(type, other)}\n`);
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../base/limits.ts';
import { parseProxyHeader } from './proxy-header.ts';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function binary(versionAndCommand: number, family: number, block: Buffer): Buffer {
  const head = Buffer.from([versionAndCommand, family, block.length >> 8, block.length & 0xff]);
  return Buffer.concat([signature, head, block]);
}

const ipv4Block = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x02, 0x4b]);
const ipv6Block = Buffer.from(
  '20010db8000000000000000000000001' + '20010db8000000000000000000000002' + '3039' + '024b',
  'hex',
);
const mappedBlock = Buffer.from(
  '00000000000000000000ffffc0000201' + '00000000000000000000ffffc6336402' + '3039' + '024b',
  'hex',
);
const client4 = {
  remoteAddress: '192.0.2.1',
  remotePort: 12345,
  localAddress: '198.51.100.2',
  localPort: 587,
};
const client6 = {
  remoteAddress: '2001:db8::1',
  remotePort: 12345,
  localAddress: '2001:db8::2',
  localPort: 587,
};

const sound: readonly [string, Buffer, object | null][] = [
  ['version 1, IPv4', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 12345 587\r\n'), client4],
  ['version 1, IPv6', Buffer.from('PROXY TCP6 2001:DB8::1 2001:db8:0:0::2 12345 587\r\n'), client6],
  [
    'version 1, mapped',
    Buffer.from('PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 12345 587\r\n'),
    client4,
  ],
  ['version 1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), null],
  ['version 1, unknown with something', Buffer.from('PROXY UNKNOWN ffff:f:f 65535\r\n'), null],
  ['version 2, IPv4', binary(0x21, 0x11, ipv4Block), client4],
  ['version 2, IPv6', binary(0x21, 0x21, ipv6Block), client6],
  ['version 2, mapped', binary(0x21, 0x21, mappedBlock), client4],
  [
    'version 2, IPv4 with TLVs',
    binary(0x21, 0x11, Buffer.concat([ipv4Block, Buffer.alloc(200, 4)])),
    client4,
  ],
  ['version 2, local', binary(0x20, 0x11, ipv4Block), null],
  ['version 2, local without addresses', binary(0x20, 0, Buffer.alloc(0)), null],
  ['version 2, unspecified', binary(0x21, 0, Buffer.alloc(0)), null],
  ['version 2, datagrams', binary(0x21, 0x12, ipv4Block), null],
  ['version 2, UNIX sockets', binary(0x21, 0x31, Buffer.alloc(216, 47)), null],
];
for (const [what, bytes, client] of sound) {
  test(what, () => {
    const withMore = Buffer.concat([bytes, Buffer.from('EHLO x\r\n')]);
    assert.deepEqual(parseProxyHeader(withMore), { state: 'header', bytes: bytes.length, client });
    for (let end = 0; end < bytes.length; end += 1) {
      assert.deepEqual(parseProxyHeader(bytes.subarray(0, end)), { state: 'more' }, `after ${end} bytes`);
    }
  });
}

const longest = 'PROXY UNKNOWN '.padEnd(105, 'f');
test('the longest line', () => assert.equal(parseProxyHeader(Buffer.from(`${longest}\r\n`)).state, 'header'));

const broken: readonly [string, Buffer][] = [
  ['SMTP', Buffer.from('EHLO client\r\n')],
  ['another case', Buffer.from('proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n')],
  ['TLS', Buffer.from([0x16, 3, 1])],
  ['a line that is too long', Buffer.from(`${longest}f\r\n`)],
  ['a line without end', Buffer.from('PROXY UNKNOWN '.padEnd(107, 'f'))],
  ['another family', Buffer.from('PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n')],
  ['families mixed', Buffer.from('PROXY TCP4 2001:db8::1 198.51.100.2 1 2\r\n')],
  ['a zone', Buffer.from('PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n')],
  ['a leading zero', Buffer.from('PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n')],
  ['a port too high', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n')],
  ['a port with a sign', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n')],
  ['two spaces', Buffer.from('PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n')],
  ['a word too many', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n')],
  ['nothing', Buffer.from('PROXY \r\n')],
  ['a bare LF', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n'.padEnd(110, 'x'))],
  ['version 3', binary(0x31, 0x11, ipv4Block)],
  ['an unknown command', binary(0x22, 0x11, ipv4Block)],
  ['addresses cut off', binary(0x21, 0x21, ipv4Block)],
  ['no addresses', binary(0x21, 0x11, Buffer.alloc(0))],
];
for (const [what, bytes] of broken) {
  test(`refused: ${what}`, () => assert.equal(parseProxyHeader(bytes).state, 'malformed'));
}

test('a header that is too long is refused before it has come', () => {
  const head = binary(0x21, 0x11, Buffer.alloc(limits.proxyHeaderBytes)).subarray(0, 16);
  assert.equal(parseProxyHeader(head).state, 'malformed');
});

test('any bytes have a verdict within the bound', () => {
  const start = fc.constantFrom(
    signature,
    Buffer.from('PROXY '),
    Buffer.from('PROXY TCP4 '),
    Buffer.alloc(0),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 5000 }), (head, rest) => {
      const bytes = Buffer.concat([head, rest]);
      const parsed = parseProxyHeader(bytes);
      if (parsed.state === 'more') assert.ok(bytes.length < limits.proxyHeaderBytes);
      if (parsed.state === 'header') assert.ok(parsed.bytes <= bytes.length);
    }),
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { createLeases } from './leases.ts';
import { destinationOf, type NextHop, type Route, routeKey, routeOf, type Via } from './route.ts';
import { createSites } from './sites.ts';

const configured: NextHop = { host: 'hop.example.net', port: 25, tls: 'required', credentials: null };
const server = (host: string, port: number, tls: NextHop['tls']) => ({ host, port, tls });
const to = (host: string, port: number, tls: NextHop['tls']): Route => ({
  kind: 'next-hop',
  nextHop: { ...server(host, port, tls), credentials: null },
});

const rows: [domain: string, Via, destination: string, Route, key: string][] = [
  ['a.net', 'configured', 'a.net', { kind: 'next-hop', nextHop: configured }, 'next-hop'],
  ['a.net', 'mx', 'mx:a.net', { kind: 'mx', domain: 'a.net' }, 'a.net'],
  ['[192.0.2.1]', 'mx', 'mx:[192.0.2.1]', { kind: 'mx', domain: '[192.0.2.1]' }, '[192.0.2.1]'],
  ['a.example', 'mx', 'mx:a.example', { kind: 'rehearsal' }, 'rehearsal'],
  ...(
    [
      [server('b.net', 25, 'opportunistic'), 'smtp://b.net:25?tls=opportunistic'],
      [server('b.net', 2525, 'none'), 'smtp://b.net:2525?tls=none'],
      [server('2001:db8::1', 25, 'required'), 'smtp://[2001:db8::1]:25?tls=required'],
      [server('192.0.2.1', 465, 'implicit'), 'smtps://192.0.2.1:465'],
    ] as const
  ).map(
    ([via, text]) => ['a.net', via, text, to(via.host, via.port, via.tls), text] as (typeof rows)[number],
  ),
];
for (const [domain, via, destination, route, key] of rows) {
  test(`moved, ${domain} by ${destination}`, () => {
    assert.equal(destinationOf(domain, via), destination);
    assert.deepEqual(routeOf(destination, configured), route);
    assert.equal(routeKey(route, destination), key);
  });
}

test('a domain that looks like a way is none: names hold no colon before the bracket of a literal', () => {
  for (const domain of ['[IPv6:2001:db8::1]', 'mx', 'smtp.net'])
    assert.deepEqual(routeOf(domain, null), { kind: 'mx', domain });
});

test('what is moved to MX counts with its domain, and a server it is moved to by itself', async () => {
  const bounds = { attempts: 10, perDestination: 1 };
  const targets = [{ name: 'a.net', address: '192.0.2.9', port: 25 }];
  const findTargets = {
    mx: async () => ({ ok: true as const, targets }),
    host: () => Promise.reject(new Error('nothing is looked up')),
  };
  const sites = createSites({ now: () => 0, nextHop: configured, bounds, findTargets });
  await sites.learn('mx:a.net');
  const leases = createLeases({ now: () => 0, sites, bounds, onLearned: () => {} });
  const lane = (destination: string) => ({ class: 'transactional' as const, tenantId: 1, destination });
  const mail = { mailId: 1, tenantId: 1, class: 'transactional' as const };
  assert.equal(leases.refusalOf(lane('mx:a.net')), null);
  const { key } = leases.take(mail, 'mx:a.net', [1]);
  assert.equal(key, 'a.net');
  assert.ok(leases.refusalOf(lane('mx:a.net')));
  leases.take(mail, 'smtps://192.0.2.1:465', [2]);
  assert.equal(leases.refusalOf(lane('smtps://192.0.2.1:465')), null, 'it may take all places');
  assert.equal(leases.refusalOf(lane('a.net')), null, 'the configured next hop');
});

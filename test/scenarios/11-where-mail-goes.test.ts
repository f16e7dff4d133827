/** Where mail goes is asked of the name servers of the configuration, and how it goes there is up to the TLS policy. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { mailbabyLog } from '../support/apis.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

/** Nothing is connected to: each mail ends, or waits, for what the name server or the policy says. */
const expected: Record<string, RegExp> = {
  'null.waybill.net': /accepts no mail \(null MX\)/,
  'nowhere.waybill.net': /does not exist/,
  'ours.waybill.net': /loops back to this relay/,
  'broken.waybill.net': /no answer for the MX of broken\.waybill\.net: ESERVFAIL/,
  'loopback.waybill.net': /usable address/,
  'strict.waybill.net': /no MTA-STS policy that is enforced/,
};

test('each domain as the name server has it', async (t) => {
  const dns = await startDnsServer({
    'null.waybill.net': { mx: [[0, '']] },
    'ours.waybill.net': { mx: [[10, 'relay.example.net']] },
    'broken.waybill.net': { rcode: 2 },
    'loopback.waybill.net': { addresses: ['127.0.0.1'] },
    'strict.waybill.net': { mx: [[10, 'mx.strict.waybill.net']] },
    'mx.strict.waybill.net': { addresses: ['192.0.2.1'] },
  });
  t.after(() => dns.close());
  const environment = {
    WAYBILL_DNS_SERVERS: dns.address,
    WAYBILL_DELIVERY_TLS_POLICY: 'strict.waybill.net=mta-sts',
  };
  const waybill = await startWaybill(t, { environment });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: Object.keys(expected).map((domain) => `jane@${domain}`) });
  const emails = await until('every attempt has its verdict', async () => {
    const log = await mailbabyLog(waybill, tenant);
    const told = log.emails.filter(({ response }) => response !== null && response !== '');
    return told.length === Object.keys(expected).length ? told : null;
  });
  for (const { recipient, response } of emails) {
    const domain = recipient.split('@')[1] ?? '';
    assert.match(String(response), expected[domain] ?? /nobody/, domain);
  }
  assert.ok(dns.questions.includes('TXT _mta-sts.strict.waybill.net'));
  assert.match(waybill.log(), /a host was left out/);
});

/**
 * What an attempt tells about the site itself, beside its mail. Pure; the table in the test is the policy.
 *
 * `well`: it talked to us. `silent`: nothing was learned of it. `trouble`: it wants less at a time. `later`: it wants
 * nothing for a while. `unreachable`: no conversation came about.
 */
import type { DeliveryStatus } from '../events/delivery-status.ts';

export const siteNews = ['silent', 'well', 'trouble', 'unreachable', 'later'] as const;
export type SiteNews = (typeof siteNews)[number];

/** Of several forward-paths the worst counts. */
export function siteNewsOf(statuses: readonly DeliveryStatus[]): SiteNews {
  return statuses.map(newsOf).reduce((worst, news) => (rank(news) > rank(worst) ? news : worst), 'silent');
}

function rank(news: SiteNews): number {
  return siteNews.indexOf(news);
}

function newsOf(status: DeliveryStatus): SiteNews {
  const { stage, reply, reason } = status;
  if (stage === 'dns' || reason === 'internal') return 'silent';
  if (reply === null) return reason === 'connect' ? unheard(stage) : 'silent';
  if (reply.code < 400) return 'well';
  if (reply.code === 421 || stage === 'greeting' || stage === 'ehlo') return 'later';
  if (stage === 'tls' || stage === 'auth') return 'silent';
  if (reason === 'rate-limited') return ofRate(status);
  // A refused MAIL is rarely about one recipient, but greylisting is about the pair.
  if (stage === 'mail' && reply.code < 500 && reason !== 'greylisted') return 'trouble';
  return 'well';
}

function unheard(stage: DeliveryStatus['stage']): SiteNews {
  return stage === 'connect' || stage === 'greeting' || stage === 'ehlo' ? 'unreachable' : 'trouble';
}

/** Too many recipients in one mail, or mails to one mailbox, are no matter of the site. */
function ofRate({ stage, enhancedStatus }: DeliveryStatus): SiteNews {
  if (/^\d\.(?:5\.3|1\.\d+|2\.\d+)$/.test(enhancedStatus.value)) return 'well';
  return stage === 'rcpt' ? 'trouble' : 'later';
}

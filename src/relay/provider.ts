/**
 * The mailbox provider of a domain, by name: the key that statistics are grouped by. Domains that are other names
 * of one mailbox service lead to its main name; every other domain stands for itself. Source: the providers' own
 * sign-up pages and help pages, which list the domains they hand out.
 */
const mainNames: ReadonlyMap<string, string> = new Map([
  ['googlemail.com', 'gmail.com'],
  ['ymail.com', 'yahoo.com'],
  ['rocketmail.com', 'yahoo.com'],
  ['me.com', 'icloud.com'],
  ['mac.com', 'icloud.com'],
  ['proton.me', 'protonmail.com'],
  ['pm.me', 'protonmail.com'],
  ['bk.ru', 'mail.ru'],
  ['inbox.ru', 'mail.ru'],
  ['list.ru', 'mail.ru'],
  ['ya.ru', 'yandex.ru'],
  ['yandex.com', 'yandex.ru'],
]);

export function providerOf(domain: string): string {
  return mainNames.get(domain) ?? domain;
}

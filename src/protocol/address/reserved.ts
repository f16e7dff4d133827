/**
 * Names that belong to nobody (RFC 2606, RFC 6761): `.test`, `.example`, `.invalid`, `.localhost`, and
 * example.com, .net and .org. Mail to them must never leave the machine. Pure.
 */
const reservedTopLevels = new Set(['test', 'example', 'invalid', 'localhost']);
const reservedDomains = ['example.com', 'example.net', 'example.org'];

/** `domain` in lower case, with A-labels; a trailing dot changes nothing. */
export function isReservedDomain(domain: string): boolean {
  const name = domain.replace(/\.$/, '').toLowerCase();
  const topLevel = name.slice(name.lastIndexOf('.') + 1);
  return (
    reservedTopLevels.has(topLevel) ||
    reservedDomains.some((reserved) => name === reserved || name.endsWith(`.${reserved}`))
  );
}

/** IP addresses in text (RFC 5321 §4.1.3, RFC 4291 §2.2). */

const ipv4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const group = /^[0-9a-f]{1,4}$/i;

export function isIpv4(text: string): boolean {
  const parts = ipv4.exec(text);
  return parts?.slice(1).every((part) => Number(part) <= 255) === true;
}

/** Eight groups, or fewer around one `::`; the last two may be written as an IPv4 address. No zone. */
export function isIpv6(text: string): boolean {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return false;
  const headGroups = countGroups(head, tail === undefined);
  const tailGroups = tail === undefined ? 0 : countGroups(tail, true);
  if (headGroups === null || tailGroups === null) return false;
  const groups = headGroups + tailGroups;
  return tail === undefined ? groups === 8 : groups <= 7;
}

/** Null: malformed. */
function countGroups(text: string, mayEndInIpv4: boolean): number | null {
  if (text === '') return 0;
  const groups = text.split(':');
  const endsInIpv4 = mayEndInIpv4 && isIpv4(groups.at(-1) ?? '');
  const plain = endsInIpv4 ? groups.slice(0, -1) : groups;
  return plain.every((part) => group.test(part)) ? plain.length + (endsInIpv4 ? 2 : 0) : null;
}

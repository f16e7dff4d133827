/** A policy service as Postfix asks it (its SMTPD_POLICY_README): `greylisted@` has to come twice, all others may pass. */
import { type AddressInfo, createServer, type Socket } from 'node:net';

export async function startGreylister(): Promise<{ port: number; close(): Promise<void> }> {
  const seen = new Set<string>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let asked = '';
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      asked += piece.toString();
      for (let end = asked.indexOf('\n\n'); end !== -1; end = asked.indexOf('\n\n')) {
        socket.write(`action=${actionFor(asked.slice(0, end), seen)}\n\n`);
        asked = asked.slice(end + 2);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function actionFor(question: string, seen: Set<string>): string {
  const recipient = /^recipient=(.*)$/m.exec(question)?.[1] ?? '';
  if (!recipient.startsWith('greylisted@') || seen.has(recipient)) return 'DUNNO';
  seen.add(recipient);
  return '450 4.7.1 Greylisted, come again';
}

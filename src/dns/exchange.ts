/**
 * One question to one name server: over UDP, and over TCP if the answer did not fit (RFC 1035 §4.2, RFC 7766).
 *
 * Each question has a socket of its own, so its port is one the system chose by chance, and only that server is heard.
 * What does not answer the question is passed over, and the wait goes on: a forger has to guess port and id.
 */
import { createSocket } from 'node:dgram';
import { isIPv6, connect as tcpConnect } from 'node:net';
import * as packet from 'dns-packet';
import { Deadline } from '../base/deadline.ts';
import { limits } from '../base/limits.ts';
import { randomInteger } from '../base/random.ts';

export type QuestionType = 'MX' | 'A' | 'AAAA' | 'CNAME' | 'TXT' | 'TLSA';

export interface Question {
  name: string;
  type: QuestionType;
}

export interface NameServer {
  host: string;
  port: number;
}

export type Message = packet.DecodedPacket;
/** A code as the resolver library of the system has them: `ETIMEOUT`. */
export type Exchange = { message: Message } | { fault: string };

export interface Asked extends Question {
  server: NameServer;
  timeoutMs: number;
  /** Without it old servers may answer that we made no sense. */
  edns: boolean;
}

export async function exchange(asked: Asked): Promise<Exchange> {
  const id = randomInteger(0, 0x1_0000);
  const query = encode(asked, id);
  const isAnswer = (bytes: Buffer) => answerIn(bytes, asked, id);
  const heard = await overUdp(query, asked, (bytes) => (isCut(bytes, id) ? 'cut' : isAnswer(bytes)));
  return heard === 'cut' ? overTcp(query, asked, isAnswer) : heard;
}

/** AD asks to be told whether the answer was validated (RFC 6840 §5.7). */
const queryFlags = packet.RECURSION_DESIRED | packet.AUTHENTIC_DATA;
/** Fits through every path without being cut to pieces. */
const udpPayloadBytes = 1232;

function encode({ name, type, edns }: Asked, id: number): Buffer {
  const opt = {
    ...{ type: 'OPT' as const, name: '.' as const, udpPayloadSize: udpPayloadBytes },
    ...{ extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] },
  };
  return packet.encode({
    ...{ type: 'query', id, flags: queryFlags, questions: [{ type, name }] },
    ...(edns ? { additionals: [opt] } : {}),
  });
}

/** The TC bit: what came is a part of the answer, and may be no whole message. */
function isCut(bytes: Buffer, id: number): boolean {
  return bytes.length >= 12 && bytes.readUInt16BE(0) === id && (bytes.readUInt16BE(2) & 0x8200) === 0x8200;
}

function answerIn(bytes: Buffer, { name, type }: Question, id: number): Message | null {
  try {
    const message = packet.decode(bytes);
    const [question, ...more] = message.questions ?? [];
    const answers =
      message.type === 'response' &&
      message.id === id &&
      more.length === 0 &&
      question?.type === type &&
      question.name.toLowerCase() === name.toLowerCase();
    return answers ? message : null;
  } catch {
    // Not a DNS message: as good as none.
    return null;
  }
}

function overUdp(
  query: Buffer,
  { server, timeoutMs }: Asked,
  judge: (bytes: Buffer) => Message | 'cut' | null,
): Promise<Exchange | 'cut'> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4');
    const end = (exchanged: Exchange | 'cut') => {
      deadline.clear();
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      resolve(exchanged);
    };
    const deadline = new Deadline(() => end({ fault: 'ETIMEOUT' }));
    deadline.set(timeoutMs);
    socket.once('error', (error) => end({ fault: codeOf(error) }));
    socket.on('message', (bytes) => {
      const judged = judge(bytes);
      if (judged !== null) end(judged === 'cut' ? judged : { message: judged });
    });
    socket.connect(server.port, server.host, () => socket.send(query));
  });
}

function overTcp(
  query: Buffer,
  { server, timeoutMs }: Asked,
  isAnswer: (bytes: Buffer) => Message | null,
): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = tcpConnect({ host: server.host, port: server.port, noDelay: true });
    const chunks: Buffer[] = [];
    let heardBytes = 0;
    const end = (exchanged: Exchange) => {
      deadline.clear();
      socket.destroy();
      resolve(exchanged);
    };
    const deadline = new Deadline(() => end({ fault: 'ETIMEOUT' }));
    deadline.set(timeoutMs);
    socket.on('error', (error) => end({ fault: codeOf(error) }));
    socket.once('close', () => end({ fault: 'ECONNRESET' }));
    socket.once('connect', () => socket.write(Buffer.concat([lengthOf(query), query])));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      heardBytes += chunk.length;
      const whole = heardBytes >= 2 ? wholeMessage(Buffer.concat(chunks)) : null;
      if (whole === null) return;
      const message = isAnswer(whole);
      end(message === null ? { fault: 'EBADRESP' } : { message });
    });
  });
}

/** Two octets before the message: it can never grow beyond `limits.dnsMessageBytes`. */
function wholeMessage(heard: Buffer): Buffer | null {
  const length = Math.min(heard.readUInt16BE(0), limits.dnsMessageBytes);
  return heard.length < 2 + length ? null : heard.subarray(2, 2 + length);
}

function lengthOf(query: Buffer): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(query.length);
  return bytes;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'EIO';
}

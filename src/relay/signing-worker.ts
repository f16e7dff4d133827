/** The thread that `signing-thread.ts` starts: signs what it is given, batch after batch. */
import { type KeyObject, sign } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

export interface SignatureRequest {
  /** Null: the algorithm has its hash within. */
  hash: string | null;
  input: Uint8Array;
  /** Place in `keys`. */
  key: number;
}

export interface SigningBatch {
  keys: KeyObject[];
  requests: SignatureRequest[];
}

export interface SignedBatch {
  /** In the order of the requests; a text says why there is none. */
  signatures: (Uint8Array | string)[];
}

function signed({ hash, input, key }: SignatureRequest, keys: readonly KeyObject[]): Uint8Array | string {
  try {
    const privateKey = keys[key];
    return privateKey ? sign(hash, input, privateKey) : 'its key is missing';
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
}

parentPort?.on('message', ({ keys, requests }: SigningBatch) => {
  const answer: SignedBatch = { signatures: requests.map((request) => signed(request, keys)) };
  parentPort?.postMessage(answer);
});

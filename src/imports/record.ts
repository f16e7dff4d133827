/**
 * What a line of another system's log tells, in one form for all formats. A format (`formats/`) makes lines into
 * records and knows nothing of what came before; `assemble.ts` makes records into mails and events.
 */
import type { RemoteMta, Stage } from '../events/delivery-status.ts';
import type { Engagement, EventType, MailFacts } from '../events/event.ts';
import type { Reason } from '../events/reason.ts';

/** What a log may tell of a mail. What no line tells keeps its standard. */
export type LoggedFacts = Partial<
  Pick<
    MailFacts,
    | 'reversePath'
    | 'fromField'
    | 'toField'
    | 'subject'
    | 'messageIdField'
    | 'contentBytes'
    | 'origin'
    | 'transport'
    | 'protocol'
    | 'authenticated'
    | 'tags'
    | 'template'
  >
>;

/** What was said about an attempt. */
export interface Told {
  /** As logged: the reply with what stands around it, or the program's own words. */
  text: string;
  /** Enhanced status as logged; '' if none was. */
  status: string;
  stage?: Stage;
  /** Where the log names the reason itself. */
  reason?: Reason;
  remoteMta: RemoteMta | null;
  durationMs: number;
}

/** Whom a line is about. */
export type Recipients =
  | { address: string }
  /**
   * Each that was named before and has not come to its end. `domain`: only there. `count`: if there are more than so
   * many, it is about this `one` alone.
   */
  | { open: true; domain?: string; count?: number; one?: string };

export type DeliveryEvent = Exclude<EventType, 'attempted' | 'notified'>;

interface Said {
  at: number;
  /** Queue id, with the host where hosts share a log: the mail it is about. */
  id: string;
}

export type LogRecord = Said &
  (
    | {
        kind: 'mail';
        /** The first line a mail can have: a queue id that was in use before is used again. */
        begins: boolean;
        /** The system took the mail: from here on it has to deliver it or to say so. */
        accepted: boolean;
        facts: LoggedFacts;
        /** It is this other mail, which goes on under a new id. */
        continues?: string;
        /** It came from this machine: perhaps from a content filter. */
        fromHere?: boolean;
      }
    | {
        kind: 'delivery';
        type: DeliveryEvent;
        to: Recipients;
        told?: Told;
        engagement?: Engagement;
        /** Queue id under which the next program took it. */
        nextId?: string;
        /** The next id is for other recipients, whom this one stands for. */
        forwarded?: boolean;
        /** When the mail was accepted, if the line tells that. */
        acceptedAt?: number;
      }
    | { kind: 'ended' }
    /** A probe whether an address exists: no mail. */
    | { kind: 'probe' }
  );

/** `ignored`: understood, or of another program, and nothing of it is kept. */
export type Parsed = readonly LogRecord[] | 'ignored' | 'unparsed';

export interface LogContext {
  /** IANA zone of times that name none. */
  zone: string;
  /** When the file was last written to: no line is newer. Later and later for one that is followed. */
  writtenAt(): number;
  /** Year of the first line, if somebody said so. */
  year: number | null;
}

export interface LogFormat {
  /** As the command line names it. */
  name: string;
  /** How the file is cut: into lines, or into the objects of JSON however they are laid out. */
  cut: 'lines' | 'json';
  /** A reader for one file, first line first. */
  reader(context: LogContext): (line: string) => Parsed;
}

/**
 * Every bound of the product, by name (invariant I7). A reader who wonders "how much can this grow?"
 * finds the answer here, and nowhere else.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** RFC 5321 §4.5.3.1.4: 512 octets, plus room for the parameters of extensions. */
  commandLineBytes: 4 * KiB,
  /** RFC 4954 §4: the longest line of an AUTH exchange. */
  authLineBytes: 12 * KiB,
  /** RFC 5321 §4.5.3.1.6 counts CRLF. */
  textLineBytes: 1000,
  /** Content accepted when `smtp.max_content_bytes` says nothing else. */
  contentBytes: 50 * MiB,
  headerSectionBytes: 256 * KiB,
  headerFields: 1000,
  forwardPathsPerMail: 1000,
  pathBytes: 254,
  localPartBytes: 64,
  /** Of a path in SMTP: return addresses that carry a key (VERP, BATV, SRS) go well beyond 64, and RFC 5321 §4.5.3.1 allows it. */
  pathLocalPartBytes: 192,
  /** RFC 3461 §4.4 and §4.2: characters of ENVID and ORCPT as they stand in the command. */
  envelopeIdChars: 100,
  originalRecipientChars: 500,
  domainBytes: 255,
  /** Received fields before we call it a loop (RFC 5321 §6.3). */
  receivedFields: 50,
  smtpSessions: 10_000,
  smtpErrorsPerSession: 10,
  smtpLoginFailuresPerSession: 3,
  /** Failed logins of one address (of IPv6, one /64) before AUTH is refused to it for a while, and how many addresses are remembered. */
  smtpLoginFailuresPerAddress: 10,
  smtpLoginAddresses: 10_000,
  /** The first refusal lasts so long; each further failure doubles it up to the longest. */
  smtpLoginBlockMs: 60_000,
  smtpLoginLongestBlockMs: 60 * 60_000,
  /** How long the last failure of an address is remembered. */
  smtpLoginMemoryMs: 2 * 60 * 60_000,
  /** A PROXY header: all its bytes, and how long a balancer may take to send it. */
  proxyHeaderBytes: 4 * KiB,
  proxyHeaderMs: 5_000,
  /** RFC 5321 §4.5.3.2.7: the server waits at least 5 minutes for a command. */
  smtpServerIdleMs: 5 * 60_000,
  smtpSessionMs: 60 * 60_000,
  /** What is passed over of one command line that is too long. */
  smtpSkippedLineBytes: 64 * KiB,
  /** What is passed over of content that is too big before the session is ended. */
  smtpSkippedContentBytes: 64 * MiB,
  /** Contents of all sessions that are in memory at once; at least one of the largest size fits. */
  smtpContentBytesInMemory: 512 * MiB,
  denyRulesPerTenant: 1_000,
  /** Characters kept of the reply or note that tells why an address is suppressed. */
  suppressionDetailChars: 500,
  /** How long an address is not sent to after the bounce of a mail of ours. */
  suppressedAfterBounceMs: 90 * 86_400_000,
  /** Entries whose time is over, removed in one transaction, and how often that is looked after. */
  forgottenSuppressions: 1_000,
  forgetSuppressionsEveryMs: 60_000,
  /** Windows of quotas that are remembered: some for each time zone in use. */
  quotaWindowsInMemory: 1_000,
  /** Held deliveries of one tenant that one transaction releases. */
  releasedDeliveries: 500,
  /** How late the early refusals of an SMTP session may learn of a change; what decides reads it at once. */
  tenantRulesCacheMs: 250,
  /** Tenants whose rules are remembered for that long. */
  tenantRulesInMemory: 1_000,
  /** Signatures made in one go; the mails they are for come back together. */
  signingBatch: 16,
  /** Private keys that sign mail, kept opened; two for each sending domain in use. */
  dkimKeysInMemory: 2_000,
  /** Keys of one sending domain made in one month: each has a letter of its own in its selector. */
  dkimKeysPerMonth: 26,
  /** How long a retired key is remembered, so that its selector is not used again. */
  dkimRetiredKeptMs: 400 * 86_400_000,
  tlsHandshakeMs: 30_000,
  /** After its last reply the server waits for the client to close, reading and dropping what still comes. */
  smtpLingerMs: 5_000,
  smtpLingerBytes: 64 * MiB,
  /** How long closing waits for mail transactions under way. */
  smtpDrainMs: 30_000,
  /** Certificates of a remote server that are looked at, from its own upwards. */
  certificatePath: 10,
  /** Replies of a remote server: longer ones are cut (RFC 5321 §4.5.3.1.5 allows 512 a line). */
  replyLineBytes: 2 * KiB,
  replyLines: 100,
  replyTextBytes: 8 * KiB,
  /** Characters of a reply text that are looked at to tell what it means. */
  classifiedTextChars: 2 * KiB,
  /** All bytes of one reply; a peer that says more speaks no SMTP. */
  replyBytes: 256 * KiB,
  /** Content is handed to a remote server in blocks of this size, each with its own time limit. */
  contentBlockBytes: 256 * KiB,
  /** One transaction with a remote server, all its waits together. */
  smtpTransactionMs: 60 * 60_000,
  /** How long we wait for the answer to QUIT. */
  smtpQuitMs: 10_000,
  dnsCacheEntries: 10_000,
  /** Longest wait for one answer of one DNS server. */
  dnsWaitMs: 10_000,
  /** DNS servers that are asked in turn, and questions under way at a time. */
  dnsServers: 3,
  dnsQuestionsOpen: 200,
  /** Length of a DNS message over TCP: what its two octets can say. */
  dnsMessageBytes: 65_535,
  /** Aliases (CNAME) followed for one question. */
  dnsAliases: 8,
  /** How long an answer is kept at the longest; less if its TTL says so. */
  dnsCacheMs: 60 * 60_000,
  /** The same for "there is none". */
  dnsNegativeCacheMs: 5 * 60_000,
  /** How long the address of a configured next hop is kept. */
  nextHopCacheMs: 30_000,
  /** Records of one answer that are looked at. */
  dnsRecords: 100,
  /** An MTA-STS policy: its bytes (RFC 8461 §3.3), the hosts it names, how long and at how many addresses it is asked for. */
  mtaStsPolicyBytes: 64 * KiB,
  mtaStsMx: 100,
  mtaStsFetchMs: 20_000,
  mtaStsAddresses: 2,
  /** How long after a failed try a policy is not asked for again (RFC 8461 §3.3), and failed tries remembered. */
  mtaStsRetryMs: 5 * 60_000,
  mtaStsFailures: 10_000,
  /** A policy in use is fetched again when it is older than that. */
  mtaStsRenewMs: 86_400_000,
  /** Policies kept. */
  mtaStsPolicies: 100_000,
  /** The same warning about the same server is logged once in this time, and so many are remembered. */
  tlsWarningMs: 60 * 60_000,
  tlsWarnings: 10_000,
  /** MX hosts tried for one domain, best first (RFC 5321 §5.1 asks for at least two). */
  mxTargets: 10,
  addressesPerTarget: 8,
  /** Contents up to this size stand in the store, of a mail that no other is written with up to the second; larger ones go to segment files. */
  inlineContentBytes: 16 * KiB,
  inlineContentBytesAlone: 128 * KiB,
  segmentBytes: 64 * MiB,
  /** Mails committed in one transaction. */
  groupCommitOperations: 500,
  /** How long a change that nobody waits for may wait for others to be committed with. */
  groupCommitLingerMs: 4,
  /** Questions that the embedded ledger answers beside each other; more wait for their turn. */
  ledgerQuestionsAtOnce: 8,
  /** Threads of the office that wait for the engine: a question, an append or an export takes one. */
  officeThreads: 16,
  /** A statement of the embedded ledger with its values. */
  ledgerStatementBytes: 16 * MiB,
  /** Outbox rows appended to the ledger in one batch. */
  ledgerBatchEvents: 20_000,
  /** Outbox rows read at a time, and texts of a batch after which no more are read for it. */
  ledgerReadEvents: 1_000,
  ledgerBatchCharacters: 64 * MiB,
  /** The ledger's writer looks into the outbox this often even if nobody pokes it. */
  ledgerPollMs: 1_000,
  /** Shortest time between two batches that nobody waits for. */
  ledgerGatherMs: 250,
  /** Longest wait before the writer tries a ledger again that did not answer. */
  ledgerRetryMs: 30_000,
  /** How long an answer waits for the newest events to arrive in the ledger. */
  ledgerCatchUpMs: 5_000,
  /** How long a backup of a stopped server waits for the outbox to be empty. */
  backupCatchUpMs: 10 * 60_000,
  /** Exports under way at a time, and the time of one. */
  exports: 4,
  /** Rows of an export that are sorted at once; a single hour may have more. */
  exportSliceRows: 20_000,
  /** Parquet is one statement, which names about so many slices. */
  exportUnionSlices: 12,
  exportMs: 12 * 60 * 60_000,
  /** An operator's own SQL: its text, time, memory, and what it answers. */
  sqlChars: 64 * KiB,
  sqlMs: 30_000,
  sqlMemoryBytes: 512 * MiB,
  sqlResultRows: 100_000,
  sqlResultBytes: 64 * MiB,
  ledgerQueryMs: 30_000,
  /** One statement of the ledger's upkeep: a month made anew, a comparison of everything. */
  ledgerUpkeepMs: 6 * 60 * 60_000,
  /** A rebuild catches up with what came in meanwhile that often at most, or until so few events are left. */
  rebuildRounds: 20,
  /** Records of the ledger's chain read at a time, and events of neighbouring batches digested from one answer. */
  chainPageBatches: 5_000,
  chainWindowEvents: 20_000,
  /** The end of a chain to which another node appends is looked for that often. */
  chainEndRounds: 20,
  /** Days looked through to find from which one on a table is small enough; mails that are held by address. */
  retentionDays: 36_500,
  heldMails: 100_000,
  /** Characters kept of the note of a legal hold. */
  holdNoteChars: 500,
  /** How long erasing waits for ended mails to leave the store, how often it looks, and how many it names. */
  eraseClearMs: 20_000,
  eraseLookMs: 250,
  eraseNamedMails: 20,
  /** The nightly upkeep looks at the clock that often. */
  nightlyLookMs: 30_000,
  /** How often the command line asks how far a job has come. */
  jobLookMs: 300,
  /** Differences that one verification of the ledger names. */
  verifyDifferences: 100,
  /** Events waiting in the outbox above which the queue is not compared with the ledger. */
  verifyWaitingEvents: 20_000,
  rebuildRestEvents: 20_000,
  /** Rows of one answer: hours of years by thousands of groups are refused, not sent. */
  ledgerResultRows: 1_000_000,
  /** Log pages that end before this row are found without folding the versions of all rows. */
  ledgerShallowRows: 2_000,
  httpUrlBytes: 16 * KiB,
  httpBodyBytes: 1 * MiB,
  httpHeaderMs: 30_000,
  /** Request line and header section together. */
  httpHeaderBytes: 48 * KiB,
  httpHeaderFields: 100,
  /** A whole request, body included, must have arrived by then. */
  httpRequestMs: 120_000,
  /** A connection on which nothing moves; longer than the slowest answer. */
  httpIdleMs: 60_000,
  /** An answer that takes long says something this often, so that its connection is not idle. */
  httpPulseMs: 5_000,
  httpKeepAliveMs: 10_000,
  httpRequestsPerConnection: 10_000,
  httpConnections: 2_000,
  /** How long closing waits for answers under way. */
  httpDrainMs: 10_000,
  /** Parameters of one request, in its query or its body. */
  httpFields: 2_000,
  /** Characters of a path that a log line shows. */
  httpLoggedPathChars: 256,
  /** Replies kept for callers who may ask only once in a while, and their bytes together. */
  cachedReplies: 10_000,
  cachedReplyBytes: 32 * MiB,
  /** Conditions of one log search. */
  searchTerms: 20,
  /** Characters of a date in words, as a parameter may hold it. */
  dateTextChars: 200,
  logPageRows: 10_000,
  logOffsetRows: 10_000_000,
  statsBuckets: 20_000,
  /** Values of one grouping (domains, providers, tags) in one reply. */
  statsGroups: 20_000,
  /** Questions to the ledger for one reply that counts by several dimensions. */
  metricQuestions: 300,
  /** Sending domains in one reply. */
  statsDomainsPage: 1000,
  /** Words, signs and parentheses of one filter expression. */
  filterTerms: 50,
  /** Characters of all filter expressions of one request together: they travel in the links to its pages. */
  filterChars: 4000,
  /** Events looked at for one page of a filtered event log, and how many at a time. */
  eventScanRows: 50_000,
  eventScanBatch: 1000,
  /** Characters of a wrong parameter that an error message repeats. */
  echoedChars: 100,
  /** Held deliveries released in one transaction. */
  releasedTogether: 500,
  /** Waits of one retry schedule. */
  retryWaits: 100,
  openAttempts: 200,
  attemptsPerDestination: 20,
  /** Parts of all places for attempts that bulk mail together, and one tenant, can take at most. */
  placesOfBulk: 0.8,
  placesOfOneTenant: 0.9,
  /** While both wait, one of so many turns is bulk's. */
  turnsPerBulkTurn: 5,
  /** Attempts to a site at a time before it has answered well. */
  siteAttemptsAtFirst: 5,
  /** Connections in a row that fail before a site is left alone, for how long then, and how long at most. */
  failuresBeforeBackOff: 3,
  firstBackOffMs: 15_000,
  longestBackOffMs: 30 * 60_000,
  /** The same for a next hop, and how long at most. */
  ownServerFirstBackOffMs: 1_000,
  ownServerLongestBackOffMs: 10_000,
  /** A rate that was not used may be caught up with for that long. */
  rateBurstMs: 60_000,
  /** Sites whose answers are remembered, and for how long after the last attempt. */
  sitesInMemory: 10_000,
  siteMemoryMs: 10 * 60_000,
  /** Domains whose site is remembered, and for how long: also after the DNS did not tell. */
  domainsWithSite: 50_000,
  siteOfDomainMs: 60 * 60_000,
  unknownSiteMs: 60_000,
  /** Domains whose site is being asked for at a time. */
  sitesAskedFor: 100,
  /** Rules of a shaping file, names in one of them, and its bytes. */
  shapingRules: 1_000,
  shapingNames: 1_000,
  /** How often the state of the sites is written down for the command line. */
  sitesShownEveryMs: 2_000,
  /** Tenants that one look at what is due goes past, lanes of one tenant that it looks into, and deliveries of one lane. */
  tenantsPerLook: 2000,
  lanesPerLook: 16,
  deliveriesPerLook: 32,
  /** Lanes of one class that stand in line for a place at one site. */
  lanesInLine: 64,
  /** A lane whose site is full is looked at again that much later, if its turn has not come before. */
  fullSiteLookMs: 1_000,
  /** Of the day's number of a warm-up: what bulk mail may use, what has to be used for the day to count, and refusals of what was used at most. */
  warmUpShareOfBulk: 0.8,
  warmUpShareForNextDay: 0.5,
  warmUpShareRefused: 0.05,
  /** Stages of one plan, days of one stage, and mails of one day. */
  warmUpStages: 100,
  warmUpDays: 366,
  warmUpMails: 100_000_000,
  /** What is held for a warm-up is looked at again after that time, or when its next day begins. */
  warmUpLookMs: 15 * 60_000,
  /** What waits for a warm-up is told to the ledger as held: how often, lanes and deliveries at a time, lanes remembered. */
  warmUpHoldsEveryMs: 1_000,
  warmUpLanesTogether: 64,
  heldTogether: 500,
  warmUpLanesInMemory: 10_000,
  /** How often counts that nobody needs are removed. */
  forgetWarmUpsEveryMs: 60 * 60_000,
  /** A source address that could not be bound is passed over that long, as long as its pool has another. */
  unusableSourceMs: 60_000,
  /** Mails over one session before it is ended, so that a server behind a balancer gets its turn. */
  mailsPerSession: 1000,
  idleSessions: 200,
  /** How long a session is kept for the next mail; servers mind longer ones. */
  idleSessionMs: 4_000,
  /** Characters of one text of a log line, and members of one object or list in it. */
  logTextChars: 8 * KiB,
  logFieldMembers: 100,
  /** Tenants that one question of an operator may go through; with more, it has to name one. */
  consoleTenants: 200,
  consolePageRows: 1000,
  /** Rows of one tenant read at a time while the answers of several are merged. */
  consoleChunkRows: 100,
  /** Rows looked through for one page of an operator's answer, when not every row matches. */
  consoleScannedRows: 20_000,
  /** How long the command line waits for an answer of the server; longer than `ledgerQueryMs`. */
  consoleAnswerMs: 60_000,
  /** `waybill log --follow` reads again what happened that long before the newest event: some come in late. */
  followOverlapMs: 5_000,
  /** How long `waybill log --follow` waits for a server that starts again. */
  followGapMs: 60_000,
  /** Ids named in one command. */
  commandOperands: 1000,
  /** Deliveries that one transaction of the command line changes. */
  queueChangeRows: 500,
  /** A bounce or feedback report: parts, nesting, characters of one part, lines, recipients that are looked at. */
  reportParts: 200,
  reportDepth: 10,
  reportTextChars: 256 * KiB,
  reportLines: 5000,
  reportRecipients: 1000,
  /** Characters of one line of a report that are looked at. */
  reportLineChars: 2 * KiB,
  /** Characters of one field with addresses that are looked at. */
  reportAddressChars: 16 * KiB,
  /** A report that comes in by SMTP: its content, and mailboxes it may be for at once. */
  lateReportBytes: 10 * MiB,
  lateReportMailboxes: 10,
  /** Reports whose delivery is not known yet; more are refused for the moment. */
  lateReportsWaiting: 10_000,
  /** Reports looked up or settled together, and how often that is looked after. */
  lateReportsTogether: 100,
  lateReportsLookMs: 500,
  /** The first wait until the ledger is asked again about a delivery that it does not know or that has not ended. */
  lateReportWaitMs: 1_000,
  /** How long a report is kept whose delivery is not known, or has not ended. */
  lateReportKeptMs: 86_400_000,
  /** Our own DSNs: bytes of content and of a header section that are returned. */
  dsnContentBytes: 50 * KiB,
  dsnHeaderBytes: 32 * KiB,
  /** Characters of what a server said about one recipient, and about all recipients of one DSN together. */
  dsnDiagnosticChars: 1000,
  dsnDiagnosticsChars: 64 * KiB,
  /** Recipients named in the part for people; the part for programs names all. */
  dsnRecipientsInWords: 50,
  /** Imported logs: characters of a line that are looked at, and lines read before what they tell is written. */
  importLineChars: 32 * KiB,
  importBatchLines: 1_000,
  /** One event of a log that is JSON. */
  importJsonChars: 1 * MiB,
  /** Events of such a log that are put in order before they are read: exports begin with the newest. */
  importSortedEvents: 50_000,
  /** Bytes at the beginning of a file by which it is known again. */
  importFingerprintBytes: 4 * KiB,
  /** Mails under way that are in memory; more are in the store. */
  importMailsInMemory: 50_000,
  /** SMTP sessions and transactions of a log that are remembered for what is told of them later. */
  importSessions: 20_000,
  importDeliveriesPerMail: 10_000,
  /** Characters of a text that another program logged, and of an address. */
  importTextChars: 2 * KiB,
  importAddressChars: 512,
  /** Days that a mail may be under way: a queue id that comes back later is another mail. */
  importUnderWayMs: 14 * 86_400_000,
  /** How far apart lines about one mail may be written out of order. */
  importDisorderMs: 5_000,
  /** What may be a mail that comes back from a content filter is held back that long, in the time of the log. */
  importHandOverMs: 30_000,
  /** Imported mails by which a line is known to be imported already; the oldest are forgotten. */
  importMailsRemembered: 20_000_000,
  importRunsRemembered: 10_000,
  /** Events on their way to the ledger; with more, an import waits while a server carries them. */
  importBacklogEvents: 200_000,
  importBacklogWaitMs: 100,
  /** How often a followed file is looked at. */
  importFollowMs: 250,
  /** `waybill.toml`. */
  configFileBytes: 1 * MiB,
} as const;

/** One numbered step of the ledger's tables: applied once, in order, never changed after a release. */
export interface Migration {
  number: number;
  name: string;
  /** Each is safe to repeat: a crash may fall between a statement and the record of its migration. */
  statements: readonly string[];
  /** It makes or changes tables that are drawn from `events`: they are filled from the events that are there already. */
  projections?: true;
}

/**
 * `fsync_after_insert`: an append that returned survives a power cut. The window remembers the tokens of
 * that many blocks, in a log beside the parts; the writer only ever repeats its last batch. A part is one file
 * until it is large: to write and sync a file for each of some seventy columns takes longer than all else.
 */
export const tableSettings = `fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000,
  min_bytes_for_wide_part = 134217728`;

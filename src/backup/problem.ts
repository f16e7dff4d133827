/** What keeps a backup from being made, or from being restored, in words for the operator. */
export class BackupProblem extends Error {
  override name = 'BackupProblem';
}

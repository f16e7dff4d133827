/** The page with every statement that makes the tables of the ledger, on one server and on a cluster. */
import { clusterSettings, clusterStatements, shardingKeysOf } from '../../src/ledger/cluster.ts';
import { tableStatements } from '../../src/ledger/schema/schema.ts';

export function renderLedgerTables(): string {
  const statements = tableStatements();
  const keys = shardingKeysOf(statements);
  const cluster = { name: 'example', database: 'waybill' };
  const onCluster = ['CREATE DATABASE IF NOT EXISTS waybill', ...statements].flatMap((statement) =>
    clusterStatements(statement, cluster, keys),
  );
  return `# Tables of the ledger

Every statement that makes them, in the order in which they run; a change of the schema shows here. What the columns mean is in [events.md](events.md) and at the
statements in \`src/ledger/schema/\`.

## In process, or on one server

${sql(statements)}

## On a cluster

With \`ledger.cluster = "example"\`. They follow from those above (\`src/ledger/cluster.ts\`,
[decision 0009](../decisions/0009-ledger-on-a-cluster.md)). Every statement to a cluster has these settings:

${Object.entries(clusterSettings)
  .map(([name, value]) => `* \`${name} = ${value}\``)
  .join('\n')}

${sql(onCluster)}
`;
}

function sql(statements: readonly string[]): string {
  const text = statements.map(
    (statement) => `${statement.replace(/[ \t]+$/gm, '').replace(/\n\n+/g, '\n')};`,
  );
  return `\`\`\`sql\n${text.join('\n\n')}\n\`\`\``;
}

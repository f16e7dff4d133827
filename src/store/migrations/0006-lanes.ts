/**
 * Lanes: what is to be tried, by class, tenant and destination, so that the scheduler goes from one tenant and
 * destination to the next along an index, however many deliveries wait in each. Triggers keep them: whoever changes a
 * delivery changes its lane in the same transaction. Times are UTC milliseconds.
 */
export const lanes = `
ALTER TABLE deliveries ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 0;
UPDATE deliveries SET tenant_id = (SELECT tenant_id FROM mails WHERE mails.mail_id = deliveries.mail_id);
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (bulk, tenant_id, destination, due_at)
  WHERE due_at IS NOT NULL AND state <> 'held';

CREATE TABLE lanes (
  bulk INTEGER NOT NULL,
  tenant_id INTEGER NOT NULL,
  destination TEXT NOT NULL,
  -- The earliest of its deliveries. A lane without any is deleted.
  due_at INTEGER NOT NULL,
  -- The destination takes nothing before: the lane is not looked at.
  parked_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (bulk, tenant_id, destination)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_due ON lanes (bulk, tenant_id, max(due_at, parked_until));
CREATE INDEX lanes_parked ON lanes (parked_until) WHERE parked_until > 0;
INSERT INTO lanes (bulk, tenant_id, destination, due_at)
  SELECT bulk, tenant_id, destination, min(due_at) FROM deliveries
  WHERE due_at IS NOT NULL AND state <> 'held' GROUP BY bulk, tenant_id, destination;

CREATE TRIGGER lane_of_new AFTER INSERT ON deliveries WHEN NEW.due_at IS NOT NULL AND NEW.state <> 'held' BEGIN
  INSERT INTO lanes (bulk, tenant_id, destination, due_at)
    VALUES (NEW.bulk, NEW.tenant_id, NEW.destination, NEW.due_at)
    ON CONFLICT DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at < due_at;
END;
CREATE TRIGGER lane_entered AFTER UPDATE OF due_at, state, destination ON deliveries
  WHEN NEW.due_at IS NOT NULL AND NEW.state <> 'held' BEGIN
  INSERT INTO lanes (bulk, tenant_id, destination, due_at)
    VALUES (NEW.bulk, NEW.tenant_id, NEW.destination, NEW.due_at)
    ON CONFLICT DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at < due_at;
END;
CREATE TRIGGER lane_left AFTER UPDATE OF due_at, state, destination ON deliveries
  WHEN OLD.due_at IS NOT NULL AND OLD.state <> 'held'
    AND (NEW.due_at IS NOT OLD.due_at OR NEW.state = 'held' OR NEW.destination <> OLD.destination) BEGIN
  UPDATE lanes SET due_at = (SELECT min(due_at) FROM deliveries
      WHERE bulk = OLD.bulk AND tenant_id = OLD.tenant_id AND destination = OLD.destination
        AND due_at IS NOT NULL AND state <> 'held')
    WHERE bulk = OLD.bulk AND tenant_id = OLD.tenant_id AND destination = OLD.destination AND due_at = OLD.due_at
      AND EXISTS (SELECT 1 FROM deliveries
        WHERE bulk = OLD.bulk AND tenant_id = OLD.tenant_id AND destination = OLD.destination
          AND due_at IS NOT NULL AND state <> 'held');
  DELETE FROM lanes
    WHERE bulk = OLD.bulk AND tenant_id = OLD.tenant_id AND destination = OLD.destination AND due_at = OLD.due_at
      AND NOT EXISTS (SELECT 1 FROM deliveries
        WHERE bulk = OLD.bulk AND tenant_id = OLD.tenant_id AND destination = OLD.destination
          AND due_at IS NOT NULL AND state <> 'held');
END;
`;

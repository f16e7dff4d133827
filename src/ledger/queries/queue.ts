/** Pages of mails that still have a delivery under way: each shown by its lowest open one that matches. */
import { openStates } from '../../events/event.ts';
import type { Engine } from '../engine.ts';
import type { DeliveryFilter, DeliveryPage, Page, Scope } from '../question.ts';
import { deliveryPage } from './deliveries.ts';
import { deliveriesWhere } from './delivery-filter.ts';

export function queue(
  engine: Engine,
  scope: Scope,
  filter: DeliveryFilter,
  page: Page,
): Promise<DeliveryPage> {
  const where = deliveriesWhere(scope, filter);
  where.changing(`state IN ${where.bind('openStates', 'Array(String)', [...openStates])}`);
  where.rare = true;
  return deliveryPage(engine, where, page, 'mail');
}

/** Pages of mails: each shown by its lowest forward-path that matches. */
import type { Engine } from '../engine.ts';
import type { DeliveryFilter, DeliveryPage, Page, Scope } from '../question.ts';
import { deliveryPage } from './deliveries.ts';
import { deliveriesWhere } from './delivery-filter.ts';

export function mails(
  engine: Engine,
  scope: Scope,
  filter: DeliveryFilter,
  page: Page,
): Promise<DeliveryPage> {
  return deliveryPage(engine, deliveriesWhere(scope, filter), page, 'mail');
}

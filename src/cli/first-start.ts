/** The first start of an installation: a tenant to try things with, and an operator. */
import type { Tenants } from '../tenants/tenants.ts';
import { createTenantWithCredentials, type NewTenant } from './new-tenant.ts';

export interface FirstStart {
  tenant: NewTenant;
  operator: { username: string; password: string };
}

const firstTenant = { name: 'default', domain: 'example.test' };
const firstOperator = 'admin';

/** Null when there are tenants already. */
export function makeFirstTenant(tenants: Tenants): FirstStart | null {
  if (tenants.tenants().length > 0) return null;
  const tenant = createTenantWithCredentials(tenants, firstTenant);
  if (!tenant.ok) throw new Error(tenant.problem);
  const operator = tenants.createOperator(firstOperator);
  if (!operator.ok) throw new Error(operator.problem);
  return { tenant: tenant.value, operator: { username: firstOperator, password: operator.value.password } };
}

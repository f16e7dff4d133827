/** `POST /v1/analytics/metrics`: the successor of the statistics, counts and rates by up to three dimensions. */
import { readBody } from '../../../http/read-body.ts';
import { countCells } from '../count-cells.ts';
import { badRequest } from '../errors.ts';
import { bodyOfForm, metricsBody, parseMetrics } from '../parse-metrics.ts';
import { renderMetrics, typesOfMetrics } from '../render-metrics.ts';
import { metricsReply } from '../replies.ts';
import { basicAuth, bodyRefusals, type Route } from '../route.ts';

export const metrics: Route = {
  endpoint: {
    method: 'post',
    path: '/v1/analytics/metrics',
    summary: 'Counts and rates of the account by time, domain, provider and more',
    security: basicAuth,
    body: { contentTypes: ['application/json', 'application/x-www-form-urlencoded'], schema: metricsBody },
    replies: { 200: metricsReply, ...bodyRefusals },
  },
  async answer({ ask, clock }, { scope, request }) {
    const body = await readBody(request);
    if (!body.ok) return body;
    const question = parseMetrics(body.json ?? bodyOfForm(body.fields), clock.now());
    if (!question.ok) return badRequest(question.problem);
    const { window, axes, predicates, aggregates } = question.value;
    const counted = { types: typesOfMetrics(question.value.metrics), window, predicates };
    const cells = await countCells(ask, scope, { ...counted, axes });
    if (!cells.ok) return badRequest(cells.problem);
    const all = aggregates ? await countCells(ask, scope, { ...counted, axes: [] }) : null;
    if (all !== null && !all.ok) return badRequest(all.problem);
    const rows = all === null ? null : all.value.flatMap((cell) => cell.rows);
    return { ok: true, body: renderMetrics(question.value, cells.value, rows) };
  },
};

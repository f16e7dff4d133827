/**
 * The configuration: what an operator says once, before the start. Environment variables win over
 * `waybill.toml`, the file over the defaults; with neither, Waybill just works. An unknown name or a bad
 * value stops the start, and all of them are told at once.
 *
 * This is the module's door, and `process.env` is read behind it only. Not here: tenants, credentials,
 * routes and whatever else changes while Waybill runs (tenants, store).
 */
export { httpUrl, type ListenAddress, type NextHop, nextHop, type TrustedNetwork } from './addresses.ts';
export { crashPointWanted, environmentForChild } from './crash-point.ts';
export { renderHelp, renderReference, renderSampleFile } from './help.ts';
export { byteSize, databaseName, duration } from './kinds.ts';
export {
  type Config,
  type ConfigSource,
  type Loaded,
  type LoadRequest,
  loadConfig,
} from './load.ts';
export { type ConfigProblem, describeProblem } from './problem.ts';
export { coreOptions } from './schema.ts';
export { nearest } from './suggest.ts';
export { readWarmUpPlan, type WarmUpPlan, warmUpPlanNames } from './warm-up-plan.ts';

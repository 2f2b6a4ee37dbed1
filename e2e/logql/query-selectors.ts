/** Selectors of the services in `records.ts`. */
export const JSON_LOGS = '{service_name="api-json"}';
export const LOGFMT = '{service_name="web-logfmt"}';
export const ACCESS = '{service_name="edge-access"}';
export const PLAIN = '{service_name="plain"}';
export const PACKED = '{service_name="packer"}';
export const COUNTER = '{service_name="counter"}';
export const ALL = '{service_name=~".+"}';
export const BROKEN = '| __error__=""';

export const after = (selector: string, stages: readonly string[]) => stages.map((stage) => `${selector} ${stage}`);

// How figures are written, and from when on they are bad.

const NO_BREAK = ' ';

export function rate(perSecond) {
  if (perSecond >= 10_000) {
    return `${(perSecond / 1000).toFixed(1)}k`;
  }
  return perSecond === 0 ? '0' : perSecond < 0.05 ? '<0.1' : perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toString();
}

/** @param share from 0 to 1, or null; never rounded up to 100 % */
export function percent(share) {
  if (share === null) {
    return '–';
  }
  const value = share * 100;
  const digits = value >= 100 || value === 0 ? 0 : value > 99 ? 2 : 1;
  const power = 10 ** digits;
  return `${(Math.floor(value * power + 1e-9) / power).toFixed(digits)}${NO_BREAK}%`;
}

export function millis(value) {
  if (value === null) {
    return '–';
  }
  if (value >= 1000) {
    return `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)}${NO_BREAK}s`;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}${NO_BREAK}ms`;
}

/** The share that has failed of what has neither succeeded nor been refused, or null. */
export function failed(figures) {
  return figures.success === null ? null : Math.max(0, 1 - figures.success - (figures.refused ?? 0));
}

export function failureClass(failed) {
  return failed === null || failed <= 0.0001 ? '' : failed < 0.01 ? 'warn' : 'bad';
}

/** Some refusals are the business of whoever is refused; many are somebody's mistake. */
export function refusalClass(refused) {
  return refused === null || refused < 0.1 ? '' : refused < 0.2 ? 'warn' : 'bad';
}

/** The worse of both. */
export function successClass(figures) {
  const kinds = [failureClass(failed(figures)), refusalClass(figures.refused ?? null)];
  return kinds.includes('bad') ? 'bad' : kinds.includes('warn') ? 'warn' : '';
}

/** Who refuses, by their own word: in words, or empty. */
export function refusers({permission, rateLimit, fault}) {
  return [[permission, 'permission'], [rateLimit, 'rate limit'], [fault, 'injected fault']]
    .filter(([perSecond]) => perSecond > 0).map(([perSecond, by]) => `${rate(perSecond)}/s by ${by}`).join(', ');
}

/** Of a whole service. */
export function severity(service) {
  const out = service.instances.filter(each => each.health === 'UNHEALTHY' || each.ejectedBy.length > 0).length;
  if (service.called && service.instances.length === out || successClass(service) === 'bad') {
    return 'bad';
  }
  return out > 0 || successClass(service) === 'warn' ? 'warn' : '';
}

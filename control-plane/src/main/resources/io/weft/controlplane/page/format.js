// How figures are written, and from when on they are bad.

const NO_BREAK = ' ';

export function rate(perSecond) {
  if (perSecond >= 10_000) {
    return `${(perSecond / 1000).toFixed(1)}k`;
  }
  return perSecond === 0 ? '0' : perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toString();
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

export function successClass(success) {
  return success === null || success >= 0.9999 ? '' : success > 0.99 ? 'warn' : 'bad';
}

/** Of a whole service. */
export function severity(service) {
  const out = service.instances.filter(each => each.health === 'UNHEALTHY' || each.ejectedBy.length > 0).length;
  if (service.called && service.instances.length === out || successClass(service.success) === 'bad') {
    return 'bad';
  }
  return out > 0 || successClass(service.success) === 'warn' ? 'warn' : '';
}

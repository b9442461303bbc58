// State comes in by server-sent events; each part of the page is drawn anew from it.

import {chart, niceMax} from './charts.js';
import {failed, failureClass, millis, percent, rate, refusalClass, refusers, successClass} from './format.js';
import {drawMap} from './map.js';

const byId = id => document.getElementById(id);
const state = {view: null, mesh: null, service: null, load: null, events: null, rollout: null, lostAt: null};

// Building blocks

/** @param content a string, a node, or a list of these; never taken as markup */
function element(name, attributes = {}, content = []) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) {
      made.setAttribute(key, '');
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, value);
    }
  }
  made.append(...[content].flat().filter(part => part !== null && part !== undefined && part !== ''));
  return made;
}

/** Puts what was drawn anew in the place of what was there; whoever had the focus keeps it, and so does who scrolled. */
function replace(container, ...parts) {
  const focused = container.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const scroll = container.scrollLeft;
  container.replaceChildren(...parts.filter(part => part));
  container.scrollLeft = scroll;
  if (focused) {
    container.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
  }
}

/** On a phone each row is a block of its own, with the headings in it; roles say that it is a table all the same. */
function table(headings, rows, caption) {
  for (const row of rows) {
    row.setAttribute('role', 'row');
    [...row.children].forEach((each, column) => {
      each.setAttribute('role', 'cell');
      each.dataset.label = headings[column][0];
    });
  }
  return element('table', {role: 'table'}, [
    element('caption', {class: 'visually-hidden'}, caption),
    element('thead', {role: 'rowgroup'}, element('tr', {role: 'row'},
      headings.map(([label, kind]) => element('th', {scope: 'col', role: 'columnheader', class: kind}, label)))),
    element('tbody', {role: 'rowgroup'}, rows),
  ]);
}

function cell(content, kind) {
  return element('td', {class: kind}, content);
}

function link(service) {
  return element('a', {href: `#service=${encodeURIComponent(service)}`, 'data-key': `row-${service}`}, service);
}

// What is drawn

function currentMesh() {
  return state.view?.meshes.find(mesh => mesh.name === state.mesh) ?? state.view?.meshes[0] ?? null;
}

function draw() {
  const mesh = currentMesh();
  byId('token').hidden = !state.view.writable;
  byId('replica').hidden = !state.view.replica;
  byId('replica').textContent = `Figures, and who refuses what, are of the data planes that are connected to replica ${state.view.replica}.`;
  drawMeshes();
  drawAttention(mesh);
  drawWholeMap(mesh);
  drawServices(mesh);
  drawPolicies(mesh);
  drawDetail(mesh);
}

function drawMeshes() {
  const select = byId('mesh');
  const names = state.view.meshes.map(mesh => mesh.name);
  if (names.join('\n') !== [...select.options].map(option => option.value).join('\n')) {
    select.replaceChildren(...names.map(name => element('option', {value: name}, name)));
  }
  select.value = currentMesh()?.name ?? '';
  select.parentElement.hidden = names.length < 2;
}

/** The worst first. */
function troubles(mesh) {
  const found = [];
  const add = (kind, what, why) => found.push({kind, what, why});
  for (const service of mesh?.services ?? []) {
    const out = service.instances.filter(each => each.health === 'UNHEALTHY');
    const untrusted = state.view.replica || out.some(each => each.transport === 'MTLS_PENDING');
    const ejected = service.instances.filter(each => each.ejectedBy.length > 0);
    if (service.called && service.instances.length === 0) {
      add('bad', service.name, 'is called, but has no instance');
    } else if (service.called && out.length === service.instances.length) {
      add('bad', service.name, `none of its ${service.instances.length} instances ${
        untrusted ? 'takes the mutual TLS that policy demands' : 'is connected'}`);
    } else if (out.length) {
      add('warn', service.name, `${out.length} of ${service.instances.length} instances ${
        untrusted ? 'do not take the mutual TLS that policy demands' : 'not connected'}: ${names(out)}`);
    }
    if (ejected.length) {
      const by = [...new Set(ejected.flatMap(each => each.ejectedBy))].join(', ');
      add(ejected.length === service.instances.length ? 'bad' : 'warn', service.name,
        `${ejected.length} of ${service.instances.length} instances left out by ${by} because of their failures: ${names(ejected)}`);
    }
  }
  for (const split of mesh?.rollouts ?? []) {
    const service = mesh.services.find(each => each.name === split.service);
    const all = Object.values(split.weights).reduce((sum, weight) => sum + weight, 0);
    for (const [version, weight] of Object.entries(split.weights)) {
      if (service?.instances.length && weight > 0 && !service.instances.some(each => each.version === version)) {
        add('bad', `${split.service} ${version}`, `has no instance, and ${percent(weight / all)} of the requests by policy ${split.policy}: they get 503`);
      }
    }
  }
  for (const edge of mesh?.edges ?? []) {
    const pair = `${edge.from} → ${edge.version ? `${edge.to} ${edge.version}` : edge.to}`;
    const all = `of ${rate(edge.requestsPerSecond + edge.dropped)} requests/s`;
    const by = mesh.services.find(each => each.name === edge.to)?.refusedBy ?? {permission: 0, rateLimit: 0, fault: 0};
    const fails = failed(edge);
    if (failureClass(fails)) {
      // Over gRPC a rate limit may be an error.
      const said = refusers(refusalClass(edge.refused) ? {permission: 0, rateLimit: 0, fault: by.fault} : by);
      add(failureClass(fails), pair, `${percent(fails)} ${all} fail` + (edge.dropped > 0 ? `, ${rate(edge.dropped)}/s without being sent` : '')
        + (said ? `; ${edge.to} says: ${said}` : ''));
    }
    if (refusalClass(edge.refused)) {
      const said = refusers({...by, fault: 0});
      add(refusalClass(edge.refused), pair, `${percent(edge.refused)} ${all} are refused with 401, 403 or 429; ${
        said ? `${edge.to} says: ${said}` : `no instance of ${edge.to} says that the mesh did it`}`);
    }
  }
  for (const refusal of mesh?.refusals ?? []) {
    add('bad', refusal.node, `refuses its ${words(refusal.type)}; what it had before stays in force: ${refusal.message}`);
  }
  for (const problem of state.view.problems) {
    const where = problem.line ? `${problem.file}:${problem.line}` : problem.file;
    add('bad', where, `${problem.field ? problem.field + ': ' : ''}${problem.message}`);
  }
  return found.sort((a, b) => (a.kind === 'bad' ? 0 : 1) - (b.kind === 'bad' ? 0 : 1));
}

function names(instances) {
  const all = instances.map(each => each.name);
  return all.length > 4 ? `${all.slice(0, 4).join(', ')} and ${all.length - 4} more` : all.join(', ');
}

function words(type) {
  return type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

let announced = null;

function drawAttention(mesh) {
  const found = troubles(mesh);
  const shown = JSON.stringify(found);
  document.title = found.length ? `(${found.length}) Weft` : 'Weft';
  if (shown === announced) {
    return;
  }
  announced = shown;
  const requests = (mesh?.edges ?? []).reduce((sum, edge) => sum + edge.requestsPerSecond, 0);
  replace(byId('attention'), found.length
    ? element('ul', {}, found.slice(0, 12).map(each => element('li', {class: each.kind}, [
        element('strong', {}, each.what), element('span', {}, each.why),
      ])).concat(found.length > 12 ? element('li', {class: 'warn'}, `and ${found.length - 12} more`) : []))
    : element('p', {class: 'calm'}, requests > 0 ? 'Nothing needs attention' : 'Nothing needs attention; no requests in the last 30 s'));
}

function drawWholeMap(mesh) {
  const container = byId('map');
  if (!mesh || mesh.services.length === 0) {
    replace(container, element('p', {class: 'empty'}, 'No service is connected yet. Start one with the agent and this control plane’s address.'));
    return;
  }
  replace(container, drawMap(mesh, state.service, container.clientWidth || 1000));
}

function drawServices(mesh) {
  const rows = (mesh?.services ?? []).map(service => {
    const used = service.instances.filter(each => each.health === 'HEALTHY' && each.ejectedBy.length === 0).length;
    const secured = service.instances.filter(each => each.transport === 'MTLS').length;
    const versions = [...new Set(service.instances.map(each => each.version).filter(version => version))].sort();
    return element('tr', {class: service.name === state.service ? 'selected' : ''}, [
      cell(link(service.name), 'name'),
      cell(service.called ? rate(service.requestsPerSecond) : '', 'number'),
      cell(service.called ? element('span', {class: tone(service)}, percent(service.success)) : '', 'number'),
      cell(service.called ? refusedCell(service) : '', 'number'),
      cell(service.called ? millis(service.p99Millis) : '', 'number'),
      cell(service.instances.length
        ? element('span', {class: used < service.instances.length ? 'warn-text' : ''}, `${used} of ${service.instances.length}`)
        : element('span', {class: service.called ? 'bad-text' : 'dim'}, service.called ? 'none' : 'calls only'), 'number'),
      cell(versions.join(', ') || '–'),
      cell(mesh.mutualTls ? transport(secured, service.instances.length) : element('span', {class: 'dim'}, 'off')),
    ]);
  });
  replace(byId('services'), rows.length
    ? table([['Service'], ['Requests/s', 'number'], ['Success', 'number'], ['Refused', 'number'], ['p99', 'number'], ['Instances in use', 'number'], ['Versions'],
        ['Mutual TLS']], rows, 'Services of the mesh')
    : element('p', {class: 'empty'}, 'None'));
}

function tone(figures) {
  return colour(successClass(figures));
}

function colour(kind) {
  return kind ? `${kind}-text` : '';
}

/** How much is refused by callers' word, and by whom by the instances'. */
function refusedCell(service) {
  const by = refusers(service.refusedBy);
  return [
    element('span', {class: colour(refusalClass(service.refused)) || (service.refused ? '' : 'dim')}, service.refused ? percent(service.refused) : '–'),
    by ? element('span', {class: 'reason'}, by) : null,
  ];
}

function transport(secured, all) {
  if (all === 0) {
    return '–';
  }
  return element('span', {class: secured === all ? 'ok-text' : 'warn-text'}, secured === all ? 'yes' : `${secured} of ${all}`);
}

function drawPolicies(mesh) {
  const rows = (mesh?.policies ?? []).map(policy => {
    let standing = element('span', {class: 'state ok-text'}, 'in force');
    if (policy.refusedBy.length) {
      standing = element('span', {class: 'state bad-text'}, `refused by ${policy.refusedBy.join(', ')}`);
    } else if (policy.outdated) {
      standing = element('span', {class: 'state bad-text'}, 'older version in force, the newest is refused');
    } else if (policy.shadow) {
      standing = element('span', {class: 'state warn-text'}, 'shadow, not applied');
    } else if (policy.overriddenBy.length) {
      standing = element('span', {class: 'state warn-text'}, `overridden by ${policy.overriddenBy.join(', ')}`);
    } else if (policy.warnings.length) {
      standing = element('span', {class: 'state warn-text'}, `in force, and ${policy.warnings.join('; ')}`);
    }
    return element('tr', {}, [
      cell(policy.type),
      cell(policy.name, 'name'),
      cell(policy.target || '–', 'long'),
      cell(policy.actsOn.length ? policy.actsOn.join(', ') : element('span', {class: 'dim'}, policy.target ? 'nobody connected' : '–'), 'long'),
      cell(standing, 'long'),
      cell(element('code', {}, `${policy.file}:${policy.line}`)),
    ]);
  });
  replace(byId('policies'), rows.length
    ? table([['Kind'], ['Name'], ['Meant for'], ['Acts on'], ['State'], ['Where']], rows, 'Policies in force')
    : element('p', {class: 'empty'}, 'No policy is in force; requests go as they would without one.'));
}

// One service

function drawDetail(mesh) {
  const service = mesh?.services.find(each => each.name === state.service);
  const detail = byId('detail');
  const shown = Boolean(service);
  if (detail.hidden === shown) {
    detail.hidden = !shown;
    document.querySelector('.columns').classList.toggle('with-detail', shown);
    drawWholeMap(mesh);
  }
  if (!shown) {
    return;
  }
  byId('detail-title').textContent = service.name;
  drawRollout(mesh, service);
  drawVersions(mesh, service);
  drawInstances(mesh, service);
}

function versionsOf(mesh, service) {
  const rollout = mesh.rollouts.find(each => each.service === service.name);
  const found = new Set([
    ...Object.keys(rollout?.weights ?? {}),
    ...service.instances.map(each => each.version),
    ...(state.load?.service === service.name ? Object.keys(state.load.versions) : []),
  ]);
  if (found.size > 1) {
    found.delete('');
  }
  return [...found].sort((a, b) => a.localeCompare(b, 'en', {numeric: true}));
}

/** A colour, a shape and a stroke: whoever cannot tell one tells another. */
function markOf(version, versions) {
  const at = Math.max(0, versions.indexOf(version));
  return `mark-${at % 6} shape-${at % 5}`;
}

/** @param versions all of the service */
function marked(version, versions) {
  return element('span', {class: `marked ${markOf(version, versions)}`}, version);
}

function drawVersions(mesh, service) {
  const load = state.load?.service === service.name && state.load.mesh === mesh.name ? state.load : null;
  const versions = versionsOf(mesh, service);
  if (!load || !service.called) {
    replace(byId('versions'), element('p', {class: 'empty'}, service.called ? 'No figures yet.' : 'Nobody calls it.'));
    return;
  }
  const seconds = load.stepSeconds;
  const data = versions.map(version => {
    const known = load.versions[version];
    const none = [];
    return {
      version,
      known,
      requests: (known?.requests ?? none).map(count => count / seconds),
      errors: known ? known.errors.map((errors, i) => known.requests[i] + errors === 0 ? null
        : 100 * errors / Math.max(known.requests[i], errors)) : none,
      refused: known ? known.refused.map((refused, i) => known.requests[i] === 0 ? null
        : 100 * Math.min(1, refused / known.requests[i])) : none,
      p99: known?.p99Millis ?? none,
    };
  });
  const most = {
    requests: niceMax(...data.map(each => each.requests)),
    errors: Math.max(1, niceMax(...data.map(each => each.errors))),
    refused: Math.max(1, niceMax(...data.map(each => each.refused))),
    p99: niceMax(...data.map(each => each.p99)),
  };
  const weights = mesh.rollouts.find(each => each.service === service.name)?.weights;
  const all = weights ? Object.values(weights).reduce((a, b) => a + b, 0) : 0;
  const minutes = Math.round((data.find(each => each.known)?.requests.length ?? 120) * seconds / 60);
  replace(byId('versions'), element('div', {class: 'versions'}, data.map(each => {
    const title = each.version || (data.length > 1 ? 'no version' : 'All instances');
    const share = weights && all ? `${Math.round(100 * (weights[each.version] ?? 0) / all)} % by policy` : '';
    const errors = each.known?.recentErrors ?? null;
    const refused = each.known?.recentRefused ?? null;
    const clientErrors = each.known?.recentClientErrors ?? null;
    const by = each.known ? refusers(each.known.recentRefusedBy) : '';
    const told = [by && `${by}, as its instances say`, refused && !by && 'no instance says that the mesh did it', clientErrors && `${percent(clientErrors)} other 4xx`]
      .filter(part => part).join('; ');
    return element('div', {class: `version ${markOf(each.version, versions)}`}, [
      element('h3', {class: `marked ${markOf(each.version, versions)}`}, [title, element('span', {class: 'share'}, share)]),
      metric('Requests/s', rate(each.known?.recentRequestsPerSecond ?? 0), '', each.requests, most.requests, rate(most.requests), title, minutes),
      metric('Errors', percent(errors), failureClass(errors), each.errors, most.errors, `${most.errors} %`, title, minutes, 'errors'),
      metric('Refused', percent(refused), refusalClass(refused), each.refused, most.refused, `${most.refused} %`, title, minutes, 'refused', told),
      metric('p99', millis(each.known?.recentP99Millis ?? null), '', each.p99, most.p99, millis(most.p99), title, minutes),
    ]);
  })));
}

function metric(name, value, kind, series, max, top, version, minutes, style, note) {
  return element('div', {class: 'metric'}, [
    element('div', {class: 'head'}, [element('span', {}, name), element('span', {class: `value ${kind}`}, value)]),
    chart(series.length ? series : [null], max, `${name} of ${version} over ${minutes} minutes, now ${value}, axis up to ${top}`, style),
    element('div', {class: 'axis', 'aria-hidden': 'true'}, [element('span', {}, `${minutes} min ago`), element('span', {}, `top ${top}`)]),
    note ? element('p', {class: 'note'}, note) : null,
  ]);
}

const HEALTH = {HEALTHY: ['healthy', 'ok-text'], UNHEALTHY: ['not connected', 'bad-text'], DRAINING: ['draining', 'warn-text']};
const TRANSPORT = {PLAINTEXT: ['plaintext', 'dim'], MTLS_PENDING: ['not yet', 'warn-text'], MTLS: ['yes', 'ok-text']};

function drawInstances(mesh, service) {
  const versions = versionsOf(mesh, service);
  const rows = service.instances.map(instance => {
    const [health, tone1] = instance.ejectedBy.length
      ? [`left out by ${instance.ejectedBy.join(', ')}`, 'bad-text']
      : state.view.replica && instance.health === 'UNHEALTHY' ? ['not called', 'bad-text'] : HEALTH[instance.health];
    const [secured, tone2] = mesh.mutualTls ? TRANSPORT[instance.transport] : ['off', 'dim'];
    return element('tr', {}, [
      cell([element('span', {}, instance.name), element('br'), element('code', {class: 'dim'}, instance.address)], 'long'),
      cell(instance.version ? marked(instance.version, versions) : '–'),
      cell(element('span', {class: `state ${tone1}`}, health), 'long'),
      cell(rate(instance.requestsPerSecond), 'number'),
      cell(element('span', {class: colour(failureClass(failed(instance)))}, percent(failed(instance))), 'number'),
      cell(element('span', {class: tone2}, secured)),
    ]);
  });
  replace(byId('instances'),
    element('h3', {}, 'Instances'),
    rows.length
      ? element('div', {class: 'scroll'}, table([['Instance'], ['Version'], ['Health'], ['Requests/s', 'number'], ['Errors', 'number'], ['Mutual TLS']],
          rows, `Instances of ${service.name}`))
      : element('p', {class: 'empty'}, service.called ? (state.view.replica ? 'None is ready.' : 'None is connected.') : 'It takes no requests.'));
}

// The slider

/** Made once for each service, so that a hand on it is not disturbed by news. */
function drawRollout(mesh, service) {
  const container = byId('rollout');
  const policy = mesh.rollouts.find(each => each.service === service.name);
  const versions = policy ? Object.keys(policy.weights) : versionsOf(mesh, service).filter(version => version);
  const possible = state.view.writable && service.called && versions.length === 2;
  const key = JSON.stringify([mesh.name, service.name, possible ? versions : []]);
  if (state.rollout?.key !== key) {
    state.rollout = possible ? rollout(key, mesh.name, service.name, versions) : {key};
    replace(container, state.rollout.element);
  }
  state.rollout.show?.(policy, versionsOf(mesh, service));
}

function rollout(key, mesh, service, [stable, canary]) {
  const slider = element('input', {
    type: 'range', min: 0, max: 100, step: 1, id: 'share', 'aria-label': `Share of ${canary} in percent`,
  });
  const left = element('span');
  const right = element('span');
  const write = element('button', {type: 'button', class: 'primary'}, 'Write policy');
  const reset = element('button', {type: 'button', class: 'quiet'}, 'Reset');
  const note = element('span', {class: 'note', role: 'status'});
  let written = null;
  let touched = false;
  let busy = false;

  const update = () => {
    const share = Number(slider.value);
    left.textContent = `${stable} ${100 - share} %`;
    right.textContent = `${canary} ${share} %`;
    slider.setAttribute('aria-valuetext', `${share} percent to ${canary}, ${100 - share} percent to ${stable}`);
    write.disabled = busy || !token() || !touched;
    reset.hidden = !touched;
    slider.disabled = busy;
    if (!token()) {
      say('Changing this needs a token: press “Read only” at the top.');
    }
  };
  const say = (what, kind = '') => {
    if (note.textContent !== what) {
      note.textContent = what;
    }
    note.className = `note ${kind}`;
  };
  slider.addEventListener('input', () => {
    touched = Number(slider.value) !== written;
    say(touched ? 'Not written yet' : '');
    update();
  });
  reset.addEventListener('click', () => {
    slider.value = written ?? 0;
    touched = false;
    say('');
    update();
    slider.focus();
  });
  write.addEventListener('click', async () => {
    const share = Number(slider.value);
    busy = true;
    update();
    say('Writing…');
    try {
      const response = await fetch('api/rollout', {
        method: 'POST',
        headers: {'content-type': 'application/json', authorization: `Bearer ${token()}`},
        body: JSON.stringify({mesh, service, weights: {[stable]: 100 - share, [canary]: share}}),
      });
      if (response.ok) {
        written = share;
        touched = false;
        say(`Written: ${share} % to ${canary}`);
      } else {
        say((await response.json()).error, 'bad');
      }
    } catch {
      say('The control plane does not answer; nothing was written', 'bad');
    }
    busy = false;
    update();
  });
  document.addEventListener('token', () => {
    say('');
    update();
  });
  update();
  return {
    key,
    element: element('div', {class: 'rollout'}, [
      element('h3', {}, element('label', {for: 'share'}, 'Share of requests')),
      element('div', {class: 'ends'}, [left, right]),
      slider,
      element('div', {class: 'buttons'}, [write, reset, note]),
    ]),
    show(policy, all) {
      const mark = version => `marked ${markOf(version, all)}`;
      left.className = mark(stable);
      right.className = mark(canary);
      slider.className = markOf(canary, all);
      const weights = policy ? Object.values(policy.weights).reduce((a, b) => a + b, 0) : 0;
      const share = weights ? Math.round(100 * policy.weights[canary] / weights) : null;
      if (!policy && !touched) {
        say(token() ? 'No policy shares the requests yet; writing makes one.' : note.textContent);
      }
      if (share !== written || written === null) {
        written = share;
        if (!touched) {
          slider.value = share ?? 50;
        }
      }
      update();
    },
  };
}

// The token: in this tab alone

function token() {
  return sessionStorage.getItem('token') ?? '';
}

function showToken() {
  byId('token').textContent = token() ? 'Changes allowed' : 'Read only';
  document.dispatchEvent(new Event('token'));
}

byId('token').addEventListener('click', () => {
  byId('token-input').value = '';
  byId('token-dialog').returnValue = 'cancel';
  byId('token-dialog').showModal();
  byId('token-input').focus();
});
byId('token-dialog').addEventListener('close', event => {
  const typed = byId('token-input').value.trim();
  byId('token-input').value = '';
  if (event.target.returnValue === 'use' && typed) {
    sessionStorage.setItem('token', typed);
  } else if (event.target.returnValue === 'forget') {
    sessionStorage.removeItem('token');
  }
  showToken();
});
// Enter in the field means the token, not the first button.
byId('token-input').addEventListener('keydown', event => {
  if (event.key === 'Enter') {
    event.preventDefault();
    byId('token-dialog').close('use');
  }
});

// Light and dark

const dark = matchMedia('(prefers-color-scheme: dark)');

function showTheme() {
  const chosen = localStorage.getItem('theme') ?? 'auto';
  document.documentElement.dataset.theme = chosen === 'auto' ? (dark.matches ? 'dark' : 'light') : chosen;
  byId('theme').textContent = `Theme: ${chosen}`;
}

byId('theme').addEventListener('click', () => {
  const order = ['auto', 'light', 'dark'];
  const chosen = localStorage.getItem('theme') ?? 'auto';
  localStorage.setItem('theme', order[(order.indexOf(chosen) + 1) % order.length]);
  showTheme();
});
dark.addEventListener('change', showTheme);

// News

function listen() {
  state.events?.close();
  const query = new URLSearchParams();
  if (state.service) {
    query.set('service', state.service);
    query.set('mesh', state.mesh ?? 'default');
  }
  const events = new EventSource(`api/events?${query}`);
  state.events = events;
  events.addEventListener('mesh', event => {
    state.view = JSON.parse(event.data);
    state.mesh ??= state.view.meshes.find(mesh => mesh.name === 'default')?.name ?? state.view.meshes[0]?.name ?? null;
    showLive('live', 'live');
    draw();
  });
  events.addEventListener('load', event => {
    state.load = JSON.parse(event.data);
    const mesh = currentMesh();
    if (mesh) {
      drawDetail(mesh);
    }
  });
  events.addEventListener('error', () => {
    if (events === state.events) {
      state.lostAt ??= new Date();
      showLive('lost', `No connection since ${state.lostAt.toLocaleTimeString()}; what is shown is old`);
      if (events.readyState === EventSource.CLOSED) {
        setTimeout(() => events === state.events && listen(), 2000);
      }
    }
  });
}

function showLive(kind, text) {
  if (kind === 'live') {
    state.lostAt = null;
  }
  const live = byId('live');
  live.dataset.state = kind;
  if (live.textContent !== text) {
    live.textContent = text;
  }
}

function route() {
  const chosen = new URLSearchParams(location.hash.slice(1)).get('service');
  if (chosen !== state.service || !state.events) {
    state.service = chosen;
    state.load = null;
    listen();
    if (state.view) {
      draw();
      if (chosen && innerWidth < 1720) {
        byId('detail').scrollIntoView({block: 'start'});
      }
    }
  }
}

byId('mesh').addEventListener('change', event => {
  state.mesh = event.target.value;
  listen();
  draw();
});
addEventListener('hashchange', route);
let resized;
addEventListener('resize', () => {
  clearTimeout(resized);
  resized = setTimeout(() => state.view && drawWholeMap(currentMesh()), 100);
});

showTheme();
showToken();
route();

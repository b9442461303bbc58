// The map: callers first, whom they call behind them; left to right, or top to bottom where there is little width.

import {svg} from './charts.js';
import {millis, percent, rate, refusalClass, refusers, severity, successClass} from './format.js';

const NODE = {width: 184, height: 74};
const GAP = {wide: {layer: 216, rank: 30}, narrow: {layer: 88, rank: 12}};
/** The least that the figures of an edge need between two layers, and more than which says nothing more. */
const BETWEEN = {least: 172, most: 300};
const MARGIN = 12;

/** How much a connection that passes a layer by needs there. */
const LANE = 26;

/** @param selected name of a service, or null */
export function drawMap(mesh, selected, width) {
  const narrow = width < 700;
  const edges = merged(mesh.edges);
  const layers = layered(mesh.services.map(service => service.name), edges);
  const room = (width - 2 * MARGIN - layers.length * NODE.width) / Math.max(1, layers.length - 1);
  const gap = narrow ? GAP.narrow : {...GAP.wide, layer: Math.min(BETWEEN.most, Math.max(BETWEEN.least, Math.floor(room)))};
  const crowd = Math.max(...layers.map(layer => layer.filter(each => !each.lane).length));
  const size = narrow && crowd * (NODE.width + gap.rank) > width
    ? {width: Math.max(132, Math.floor((width - 2 * MARGIN - LANE) / 2) - gap.rank), height: NODE.height}
    : NODE;
  const across = each => each.lane ? LANE : narrow ? size.width : size.height;
  const breadthOf = layer => layer.reduce((sum, each) => sum + across(each) + gap.rank, -gap.rank);
  const breadth = Math.max(...layers.map(breadthOf));
  const deep = narrow ? size.height : size.width;
  const places = new Map();
  layers.forEach((layer, depth) => {
    const along = MARGIN + depth * (deep + gap.layer);
    let at = MARGIN + (breadth - breadthOf(layer)) / 2;
    for (const each of layer) {
      places.set(each.id, narrow ? {x: at, y: along} : {x: along, y: at});
      at += across(each) + gap.rank;
    }
  });
  const depth = layers.length * (deep + gap.layer) - gap.layer;
  const total = narrow
    ? {width: breadth + 2 * MARGIN, height: depth + 2 * MARGIN}
    : {width: depth + 2 * MARGIN, height: breadth + 2 * MARGIN};
  const picture = svg('svg', {
    viewBox: `0 0 ${total.width} ${total.height}`, width: total.width, height: total.height,
    role: 'group', 'aria-label': `${mesh.services.length} services and ${edges.length} connections`,
  });
  // Smaller than that it is scrolled and not shrunk.
  picture.style.minWidth = `${Math.round(total.width * (narrow ? .95 : .78))}px`;
  const drawing = {edges, places, size, narrow, deep, fastest: Math.max(1, ...edges.map(edge => edge.requestsPerSecond)), mesh};
  const lines = svg('g');
  const plates = svg('g');
  for (const edge of edges) {
    const parts = drawEdge(edge, drawing);
    lines.append(parts.line);
    plates.append(parts.plate);
  }
  picture.append(lines);
  for (const service of mesh.services) {
    picture.append(drawNode(service, places.get(service.name), size, service.name === selected));
  }
  picture.append(plates);
  return picture;
}

/** Those to all versions of a service as one. */
function merged(edges) {
  const byPair = new Map();
  for (const edge of edges) {
    const key = JSON.stringify([edge.from, edge.to]);
    const known = byPair.get(key);
    if (!known) {
      byPair.set(key, {...edge, versions: [edge]});
      continue;
    }
    known.versions.push(edge);
    const requests = known.requestsPerSecond + edge.requestsPerSecond;
    const weigh = field => mean(known[field], known.requestsPerSecond, edge[field], edge.requestsPerSecond);
    known.success = weigh('success');
    known.refused = weigh('refused');
    known.mutualTls = weigh('mutualTls');
    known.p99Millis = known.p99Millis === null ? edge.p99Millis : Math.max(known.p99Millis, edge.p99Millis ?? 0);
    known.requestsPerSecond = requests;
    known.inProgress += edge.inProgress;
    known.dropped += edge.dropped;
  }
  return [...byPair.values()];
}

function mean(some, weight, other, otherWeight) {
  if (some === null || other === null) {
    return some ?? other;
  }
  return weight + otherWeight === 0 ? some : (some * weight + other * otherWeight) / (weight + otherWeight);
}

/**
 * Each service one layer behind the last of its callers; who calls in a circle is where it was met first. A connection that passes layers
 * by gets a lane in each of them, so that it runs behind no service.
 */
function layered(names, edges) {
  const callers = new Map(names.map(name => [name, []]));
  const callees = new Map(names.map(name => [name, []]));
  for (const edge of edges) {
    if (edge.from !== edge.to && callers.has(edge.from) && callers.has(edge.to)) {
      callers.get(edge.to).push(edge.from);
      callees.get(edge.from).push(edge.to);
    }
  }
  const depth = new Map();
  const onPath = new Set();
  const measure = name => {
    if (depth.has(name)) {
      return depth.get(name);
    }
    if (onPath.has(name)) {
      return -1;
    }
    onPath.add(name);
    const found = Math.max(-1, ...callers.get(name).map(measure)) + 1;
    onPath.delete(name);
    depth.set(name, found);
    return found;
  };
  names.forEach(measure);
  const layers = [];
  const at = new Map();
  for (const name of names) {
    // Without anybody to call or to be called by, it stands with those that are called.
    const alone = !callers.get(name).length && !callees.get(name).length;
    at.set(name, alone ? Math.min(1, Math.max(0, ...depth.values())) : depth.get(name));
    (layers[at.get(name)] ??= []).push({id: name, from: callers.get(name)});
  }
  for (const edge of edges) {
    let before = edge.from;
    edge.lanes = [];
    for (let layer = at.get(edge.from) + 1; layer < at.get(edge.to); layer++) {
      const lane = JSON.stringify([edge.from, edge.to, layer]);
      layers[layer].push({id: lane, lane: true, from: [before]});
      edge.lanes.push(lane);
      before = lane;
    }
    if (edge.lanes.length) {
      const target = layers[at.get(edge.to)].find(each => each.id === edge.to);
      target.from = target.from.map(caller => caller === edge.from ? before : caller);
    }
  }
  const dense = layers.filter(layer => layer);
  for (let i = 1; i < dense.length; i++) {
    const position = new Map(dense[i - 1].map((each, index) => [each.id, index]));
    const centre = each => {
      const known = each.from.filter(caller => position.has(caller)).map(caller => position.get(caller));
      return known.length ? known.reduce((a, b) => a + b) / known.length : dense[i - 1].length / 2;
    };
    dense[i].sort((a, b) => centre(a) - centre(b) || a.id.localeCompare(b.id));
  }
  return dense;
}

function drawNode(service, place, size, selected) {
  const worst = severity(service);
  const node = svg('a', {
    class: `node ${worst} ${selected ? 'selected' : ''}`,
    href: `#service=${encodeURIComponent(service.name)}`,
    transform: `translate(${place.x} ${place.y})`,
    'data-key': `node-${service.name}`,
    'aria-label': described(service),
  });
  node.append(svg('rect', {class: 'box', width: size.width, height: size.height, rx: 9}));
  node.append(text(14, 25, 'name', clipped(service.name, size.width - 28)));
  if (!service.called) {
    node.append(text(14, 52, 'sub', 'calls only'));
    return node;
  }
  const figures = text(14, 45, '', `${rate(service.requestsPerSecond)}/s  `);
  figures.append(svg('tspan', {class: successClass(service)}, percent(service.success)));
  if (service.p99Millis !== null && size.width >= 170) {
    figures.append(svg('tspan', {}, `  ${millis(service.p99Millis)}`));
  }
  node.append(figures);
  const shown = service.instances.slice(0, Math.floor((size.width - 72) / 11));
  shown.forEach((instance, index) => {
    const out = instance.health === 'UNHEALTHY' || instance.ejectedBy.length > 0;
    const kind = out ? 'out' : instance.health === 'DRAINING' ? 'away' : '';
    node.append(svg('circle', {class: `dot ${kind}`, cx: 18 + index * 11, cy: 60, r: kind === 'away' ? 3.2 : 4}));
  });
  if (service.instances.length === 0) {
    node.append(text(14, 64, 'bad', 'no instance'));
  } else if (service.instances.length > shown.length) {
    node.append(text(18 + shown.length * 11, 64, 'sub', `+${service.instances.length - shown.length}`));
  }
  return node;
}

function described(service) {
  const parts = [service.name];
  if (!service.called) {
    parts.push('calls only');
  } else {
    parts.push(`${rate(service.requestsPerSecond)} requests per second`);
    if (service.success !== null) {
      parts.push(`${percent(service.success)} successful`);
    }
    if (service.refused) {
      parts.push(`${percent(service.refused)} refused ${refusers(service.refusedBy)}`.trim());
    }
    if (service.p99Millis !== null) {
      parts.push(`p99 ${millis(service.p99Millis)}`);
    }
    const out = service.instances.filter(each => each.health === 'UNHEALTHY' || each.ejectedBy.length);
    parts.push(`${service.instances.length - out.length} of ${service.instances.length} instances in use`);
  }
  return parts.join(', ');
}

function drawEdge(edge, {edges, places, size, narrow, deep, fastest, mesh}) {
  const from = places.get(edge.from);
  const to = places.get(edge.to);
  const start = narrow ? {x: from.x + size.width / 2, y: from.y + size.height} : {x: from.x + size.width, y: from.y + size.height / 2};
  const end = narrow ? {x: to.x + size.width / 2, y: to.y} : {x: to.x, y: to.y + size.height / 2};
  const worst = edge.requestsPerSecond + edge.dropped === 0 ? 'idle' : successClass(edge);
  const label = `${edge.from} to ${edge.to}: ` + edge.versions
    .map(each => `${each.version ? each.version + ' ' : ''}${rate(each.requestsPerSecond)}/s, ${percent(each.success)} successful`
      + (each.refused ? `, ${percent(each.refused)} refused` : '')
      + (each.p99Millis === null ? '' : `, p99 ${millis(each.p99Millis)}`)).join('; ')
    + (edge.mutualTls === null ? '' : edge.mutualTls === 1 ? ', mutual TLS' : edge.mutualTls === 0 ? ', plaintext'
      : `, ${percent(edge.mutualTls)} by mutual TLS`);
  const thick = 1.5 + 3.5 * Math.sqrt(edge.requestsPerSecond / fastest);
  const line = svg('g', {class: `edge ${worst}`});

  // From the caller to where each lane begins, along the lane, and from the last one to the callee.
  let path = `M${start.x} ${start.y}`;
  let here = start;
  let first = null;
  const curve = there => {
    const gone = narrow ? there.y - here.y : there.x - here.x;
    const bend = gone <= 0 ? 60 : gone / 2;
    const one = narrow ? {x: here.x, y: here.y + bend} : {x: here.x + bend, y: here.y};
    const two = narrow ? {x: there.x, y: there.y - bend} : {x: there.x - bend, y: there.y};
    path += ` C${one.x} ${one.y} ${two.x} ${two.y} ${there.x} ${there.y}`;
    const begin = here;
    first ??= t => along(begin, one, two, there, t);
    here = there;
  };
  for (const lane of edge.lanes) {
    const place = places.get(lane);
    curve(narrow ? {x: place.x + LANE / 2, y: place.y} : {x: place.x, y: place.y + LANE / 2});
    here = narrow ? {x: here.x, y: here.y + deep} : {x: here.x + deep, y: here.y};
    path += ` L${here.x} ${here.y}`;
  }
  curve(narrow ? {x: end.x, y: end.y - 7} : {x: end.x - 7, y: end.y});
  line.append(svg('path', {class: 'line', 'stroke-width': thick.toFixed(1), d: path}));
  line.append(svg('path', {
    class: 'arrow',
    d: narrow ? `M${end.x} ${end.y} l-6 -10 h12 z` : `M${end.x} ${end.y} l-10 -6 v12 z`,
  }));

  // Where the lines of one place have parted, or have not met yet, so that the plates do not cover each other.
  const siblings = edges.filter(each => each.from === edge.from).length > 1;
  const crowd = edges.filter(each => each.to === edge.to).length > 1;
  const parted = narrow ? .78 : .62;
  const at = edge.lanes.length ? .5 : siblings === crowd ? .5 : siblings ? parted : 1 - parted;
  const middle = first(at);
  // Where much is refused that says more than what is not, and how long it takes to say no.
  const refuses = refusalClass(edge.refused);
  const figures = [
    `${rate(edge.requestsPerSecond)}/s${narrow ? ' ' : '  '}`,
    refuses ? `${percent(edge.refused)} refused` : percent(edge.success),
    refuses || narrow || edge.p99Millis === null ? '' : `  ${millis(edge.p99Millis)}`,
  ];
  const padlock = edge.mutualTls !== null && (edge.mutualTls > 0 || mesh.mutualTls);
  const wide = figures.join('').length * 6.35 + 16 + (padlock ? 16 : 0);
  const plate = svg('g', {
    class: `edge ${worst}`, role: 'img', 'aria-label': label, transform: `translate(${middle.x - wide / 2} ${middle.y - 11})`,
  }, svg('title', {}, label));
  plate.append(svg('rect', {class: 'plate', width: wide, height: 22, rx: 11}));
  if (padlock) {
    const open = edge.mutualTls < 1 ? 'open' : '';
    plate.append(
      svg('path', {class: `padlock ${open}`, d: open ? 'M11.5 10 v-2 a2.5 2.5 0 0 1 4.6 -1.3' : 'M11.5 10 v-2 a2.5 2.5 0 0 1 5 0 v2'}),
      svg('rect', {class: `padlock body ${open}`, x: 9.8, y: 10, width: 8.4, height: 6.6, rx: 1.4}));
  }
  const words = text(padlock ? 24 : 8, 15.3, '', figures[0]);
  words.append(svg('tspan', {class: 'success'}, figures[1]));
  if (figures[2]) {
    words.append(svg('tspan', {}, figures[2]));
  }
  plate.append(words);
  return {line, plate};
}

function along(a, b, c, d, t) {
  const s = 1 - t;
  const at = key => s ** 3 * a[key] + 3 * s * s * t * b[key] + 3 * s * t * t * c[key] + t ** 3 * d[key];
  return {x: at('x'), y: at('y')};
}

function text(x, y, kind, content) {
  return svg('text', {x, y, class: kind, 'xml:space': 'preserve'}, content);
}

function clipped(name, width) {
  const most = Math.floor(width / 8);
  return name.length > most ? name.slice(0, most - 1) + '…' : name;
}

// Small charts of one series each. Several of them that are to be compared get the same maximum.

const NAMESPACE = 'http://www.w3.org/2000/svg';
const WIDTH = 300;
const HEIGHT = 56;
const TOP = 4;

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** @param values numbers, or null where nothing is known @param max of the axis, above 0 @param label for who cannot see it */
export function chart(values, max, label, kind = '') {
  const x = index => values.length < 2 ? 0 : index * WIDTH / (values.length - 1);
  const y = value => HEIGHT - 1 - Math.min(1, value / max) * (HEIGHT - TOP - 1);
  const picture = svg('svg', {
    class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label,
  }, svg('line', {class: 'base', x1: 0, x2: WIDTH, y1: HEIGHT - .5, y2: HEIGHT - .5}));
  for (const run of runs(values)) {
    const points = run.map(index => `${x(index).toFixed(1)},${y(values[index]).toFixed(1)}`);
    if (run.length === 1) {
      // A line of no length, which its round ends make a dot.
      points.push(`${(x(run[0]) + .1).toFixed(1)},${y(values[run[0]]).toFixed(1)}`);
    }
    picture.append(
      svg('polygon', {
        class: `area ${kind}`,
        points: `${x(run[0]).toFixed(1)},${HEIGHT} ${points.join(' ')} ${x(run[run.length - 1]).toFixed(1)},${HEIGHT}`,
      }),
      svg('polyline', {class: `curve ${kind}`, points: points.join(' '), 'stroke-linecap': 'round'}));
  }
  return picture;
}

/** The stretches without a gap, as lists of positions. */
function runs(values) {
  const found = [];
  let run = [];
  values.forEach((value, index) => {
    if (value !== null) {
      run.push(index);
    } else if (run.length) {
      found.push(run);
      run = [];
    }
  });
  if (run.length) {
    found.push(run);
  }
  return found;
}

/** A round number that is not below any of them. */
export function niceMax(...series) {
  const largest = Math.max(0, ...series.flat().filter(value => value !== null));
  if (largest === 0) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(largest));
  return [1, 2, 2.5, 5, 10].map(step => step * power).find(step => step >= largest * 0.999);
}

// Uses the page as an operator does, in a real browser. Arguments: the page's URL, an operator's token, the policy folder, where pictures go.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

const {chromium} = createRequire(path.join(process.env.PLAYWRIGHT, '/'))('playwright-core');
const [, , url, token, folder, pictures] = process.argv;
const WAIT = {timeout: 30_000};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

const complaints = [];
const asked = new Set();

async function open(settings, hash = '') {
  const context = await browser.newContext({reducedMotion: 'reduce', ...settings});
  const page = await context.newPage();
  page.on('console', message => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', error => complaints.push(error.message));
  page.on('request', request => asked.add(new URL(request.url()).origin));
  await page.goto(url + hash);
  await page.waitForSelector('.edge .plate', WAIT);
  return page;
}

const picture = (page, name) => page.screenshot({path: path.join(pictures, name), fullPage: true});

/** What of the page's texts would be hard to read, by WCAG's contrast of text to the ground that it is on. */
const hardToRead = () => {
  const parse = colour => colour.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) {
        return colour;
      }
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *:not(svg, svg *)')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest('button:disabled, .visually-hidden, .skip')) {
      continue;
    }
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) {
      found.push(`${element.textContent.trim().slice(0, 40)}: ${((a + .05) / (b + .05)).toFixed(2)}`);
    }
  }
  return found;
};

const unnamed = () => [...document.querySelectorAll('button, input, select, a, svg[role=img], dialog, section')]
  .filter(element => element.checkVisibility())
  .filter(element => !(element.getAttribute('aria-label') || element.getAttribute('aria-labelledby')
    || element.textContent.trim() || element.labels?.length))
  .map(element => element.outerHTML.slice(0, 120));

try {
  // What is wrong is seen at once.
  const page = await open({viewport: {width: 1440, height: 1000}, colorScheme: 'light'});
  const trouble = await page.locator('#attention').innerText();
  assert.match(trouble, /storefront → orders v2/);
  assert.match(trouble, /left out by storefront because of their failures: stock-2/);
  assert.match(trouble, /broken\.yaml/);
  assert.match(trouble, /orders → mail v1\s+30[.\d]* % of [\d.]+ requests\/s are refused with 401, 403 or 429; mail says: [<\d.]+\/s by permission, [\d.]+\/s by rate limit/);
  assert.match(await page.locator('.edge[role=img]').filter({hasText: 'orders to mail'}).first().textContent(), /70[.\d]* %.*30[.\d]* % refused/);
  assert.match(await page.locator('#services tr').filter({hasText: 'mail'}).innerText(), /by permission, [\d.]+\/s by rate limit/);
  assert.match(await page.title(), /^\(\d+\) Weft$/);
  assert.equal(await page.locator('a.node').count(), 7);
  assert.equal(await page.locator('.node.bad').count() > 0, true);
  assert.match(await page.locator('.edge[role=img]').filter({hasText: 'batch to orders'}).first().getAttribute('aria-label'), /mutual TLS/);
  assert.deepEqual(await page.evaluate(hardToRead), []);
  assert.deepEqual(await page.evaluate(unnamed), []);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('.edge path.line')).transitionDuration), '0s');
  await picture(page, 'light.png');

  // By the keyboard alone: a service, the token, the slider.
  await page.locator('a.node[data-key="node-orders"]').focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('#detail:not([hidden]) .version .curve', WAIT);
  assert.equal(await page.locator('#detail-title').innerText(), 'orders');
  assert.equal(await page.locator('.version').count(), 2);
  assert.equal(await page.locator('.rollout button.primary').isDisabled(), true, 'without a token nothing can be written');
  await page.locator('#token').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.getElementById('token').textContent === 'Changes allowed', null, WAIT);
  await page.locator('#share').focus();
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('ArrowRight');
  }
  assert.match(await page.locator('#share').getAttribute('aria-valuetext'), /^15 percent to v2/);
  assert.deepEqual(await page.evaluate(hardToRead), []);
  await picture(page, 'service.png');
  assert.match(fs.readFileSync(path.join(folder, 'orders-canary.yaml'), 'utf8'), /weight: 10\}/, 'moving the slider writes nothing');
  await page.getByRole('button', {name: 'Write policy'}).press('Enter');
  await page.waitForSelector('.note:has-text("Written: 15 % to v2")', WAIT);
  assert.match(fs.readFileSync(path.join(folder, 'orders-canary.yaml'), 'utf8'), /weight: 85\} # the one from March/);
  await page.waitForSelector('.share:has-text("15 % by policy")', WAIT);

  // What others change comes by itself.
  fs.writeFileSync(path.join(folder, 'stock.yaml'),
    'type: MeshHTTPRoute\nname: from-elsewhere\nmesh: default\nspec: {to: [{targetRef: {kind: MeshService, name: stock}, rules: []}]}\n');
  await page.waitForSelector('#policies td:has-text("from-elsewhere")', WAIT);

  // Of two that say the same of the same, one has no effect.
  fs.writeFileSync(path.join(folder, 'timeouts.yaml'), ['shared', 'mine'].map(name =>
    `type: MeshTimeout\nname: ${name}\nspec: {to: [{targetRef: {kind: Mesh}, default: {connectionTimeout: 2s}}]}\n`).join('---\n'));
  await page.waitForSelector('#policies tr:has-text("shared") td:has-text("overridden by mine")', WAIT);
  await page.waitForSelector('#policies tr:has(.name:has-text("mine")) td:has-text("in force")', WAIT);
  assert.deepEqual(await page.evaluate(hardToRead), []);
  await page.locator('#policies').scrollIntoViewIfNeeded();
  await picture(page, 'policies.png');

  // Three versions, no two alike, by colour or by shape.
  await page.goto(`${url}#service=stock`);
  await page.waitForFunction(() => document.querySelectorAll('.version .curve').length > 6 && document.querySelectorAll('.version').length === 3, null, WAIT);
  assert.equal(new Set(await page.locator('.version h3').evaluateAll(all => all.map(each => getComputedStyle(each, '::before').backgroundColor))).size, 3);
  assert.equal(new Set(await page.locator('.version h3').evaluateAll(all => all.map(each => getComputedStyle(each, '::before').clipPath))).size, 3);
  assert.equal(new Set(await page.locator('.version').evaluateAll(all =>
    all.map(each => getComputedStyle(each.querySelector('.curve')).strokeDasharray))).size, 3);
  assert.deepEqual(await page.evaluate(hardToRead), []);
  await picture(page, 'versions.png');

  // Who is left out by policy is not said to be away.
  const strict = await open({viewport: {width: 1440, height: 1000}});
  const view = await strict.evaluate(async () => (await fetch('api/mesh')).json());
  const payments = view.meshes[0].services.find(service => service.name === 'payments');
  payments.instances.forEach(instance => Object.assign(instance, {health: 'UNHEALTHY', transport: 'MTLS_PENDING'}));
  await strict.route('**/api/events*', route =>
    route.fulfill({contentType: 'text/event-stream', body: `event: mesh\ndata: ${JSON.stringify(view)}\n\n`}));
  await strict.reload();
  await strict.waitForSelector('#attention:has-text("none of its 1 instances takes the mutual TLS that policy demands")', WAIT);

  // Dark, and small enough for a hand.
  const dark = await open({viewport: {width: 1440, height: 1000}, colorScheme: 'dark'}, '#service=orders');
  await dark.waitForSelector('.version .curve', WAIT);
  assert.deepEqual(await dark.evaluate(hardToRead), []);
  await picture(dark, 'dark.png');
  const phone = await open({viewport: {width: 390, height: 844}, deviceScaleFactor: 2, hasTouch: true}, '#service=orders');
  await phone.waitForSelector('.version .curve', WAIT);
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'it is not wider than the phone');
  const cut = await phone.evaluate(() => [...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth).map(box => box.id));
  assert.deepEqual(cut, [], 'nothing stands where only who scrolls sideways sees it');
  assert.equal(await phone.locator('#policies td').nth(4).evaluate(cell => getComputedStyle(cell, '::before').content), '"State"');
  const small = await phone.evaluate(() => [...document.querySelectorAll('button')].filter(button => button.checkVisibility())
    .filter(button => button.getBoundingClientRect().height < 40).map(button => button.textContent));
  assert.deepEqual(small, [], 'a finger finds every button');
  await picture(phone, 'phone.png');

  assert.deepEqual(complaints, []);
  assert.deepEqual([...asked], [new URL(url).origin], 'nothing comes from elsewhere');
} finally {
  await browser.close();
}

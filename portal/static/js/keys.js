// The keyboard: "/" to the element with data-key="/", "?" lists the keys; in a list (data-rows, or articles with
// data-row) j and k go through the rows, o opens the row's data-row-open, e presses its data-row-do.
// Letters do nothing while one types, and can be switched off in the list of keys (kept in this browser).

import { word } from './words.js';

const OFF = 'candor.keys-off';
let at = null;

const isOff = () => {
  try {
    return localStorage.getItem(OFF) === 'yes';
  } catch {
    return false;
  }
};
const rows = () => [...document.querySelectorAll('[data-row]')].filter((row) => row.getClientRects().length);
const isTyping = (target) => target.isContentEditable || target.matches('input, textarea, select, [role="listbox"] *');

export function start() {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
    if (event.key === '?') return act(event, showKeys);
    if (isOff()) return undefined;
    if (event.key === '/') return act(event, () => toSearch());
    if (event.key === 'j') return act(event, () => move(1));
    if (event.key === 'k') return act(event, () => move(-1));
    if (event.key === 'o' && at) return act(event, () => at.querySelector('[data-row-open]')?.click());
    if (event.key === 'e' && at) return act(event, () => at.querySelector('[data-row-do]')?.click());
    return undefined;
  });
}

function act(event, run) {
  event.preventDefault();
  run();
}

function toSearch() {
  const box = [...document.querySelectorAll('[data-key="/"]')].find((one) => one.getClientRects().length);
  if (box) {
    box.focus();
    box.select?.();
  } else {
    location.assign('/search');
  }
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const focused = document.activeElement?.closest?.('[data-row]');
  const from = all.indexOf(focused && all.includes(focused) ? focused : at);
  const next = all[Math.min(Math.max(from + step, 0), all.length - 1)];
  at?.removeAttribute('aria-current');
  at = next;
  if (!next.matches('article')) next.setAttribute('aria-current', 'true');
  const target = next.querySelector('[data-row-open]') ?? next;
  if (target === next && !next.hasAttribute('tabindex')) next.tabIndex = -1; // a row that leads nowhere
  target.focus({ preventScroll: true });
  next.scrollIntoView({ block: next.offsetHeight > innerHeight ? 'start' : 'nearest' });
}

function showKeys() {
  const dialog = document.createElement('dialog');
  dialog.className = 'dialog';
  dialog.setAttribute('aria-labelledby', 'keys-title');
  const title = document.createElement('h2');
  title.id = 'keys-title';
  title.textContent = word('keys', 'Keys');
  const list = document.createElement('dl');
  list.className = 'terms terms--side';
  const entries = [
    ['/', word('key-search', 'search')],
    ['j k', word('key-move', 'next, previous')],
    ['o', word('key-open', 'open')],
    ['e', word('key-do', 'the main action of the row')],
    ['Esc', word('key-close', 'close a menu')],
    ['Ctrl Enter', word('key-send', 'send what you write')],
  ];
  for (const [keys, what] of entries) {
    const row = document.createElement('div');
    const term = document.createElement('dt');
    for (const key of keys.split(' ')) {
      const cap = document.createElement('kbd');
      cap.textContent = key;
      term.append(cap, ' ');
    }
    const text = document.createElement('dd');
    text.textContent = what;
    row.append(term, text);
    list.append(row);
  }
  const label = document.createElement('label');
  label.className = 'dialog__check';
  const check = document.createElement('input');
  check.type = 'checkbox';
  check.className = 'form-check-input';
  check.checked = !isOff();
  check.addEventListener('change', () => {
    try {
      localStorage.setItem(OFF, check.checked ? 'no' : 'yes');
    } catch {
      // a browser that keeps nothing: the choice lasts for this page
    }
  });
  label.append(check, ` ${word('keys-on', 'Letters work as keys')}`);
  const form = document.createElement('form');
  form.method = 'dialog';
  form.className = 'form__end';
  const close = document.createElement('button');
  close.className = 'btn';
  close.textContent = word('close', 'Close');
  form.append(close);
  dialog.append(title, list, label, form);
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.showModal();
  close.focus();
}

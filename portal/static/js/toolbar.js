// [data-toolbar] of a composer: buttons with data-mark put Markdown around what is chosen. One stop of the Tab
// key; the arrows go along. Ctrl or Cmd with B, I, K as everywhere.

import { replace } from './text.js';
import { word } from './words.js';

const AROUND = { bold: ['**', '**'], italic: ['*', '*'], code: ['`', '`'], link: ['[', '](https://)'] };
const LINES = { list: '- ', quote: '> ' };
const SHORT = { b: 'bold', i: 'italic', k: 'link' };

export function startToolbar(composer, text) {
  const bar = composer.querySelector('[data-toolbar]');
  if (!bar) return;
  bar.hidden = false;
  const buttons = [...bar.querySelectorAll('button')];
  buttons.forEach((button, index) => button.setAttribute('tabindex', index ? '-1' : '0'));
  bar.addEventListener('click', (event) => {
    const mark = event.target.closest('[data-mark]')?.dataset.mark;
    if (mark) put(text, mark);
  });
  bar.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const from = buttons.indexOf(document.activeElement);
    let next = null;
    if (step) next = buttons[(from + step + buttons.length) % buttons.length];
    if (event.key === 'Home') next = buttons[0];
    if (event.key === 'End') next = buttons[buttons.length - 1];
    if (!next) return;
    event.preventDefault();
    buttons.forEach((button) => button.setAttribute('tabindex', button === next ? '0' : '-1'));
    next.focus();
  });
  text.addEventListener('keydown', (event) => {
    const mark = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && SHORT[event.key];
    if (!mark) return;
    event.preventDefault();
    put(text, mark);
  });
}

function put(text, mark) {
  const { selectionStart: from, selectionEnd: to, value } = text;
  const chosen = value.slice(from, to);
  if (LINES[mark]) {
    const begin = value.lastIndexOf('\n', from - 1) + 1;
    const lines = value.slice(begin, to).split('\n').map((line) => LINES[mark] + line).join('\n');
    replace(text, begin, to, lines);
    return;
  }
  if (mark === 'code' && chosen.includes('\n')) {
    replace(text, from, to, `\`\`\`\n${chosen}\n\`\`\``);
    return;
  }
  const [before, after] = AROUND[mark];
  const inside = chosen || (mark === 'link' ? word('link-text', 'text') : '');
  replace(text, from, to, before + inside + after);
  const start = from + before.length;
  if (mark === 'link') text.setSelectionRange(start + inside.length + 2, start + inside.length + after.length - 1);
  else text.setSelectionRange(start, start + inside.length);
}

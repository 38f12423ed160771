// After an @: people whose names begin so, from data-members-url?q= as [{username, name, company}]. A list box
// under the text, steered from the text area: arrows choose, Enter or Tab takes, Escape closes.

import { debounce, send } from './http.js';
import { replace } from './text.js';
import { word } from './words.js';

const BEFORE_CARET = /(?:^|[\s(>])@([\p{L}\p{N}._-]{1,40})$/u;
let lists = 0;

export function startMentions(composer, text) {
  const list = document.createElement('ul');
  list.id = `mentions-${(lists += 1)}`;
  list.className = 'mentions';
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', word('people', 'People'));
  list.hidden = true;
  text.after(list);
  const status = document.createElement('span');
  status.className = 'visually-hidden';
  status.setAttribute('role', 'status');
  list.after(status);
  text.setAttribute('aria-autocomplete', 'list');
  text.setAttribute('aria-haspopup', 'listbox');

  let chosen = 0;
  let running = null;

  const typed = () => {
    if (text.selectionStart !== text.selectionEnd) return null;
    return text.value.slice(0, text.selectionStart).match(BEFORE_CARET)?.[1] ?? null;
  };

  function close() {
    if (list.hidden) return;
    list.hidden = true;
    list.replaceChildren();
    status.textContent = '';
    text.removeAttribute('aria-activedescendant');
    text.removeAttribute('aria-controls');
  }

  function choose(index) {
    const options = list.children;
    chosen = (index + options.length) % options.length;
    [...options].forEach((option, position) => option.setAttribute('aria-selected', position === chosen ? 'true' : 'false'));
    text.setAttribute('aria-activedescendant', options[chosen].id);
    options[chosen].scrollIntoView({ block: 'nearest' });
  }

  function take(option) {
    const begin = text.value.slice(0, text.selectionStart);
    const at = begin.lastIndexOf('@');
    replace(text, at, text.selectionStart, `@${option.dataset.username} `);
    close();
  }

  const look = debounce(async () => {
    const q = typed();
    running?.abort();
    if (q === null) return close();
    running = new AbortController();
    try {
      const url = `${composer.dataset.membersUrl}?q=${encodeURIComponent(q)}`;
      const people = await (await send(url, { signal: running.signal })).json();
      if (typed() !== q || !people.length) return close();
      list.replaceChildren(...people.slice(0, 8).map((person, index) => option(list.id, person, index)));
      list.hidden = false;
      text.setAttribute('aria-controls', list.id);
      status.textContent = word('people-found', '{n} people, choose with the arrow keys', { n: list.children.length });
      choose(0);
    } catch {
      close(); // a name can be typed in full
    }
    return undefined;
  }, 150);

  text.addEventListener('input', look);
  text.addEventListener('blur', () => setTimeout(close, 150));
  text.addEventListener('keydown', (event) => {
    if (list.hidden) return;
    const run = {
      ArrowDown: () => choose(chosen + 1),
      ArrowUp: () => choose(chosen - 1),
      Enter: () => take(list.children[chosen]),
      Tab: () => take(list.children[chosen]),
      Escape: close,
    }[event.key];
    if (!run || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  });
  if (document.activeElement === text) look(); // who was quicker than this script
  list.addEventListener('mousedown', (event) => {
    const picked = event.target.closest('[role="option"]');
    if (!picked) return;
    event.preventDefault(); // the text keeps the focus
    take(picked);
  });
}

function option(listId, person, index) {
  const made = document.createElement('li');
  made.id = `${listId}-${index}`;
  made.setAttribute('role', 'option');
  made.dataset.username = person.username;
  const name = document.createElement('strong');
  name.textContent = person.name;
  const rest = document.createElement('span');
  rest.className = 'quiet';
  rest.textContent = ` @${person.username}${person.company ? `, ${person.company}` : ''}`;
  made.append(name, rest);
  return made;
}

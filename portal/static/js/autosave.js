// Drafts: the fields of a form with a [data-draft-url] are kept on the server two seconds after the last key, and
// when the page is left. PUT (form-encoded: the fields, and sequence = the last one known, at first
// data-draft-seq) answers {"sequence", "saved_at"}; 409 {"sequence"} says that another window saved since, and
// nothing is overwritten until its reader says so. DELETE forgets the draft ([data-discard]).
// Signed out or off line, the text stays in this browser and is offered when the form is opened again.

import { debounce, send, token } from './http.js';
import { hour } from './time.js';
import { word } from './words.js';

const SENT = ':sent';
const NOT_KEPT = new Set(['csrf_token', 'form_key', 'similar', 'version']);
const WAIT = 2000;

export function start() {
  const forms = new Set();
  for (const composer of document.querySelectorAll('[data-composer]')) {
    const form = composer.closest('form');
    if (form && composer.dataset.draftUrl) forms.add(form);
  }
  for (const form of forms) watch(form);
}

function watch(form) {
  const composers = [...form.querySelectorAll('[data-composer]')];
  const url = composers[0].dataset.draftUrl;
  const place = `candor.draft:${url}`;
  const status = composers.map((composer) => composer.querySelector('[data-saved]'));
  let sequence = Number(composers[0].dataset.draftSeq || 0);
  // Coming back or loading anew, the browser puts in again what stood there: that was kept when the page was left.
  const arrived = performance.getEntriesByType('navigation')[0]?.type === 'navigate';
  let kept = arrived ? asItCame(form) : serialise(form);
  let saving = false;
  let over = false; // sent or discarded: nothing is kept any more

  const say = (text, ...more) => status.forEach((one, index) => {
    if (more.length || one.textContent !== text) one.replaceChildren(text, ...(index ? [] : more));
  });

  async function save() {
    const now = serialise(form);
    if (over || saving || now === kept) return;
    saving = true;
    try {
      const response = await send(url, { method: 'PUT', body: encoded(form, sequence) });
      const answer = await response.json();
      sequence = answer.sequence;
      kept = now;
      forget(place);
      showDiscard();
      say(word('saved', 'Saved {time}', { time: hour(new Date(answer.saved_at ?? Date.now())) }));
    } catch (error) {
      if (error.kind === 'conflict') await onConflict(error.response);
      else keepHere(error.kind);
    } finally {
      saving = false;
      if (!over && serialise(form) !== now) later();
    }
  }

  async function onConflict(response) {
    const answer = await response.json().catch(() => ({}));
    remember(place, form);
    say(
      word('conflict', 'Another window saved this draft since. '),
      wordbutton(word('conflict-keep', 'Keep the text of this one'), () => {
        sequence = answer.sequence ?? sequence;
        kept = null;
        save();
      }),
    );
  }

  function keepHere(kind) {
    const stored = remember(place, form);
    if (!stored) say(word('not-saved', 'Not saved. Copy your text before you leave.'));
    else if (kind === 'signed-out') say(word('kept-signed-out', 'You are signed out. Your text is kept in this browser.'));
    else say(word('kept-offline', 'No connection. Your text is kept in this browser.'));
  }

  function showDiscard() {
    const button = form.querySelector('[data-discard]');
    if (button) button.hidden = false;
  }

  const later = debounce(save, WAIT);
  form.addEventListener('input', () => !over && later());
  form.addEventListener('change', () => !over && later());
  form.addEventListener('submit', (event) => {
    if (event.defaultPrevented) return;
    over = true;
    later.cancel();
    setTimeout(() => { if (event.defaultPrevented) over = false; }); // a question came first
    remember(place, form); // should the server refuse or be away; the next kept draft or an empty form clears it
    sessionStorage.setItem(place + SENT, serialise(form));
  });
  addEventListener('pageshow', () => {
    over = false;
  });
  addEventListener('pagehide', () => {
    if (over || serialise(form) === kept) return;
    remember(place, form);
    fetch(url, { method: 'PUT', body: encoded(form, sequence), headers: { 'X-CSRFToken': token() }, keepalive: true }).catch(() => {});
  });
  form.querySelector('[data-discard]')?.addEventListener('click', async () => {
    over = true;
    later.cancel();
    forget(place);
    await send(url, { method: 'DELETE' }).catch(() => {});
    for (const composer of composers) {
      const text = composer.querySelector('textarea');
      text.value = '';
      text.dispatchEvent(new Event('input', { bubbles: true }));
    }
    kept = serialise(form);
    sequence = 0;
    over = false;
    later.cancel();
    form.querySelector('[data-discard]').hidden = true;
    say(word('discarded', 'Discarded.'));
    composers[0].querySelector('textarea').focus();
  });

  if (sequence) showDiscard();
  offer();
  if (serialise(form) !== kept) later(); // typed before this script was there

  // What this browser kept when the server could not: offered, never put in by itself.
  function offer() {
    const stored = recall(place);
    if (!stored) return;
    // Sent, and this page came after it: taken. An error page, or coming back to the form, says otherwise.
    const sent = arrived && sessionStorage.getItem(place + SENT);
    const same = JSON.stringify(stored) === kept || JSON.stringify(stored) === sent;
    sessionStorage.removeItem(place + SENT);
    if (same || !Object.values(stored).some((value) => value.trim())) {
      forget(place);
      return;
    }
    say(
      word('kept-here', 'This browser has a text of yours that was not saved. '),
      wordbutton(word('bring-back', 'Bring it back'), () => {
        for (const [name, value] of Object.entries(stored)) {
          const field = form.elements.namedItem(name);
          if (field && 'value' in field) field.value = value;
        }
        for (const composer of composers) {
          composer.querySelector('textarea').dispatchEvent(new Event('input', { bubbles: true }));
        }
        forget(place);
        composers[0].querySelector('textarea').focus();
      }),
    );
  }
}

// On an error page: what was sent was not taken, so it is offered again.
export function doubtWhatWasSent() {
  for (const key of Object.keys(sessionStorage)) {
    if (key.endsWith(SENT)) sessionStorage.removeItem(key);
  }
}

function fields(form) {
  const found = {};
  for (const [name, value] of new FormData(form)) {
    if (!NOT_KEPT.has(name) && typeof value === 'string') found[name] = value;
  }
  return found;
}

function asItCame(form) {
  const copy = form.cloneNode(true);
  copy.reset();
  return serialise(copy);
}

const serialise = (form) => JSON.stringify(fields(form));
const encoded = (form, sequence) => new URLSearchParams({ ...fields(form), sequence });

function remember(place, form) {
  try {
    localStorage.setItem(place, serialise(form));
    return true;
  } catch {
    return false;
  }
}

function recall(place) {
  try {
    return JSON.parse(localStorage.getItem(place));
  } catch {
    return null;
  }
}

function forget(place) {
  try {
    localStorage.removeItem(place);
  } catch {
    // nothing was kept
  }
}

function wordbutton(label, run) {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'wordbutton';
  made.textContent = label;
  made.addEventListener('click', run, { once: true });
  return made;
}

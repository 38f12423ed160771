// form[data-toggle-url]: helpful, follow, bookmark without leaving the page. POST switches on, DELETE off; the
// server answers {"pressed": bool, "count": number or null}. When that fails the form is sent as it stands.
// All forms of one address on the page (the accepted answer stands twice) change together.

import { send } from './http.js';

export function start() {
  document.addEventListener('submit', async (event) => {
    const form = event.target.closest('form[data-toggle-url]');
    if (!form || form.dataset.plain) return;
    event.preventDefault();
    event.stopPropagation();
    if (form.dataset.busy) return;
    form.dataset.busy = 'yes';
    const url = form.dataset.toggleUrl;
    const button = form.querySelector('button[aria-pressed]');
    const pressed = button.getAttribute('aria-pressed') === 'true';
    try {
      const answer = await (await send(url, { method: pressed ? 'DELETE' : 'POST' })).json();
      for (const other of document.querySelectorAll(`form[data-toggle-url="${CSS.escape(url)}"]`)) show(other, answer);
    } catch {
      form.dataset.plain = 'yes';
      form.requestSubmit(button);
    } finally {
      delete form.dataset.busy;
    }
  }, true);
}

function show(form, { pressed, count }) {
  const button = form.querySelector('button[aria-pressed]');
  button.setAttribute('aria-pressed', pressed ? 'true' : 'false');
  form.querySelector('[data-toggle-label]').textContent = pressed ? button.dataset.on : button.dataset.off;
  form.action = form.dataset.toggleUrl + (pressed ? '?_method=DELETE' : '');
  const number = form.querySelector('[data-toggle-count]');
  if (number && count !== null && count !== undefined) {
    number.textContent = count.toLocaleString(document.documentElement.lang || 'en');
    number.parentElement.hidden = !count;
  }
}

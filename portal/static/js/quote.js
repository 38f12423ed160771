// a[data-quote]: puts the quotation of a post, from that address as {"markdown"}, into the composer that is on the
// page, at the end of its text. Where there is none, or it fails, the link leads to the composer's own page.

import { send } from './http.js';
import { replace } from './text.js';

export function start() {
  const text = document.querySelector('#reply')?.closest('section')?.querySelector('[data-composer] textarea');
  if (!text) return;
  document.addEventListener('click', async (event) => {
    const link = event.target.closest('a[data-quote]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    try {
      const { markdown } = await (await send(link.dataset.quote)).json();
      const before = text.value.trimEnd();
      replace(text, before.length, text.value.length, (before ? '\n\n' : '') + markdown);
      text.scrollIntoView({ block: 'center' });
    } catch {
      location.assign(link.href);
    }
  });
}

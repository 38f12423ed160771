// What is being written in private ([data-private-draft="<member>:<place>"]) is kept in this tab alone, and gone with
// it: it survives a reload and an ended session, and never reaches the server before it is sent. It goes once the
// page that shows it as sent is there ([data-private-arrival]), and when the request is declined or the conversation
// left; on signing out all of it goes (sign-out.js), and what another member wrote when one writes here oneself.

const KEPT = 'candor.private:';
const SENT = 'candor.private-sent';
const ENDED = /^\/conversations\/([^/]+)\/(refusal|departure|blocks)\b/;

export function start() {
  try {
    const forms = [...document.querySelectorAll('form[data-private-draft]')];
    forgetWhatArrived(forms);
    for (const form of forms) watch(form);
    document.addEventListener('submit', (event) => {
      const ended = (event.target.getAttribute('action') || '').match(ENDED);
      if (ended) forget((key) => key.endsWith(`:${ended[1]}`));
    });
  } catch {
    // a browser that keeps nothing: the text stays in the form
  }
}

function forgetWhatArrived(forms) {
  const sent = sessionStorage.getItem(SENT);
  if (!sent) return;
  const again = forms.some((form) => form.dataset.privateDraft === sent);
  const refused = document.querySelector('[data-kept]') !== null;
  const arrived = again ? location.hash === '#end' : document.querySelector('[data-private-arrival]') !== null;
  if (arrived && !refused) sessionStorage.removeItem(KEPT + sent);
  // Elsewhere nothing is known yet: whoever was signed out meanwhile signs in first.
  if (arrived || again || refused) sessionStorage.removeItem(SENT);
}

function watch(form) {
  const text = form.querySelector('textarea');
  if (!text) return;
  const place = form.dataset.privateDraft;
  const own = `${KEPT}${place.split(':')[0]}:`;
  forget((key) => !key.startsWith(own));
  const kept = sessionStorage.getItem(KEPT + place);
  if (kept && !text.value.trim()) text.value = kept;
  text.addEventListener('input', () => sessionStorage.setItem(KEPT + place, text.value));
  form.addEventListener('submit', () => sessionStorage.setItem(SENT, place));
}

function forget(which) {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(KEPT) && which(key)) sessionStorage.removeItem(key);
  }
}

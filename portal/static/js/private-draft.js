// What is being written in private ([data-private-draft]) is kept in this tab alone, and gone with it: it survives a
// reload and an ended session, and never reaches the server before it is sent.

export function start() {
  for (const form of document.querySelectorAll('form[data-private-draft]')) watch(form);
}

function watch(form) {
  const text = form.querySelector('textarea');
  if (!text) return;
  const place = `candor.private:${form.dataset.privateDraft}`;
  try {
    const arrived = sessionStorage.getItem(`${place}:sent`) && location.hash === '#end';
    sessionStorage.removeItem(`${place}:sent`);
    if (arrived) sessionStorage.removeItem(place);
    const kept = sessionStorage.getItem(place);
    if (kept && !text.value.trim()) text.value = kept;
    text.addEventListener('input', () => sessionStorage.setItem(place, text.value));
    form.addEventListener('submit', () => sessionStorage.setItem(`${place}:sent`, '1'));
  } catch {
    // a browser that keeps nothing: the text stays in the form
  }
}

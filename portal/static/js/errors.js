// A failed form: [data-error-summary] takes the focus, its links lead into their fields.

export function start() {
  const summary = document.querySelector('[data-error-summary]');
  if (!summary) return;
  summary.focus();
  summary.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#"]');
    const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    const control = field.matches('input, select, textarea') ? field : field.querySelector('input, select, textarea') ?? field;
    control.focus();
    control.closest('.field')?.scrollIntoView({ block: 'nearest' });
  });
}

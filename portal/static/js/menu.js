// <details data-menu>: closes on Escape (the focus goes back to its word), on a click outside, when another
// opens, and when the focus leaves it; opens to the side on which there is room.

const EDGE = 8; // pixels to the side of the window

export function start() {
  document.addEventListener('toggle', onToggle, true); // toggle does not bubble
  document.addEventListener('click', (event) => closeAllBut(event.target.closest('details[data-menu]')));
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    const menu = event.target.closest?.('details[data-menu][open]') ?? document.querySelector('details[data-menu][open]');
    if (!menu) return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });
  document.addEventListener('focusin', (event) => {
    const menu = document.querySelector('details[data-menu][open]');
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
}

function onToggle(event) {
  const menu = event.target;
  if (!menu.matches('details[data-menu]')) return;
  menu.classList.remove('menu--start', 'menu--up');
  if (!menu.open) return;
  closeAllBut(menu);
  const panel = menu.querySelector('.menu__panel');
  panel.style.translate = '';
  if (panel.getBoundingClientRect().left < 0) menu.classList.add('menu--start');
  const place = panel.getBoundingClientRect();
  const over = Math.min(place.right - document.documentElement.clientWidth + EDGE, place.left - EDGE);
  if (over > 0) panel.style.translate = `${-over}px`; // wide enough for neither side
  const room = menu.getBoundingClientRect().top;
  if (place.bottom > innerHeight && room > place.height) menu.classList.add('menu--up');
}

function closeAllBut(kept) {
  for (const menu of document.querySelectorAll('details[data-menu][open]')) {
    if (menu !== kept && !menu.contains(kept)) menu.open = false;
  }
}

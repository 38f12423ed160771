// [data-keep-in-view]: a row of links that scrolls sideways shows the current one.

export function start() {
  for (const row of document.querySelectorAll('[data-keep-in-view]')) {
    const here = row.querySelector('[aria-current]');
    if (here) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  }
}

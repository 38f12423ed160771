// Starts each behaviour that the page has use for, found by its data-attribute. Every page works without.

import { start as startErrors } from './errors.js';
import { start as startForms } from './forms.js';
import { start as startKeys } from './keys.js';
import { start as startMenus } from './menu.js';
import { start as startSignOut } from './sign-out.js';
import { start as startTimes } from './time.js';

const LATER = [
  ['[data-composer]', () => import('./composer.js')],
  ['a[data-quote]', () => import('./quote.js')],
  ['[data-toggle-url]', () => import('./toggle.js')],
  ['[data-similar]', () => import('./similar.js')],
  ['[data-theme-switch]', () => import('./theme.js')],
  ['select[data-says]', () => import('./says.js')],
  ['[data-keep-in-view]', () => import('./in-view.js')],
  ['[data-filter-form]', () => import('./filter.js')],
  ['form[data-private-draft], [data-private-arrival], form[action$="/departure"], [data-kept]', () => import('./private-draft.js')],
  ['[data-decision]', () => import('./decision.js')],
  ['[data-kept]', () => import('./autosave.js').then((module) => ({ start: module.doubtWhatWasSent }))],
];

document.documentElement.classList.add('has-script');
startErrors();
startForms();
startMenus();
startTimes();
startKeys();
startSignOut();
for (const [selector, load] of LATER) {
  if (document.querySelector(selector)) load().then((module) => module.start());
}

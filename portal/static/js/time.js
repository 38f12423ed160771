// <time datetime data-time="ago|stamp|hour|until">: shown in the reader's zone (body[data-zone] of a member, else
// the browser's); "ago" moves on while the page stays open. Without a script the server's words stand.

import { word } from './words.js';

const locale = document.documentElement.lang === 'en' ? 'en-GB' : document.documentElement.lang || undefined;
let zone = document.body.dataset.zone;

const format = (moment, options) => {
  try {
    return new Intl.DateTimeFormat(locale, { timeZone: zone || undefined, ...options }).format(moment);
  } catch {
    zone = ''; // a zone this browser does not know
    return new Intl.DateTimeFormat(locale, options).format(moment);
  }
};

// The calendar day in the reader's zone, as a number to subtract.
const dayOf = (moment) => {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: zone || undefined, year: 'numeric', month: '2-digit', day: '2-digit' });
  return Date.parse(day.format(moment));
};
const hourOf = (moment) => format(moment, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const dateOf = (moment, now) => {
  const year = format(moment, { year: 'numeric' }) === format(now, { year: 'numeric' }) ? {} : { year: 'numeric' };
  return format(moment, { day: 'numeric', month: 'short', ...year });
};

export function relative(moment, now = new Date()) {
  const seconds = (now - moment) / 1000;
  if (seconds < -60) return dateOf(moment, now);
  if (seconds < 60) return word('just-now', 'just now');
  if (seconds < 3600) return word('min-ago', '{n} min ago', { n: Math.floor(seconds / 60) });
  const days = Math.round((dayOf(now) - dayOf(moment)) / 86400000);
  if (days === 0 || seconds < 6 * 3600) return word('h-ago', '{n} h ago', { n: Math.floor(seconds / 3600) });
  if (days === 1) return word('yesterday', 'yesterday');
  if (days < 7) return word('days-ago', '{n} days ago', { n: days });
  return dateOf(moment, now);
}

export const hour = hourOf;

function show(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const now = new Date();
  const kind = element.dataset.time;
  if (kind === 'ago') element.textContent = relative(moment, now);
  if (kind === 'stamp') element.textContent = `${dateOf(moment, now)}, ${hourOf(moment)}`;
  if (kind === 'hour') element.textContent = hourOf(moment);
  element.title = format(moment, {
    weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short',
  });
}

export function start() {
  for (const element of document.querySelectorAll('time[data-time]')) show(element);
  setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll('time[data-time="ago"]')) show(element);
  }, 60000);
}

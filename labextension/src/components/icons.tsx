import { LabIcon } from '@jupyterlab/ui-components';

const svg = (shapes: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">${shapes}</svg>`;

const icon = (name: string, shapes: string): LabIcon =>
  new LabIcon({ name: `mlops-jupyter:${name}`, svgstr: svg(shapes) });

/** Three steps, the first flowing into the other two. `jp-icon3` takes the side bar's colour of the theme. */
export const panelIcon = icon(
  'panel',
  '<g class="jp-icon3" fill="#616161"><circle cx="3.5" cy="8" r="2"/><circle cx="12.5" cy="3.5" r="2"/>' +
    '<circle cx="12.5" cy="12.5" r="2"/><path d="M5 7.2 10.4 3.6l.6 1L6 8l5 3.4-.6 1L5 8.8z"/></g>'
);

const DISC =
  '<circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5"/>';

export const checkIcon = icon(
  'check',
  `${DISC}<path d="m5 8.2 2.1 2.1L11.2 6" fill="none" stroke="currentColor" stroke-width="1.6"/>`
);
export const crossIcon = icon(
  'cross',
  `${DISC}<path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8" fill="none" stroke="currentColor" stroke-width="1.6"/>`
);
export const clockIcon = icon(
  'clock',
  `${DISC}<path d="M8 4.6V8l2.4 1.6" fill="none" stroke="currentColor" stroke-width="1.5"/>`
);
export const storeIcon = icon(
  'store',
  '<g fill="none" stroke="currentColor" stroke-width="1.5"><ellipse cx="8" cy="4" rx="5.25" ry="2.25"/>' +
    '<path d="M2.75 4v8c0 1.24 2.35 2.25 5.25 2.25s5.25-1.01 5.25-2.25V4"/>' +
    '<path d="M2.75 8c0 1.24 2.35 2.25 5.25 2.25S13.25 9.24 13.25 8"/></g>'
);
export const dottedIcon = icon(
  'dotted',
  '<circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2 2.36"/>'
);
export const stopIcon = icon(
  'stop',
  `${DISC}<path d="m4 12 8-8" fill="none" stroke="currentColor" stroke-width="1.5"/>`
);
export const ringIcon = icon(
  'ring',
  '<g fill="none" stroke="currentColor" stroke-width="1.5"><circle cx="8" cy="8" r="6.25" opacity=".3"/>' +
    '<path d="M8 1.75a6.25 6.25 0 0 1 6.25 6.25"/></g>'
);

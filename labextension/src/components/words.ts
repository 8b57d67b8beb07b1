/** Texts for values, times and names as people read them. */

const MOST_DIGITS = 5;

/** A metric's value, short: 0.91, 12.346, 1.2e-7, NaN, ∞. */
export function showNumber(value: number | string): string {
  const number = Number(value);
  if (Number.isNaN(number)) {
    return 'NaN';
  }
  if (!Number.isFinite(number)) {
    return number > 0 ? '∞' : '−∞';
  }
  const size = Math.abs(number);
  if (number !== 0 && (size < 1e-4 || size >= 1e7)) {
    return number.toExponential(3).replace(/\.?0+e/, 'e');
  }
  return Number.isInteger(number)
    ? String(number)
    : String(Number(number.toPrecision(MOST_DIGITS)));
}

/** A time of today as 14:03, of another day with its date. `now` and `seconds` since the epoch. */
export function showMoment(seconds: number, now: number = Date.now() / 1000): string {
  const moment = new Date(seconds * 1000);
  const today = new Date(now * 1000).toDateString() === moment.toDateString();
  return today
    ? moment.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    : moment.toLocaleString([], {
        month: 'short',
        day: 'numeric',
        hour: '2-digit',
        minute: '2-digit'
      });
}

/** A duration: 12 ms, 1.3 s, 2 min 5 s. */
export function showSeconds(seconds: number): string {
  if (seconds < 1) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 60) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `1 cell`, `2 cells`. */
export function showCount(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

const FILE = '~file:';

/** Whether a variable of a step is one that the user never named. Files count as named, though not as variables. */
export function isHidden(variable: string): boolean {
  return variable.startsWith('~') && !variable.startsWith(FILE);
}

/** The label of a variable: hidden ones (`~numpy.random`, `~file:PATH`) in words. */
export function showVariable(variable: string): string {
  if (variable.startsWith(FILE)) {
    return variable.slice(FILE.length);
  }
  if (!isHidden(variable)) {
    return variable;
  }
  const [kind, ...rest] = variable.slice(1).split(':');
  const detail = rest.join(':');
  switch (kind) {
    case 'environ':
      return `$${detail}`;
    case 'cwd':
      return 'working folder';
    case 'random':
    case 'numpy.random':
    case 'torch.random':
      return `${kind} state`;
    default:
      return kind.replace('.', ' ');
  }
}

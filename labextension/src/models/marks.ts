/** The text rules of step cells: `%%pipeline NAME` at the top, alone or among our other header lines. */

const HEADER = /^%%(pipeline|track)(?:[ \t]+(.*))?$/;
const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;

// Python's hard keywords: the name of a step becomes the name of a function.
const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' ')
);

/** Return the name of the step that a cell belongs to, or null. */
export function stepOf(source: string): string | null {
  const line = pipelineLine(source.split('\n'));
  return line === null ? null : line.name;
}

/** Return a cell's source with its step renamed or added; the rest of its header is kept. */
export function markStep(source: string, name: string): string {
  const lines = source.split('\n');
  const line = pipelineLine(lines);
  if (line === null) {
    return `%%pipeline ${name}\n${source}`;
  }
  lines[line.index] = ['%%pipeline', name, line.rest].filter(Boolean).join(' ');
  return lines.join('\n');
}

/** Return why a text cannot be the name of a step, or null if it can. */
export function whyNoName(name: string): string | null {
  if (NAME.test(name) && !KEYWORDS.has(name)) {
    return null;
  }
  return `A step is named like a Python function: letters, digits and _, not ${JSON.stringify(name)}.`;
}

interface IPipelineLine {
  readonly index: number;
  readonly name: string | null;
  readonly rest: string;
}

function pipelineLine(lines: readonly string[]): IPipelineLine | null {
  const first = lines.findIndex(line => line.trim() !== '');
  for (let index = Math.max(first, 0); index < lines.length; index++) {
    const match = HEADER.exec(lines[index].trimEnd());
    if (match === null) {
      return null;
    }
    if (match[1] === 'pipeline') {
      const words = (match[2] ?? '').trim().split(/\s+/);
      const named = words[0] !== '' && !words[0].startsWith('-');
      return {
        index,
        name: named ? words[0] : null,
        rest: words.slice(named ? 1 : 0).join(' ')
      };
    }
  }
  return null;
}

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const sheets = readdirSync('style').filter(file => file.endsWith('.css'));

describe('style', () => {
  it.each(sheets)('%s takes its colours from the theme', file => {
    const css = readFileSync(`style/${file}`, 'utf8');
    const colours = css.match(
      /#[0-9a-f]{3,8}\b|\b(rgb|hsl)a?\(|:[^;{]*\b(white|black|red|green|grey|gray)\b/gi
    );
    expect(colours).toBeNull();
  });

  it('puts every sheet in the index', () => {
    const index = readFileSync('style/index.css', 'utf8');
    const imported = [...index.matchAll(/url\('(.+?)'\)/g)].map(found => found[1]);
    expect([...imported, 'index.css'].sort()).toEqual([...sheets].sort());
  });
});

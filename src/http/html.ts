/** Text that stands in HTML: everything that is not written here as markup is escaped. */
export interface Html {
  readonly markup: string;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

type Part = string | number | Html | readonly Html[];

/** A template whose values are escaped unless they are `Html` themselves. */
export function html(template: TemplateStringsArray, ...parts: Part[]): Html {
  const markup = template.reduce((text, literal, i) => {
    const part = parts[i - 1];
    return text + (part === undefined ? '' : markupOf(part)) + literal;
  });
  return { markup };
}

function markupOf(part: Part): string {
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return 'markup' in part ? part.markup : part.map((one) => one.markup).join('');
}

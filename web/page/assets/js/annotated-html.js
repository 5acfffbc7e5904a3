/** A text with its entities marked, as an HTML page of its own: no script, nothing loaded, fit for a printer. */

import { sortTypes, typeClass } from "./types.js";

/**
 * How each type is marked: ink, paper, and the underline that it has on the farm's page too. No two underlines are
 * alike, so a black-and-white print tells them apart; each ink is readable on its paper and on white.
 */
const MARKS = {
  per: ["#b3001e", "#ffe3e6", "solid 2px"],
  loc: ["#00606f", "#d9f6fa", "dashed 2px"],
  org: ["#6b5200", "#fff3bf", "double 1px"],
  company: ["#8a3b00", "#ffe8d6", "dotted 4px"],
  gov: ["#1a3fa0", "#e0e8ff", "solid 5px"],
  scene: ["#00602b", "#ddf5e3", "wavy 2px"],
  time: ["#3b4a52", "#e6ecef", "dotted 2px"],
  money: ["#2a5e00", "#e4f4d7", "double 3px"],
  title: ["#6a1b9a", "#f0e1f7", "dashed 1px"],
  product: ["#93006f", "#fbdff3", "dashed 4px"],
  work: ["#5b4636", "#efe6df", "wavy 1px"],
  game: ["#3d3d9e", "#e3e3fa", "wavy 3px"],
  other: ["#444444", "#e9e9e9", "solid 1px"],
};
const STYLE = `
:root { color-scheme: light; }
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; background: #fff; color: #111;
  font: 1rem/2 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.25rem; line-height: 1.4; margin: 0; overflow-wrap: anywhere; }
.model { margin: 0; color: #555; font-size: .875rem; }
.error { color: #b3001e; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 1rem 0; padding: 0; list-style: none; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
mark { padding: .1em .15em; border-radius: .2em; color: inherit; text-underline-offset: .2em; unicode-bidi: isolate;
  -webkit-box-decoration-break: clone; box-decoration-break: clone;
  -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.text mark::after { content: attr(data-label); display: inline-block; margin-inline-start: .25em;
  font: 700 .625rem/1 system-ui, sans-serif; unicode-bidi: isolate; }
${Object.entries(MARKS)
  .map(
    ([name, [ink, paper, line]]) =>
      `mark.entity-${name} { background: ${paper}; text-decoration: underline ${line} ${ink}; }\n` +
      `mark.entity-${name}::after { color: ${ink}; }`,
  )
  .join("\n")}
@media print { body { max-width: none; margin: 0; padding: 0; } }
`;
const ESCAPES = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  // HTML would make a line feed of it, and the text one character shorter where one follows.
  "\r": "&#13;",
  // HTML drops it.
  "\0": "\ufffd",
};

/**
 * The page. Its text is the run's, character for character: a type's label is drawn by the style sheet and is not
 * copied along. Only NUL and half a surrogate pair, which no page can hold, become U+FFFD.
 * @param {import("./export.js").Run} run
 * @param {Record<string, string>} labels what each type is called; its own name where there is none
 * @returns {string}
 */
export function asHtml({ text, entities, model, counts, error }, labels) {
  const legend = sortTypes(Object.keys(counts)).map((type) => {
    return `<li><mark class="${typeClass(type)}">${escaped(nameOf(type, labels))}</mark> ${counts[type]}</li>`;
  });
  return `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RaNER Farm</title>
<style>${STYLE}</style>
</head>
<body>
<h1>RaNER Farm</h1>
<p class="model">${escaped(model)}</p>${error === undefined ? "" : `\n<p class="error">${escaped(error)}</p>`}
<ul class="legend">${legend.join("")}</ul>
<div class="text">${marked(text, entities, labels)}</div>
</body>
</html>
`;
}

function marked(
  /** @type {string} */ text,
  /** @type {import("./job.js").Entity[]} */ entities,
  /** @type {Record<string, string>} */ labels,
) {
  const parts = [];
  let place = 0;
  for (const { type, start, end, score } of entities) {
    const title = `${nameOf(type, labels)} · ${(score * 100).toFixed(1)}%`;
    parts.push(
      escaped(text.slice(place, start)),
      `<mark class="${typeClass(type)}" data-label="${escaped(type)}" title="${escaped(title)}">`,
      escaped(text.slice(start, end)),
      "</mark>",
    );
    place = end;
  }
  parts.push(escaped(text.slice(place)));
  return parts.join("");
}

function nameOf(/** @type {string} */ type, /** @type {Record<string, string>} */ labels) {
  return Object.hasOwn(labels, type) ? labels[type] : type;
}

function escaped(/** @type {string} */ text) {
  return text.toWellFormed().replace(/[&<>"'\r\0]/g, (character) => ESCAPES[character]);
}

/** An XML document as a sequence of tags and texts; as much of XML as programs write into office documents. */

import { FileProblem } from "./file-problem.js";

const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const LAST_CODE_POINT = 0x10ffff;
/** What has no tags in it that count, with what ends it. The longer beginnings come first. */
const OPAQUE = [
  ["<!--", "-->"],
  ["<?", "?>"],
  ["<!", ">"],
];
const CDATA = ["<![CDATA[", "]]>"];

/**
 * @typedef {{kind: "open"|"close", name: string, attributes: string} | {kind: "text", text: string}} Token
 *   `name` is without its prefix, which is for each document to choose; an empty element is opened and closed
 */

/**
 * The tags and texts of a document, in order.
 * @param {string} xml
 * @returns {Generator<Token>}
 * @throws {FileProblem} a tag has no end, or ends what is not open
 */
export function* xmlTokens(xml) {
  const open = [];
  for (let at = 0; at < xml.length; ) {
    if (xml[at] !== "<") {
      const end = xml.indexOf("<", at);
      const text = xml.slice(at, end < 0 ? xml.length : end);
      yield { kind: "text", text: unescaped(text) };
      at += text.length;
    } else if (xml.startsWith(CDATA[0], at)) {
      const end = endOf(xml, CDATA[1], at);
      yield { kind: "text", text: xml.slice(at + CDATA[0].length, end - CDATA[1].length) };
      at = end;
    } else {
      const opaque = OPAQUE.find(([start]) => xml.startsWith(start, at));
      const end = opaque ? endOf(xml, opaque[1], at) : tagEnd(xml, at);
      if (!opaque) yield* tagTokens(xml.slice(at + 1, end - 1), open);
      at = end;
    }
  }
  if (open.length > 0) throw new FileProblem("file.broken");
}

/**
 * The value of an attribute, or undefined.
 * @param {string} attributes as in a token
 * @param {string} name with its prefix
 */
export function attribute(attributes, name) {
  const [, double, single] = attributes.match(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`) ?? [];
  const value = double ?? single;
  return value === undefined ? undefined : unescaped(value);
}

function* tagTokens(/** @type {string} */ tag, /** @type {string[]} */ open) {
  if (tag.startsWith("/")) {
    const name = localName(tag.slice(1).trimEnd());
    if (open.pop() !== name) throw new FileProblem("file.broken");
    yield { kind: "close", name, attributes: "" };
    return;
  }
  const isEmpty = tag.endsWith("/");
  const nameEnd = tag.search(/[\s/]|$/);
  const name = localName(tag.slice(0, nameEnd));
  yield { kind: "open", name, attributes: tag.slice(nameEnd, isEmpty ? -1 : undefined) };
  if (isEmpty) yield { kind: "close", name, attributes: "" };
  else open.push(name);
}

function localName(/** @type {string} */ name) {
  return name.slice(name.indexOf(":") + 1);
}

/** The place behind a tag; an attribute's value may hold a `>`. */
function tagEnd(/** @type {string} */ xml, /** @type {number} */ start) {
  for (let at = start; at < xml.length; at += 1) {
    const character = xml[at];
    if (character === ">") return at + 1;
    if (character === '"' || character === "'") at = endOf(xml, character, at + 1) - 1;
  }
  throw new FileProblem("file.broken");
}

function endOf(/** @type {string} */ xml, /** @type {string} */ mark, /** @type {number} */ start) {
  const at = xml.indexOf(mark, start);
  if (at < 0) throw new FileProblem("file.broken");
  return at + mark.length;
}

/** References replaced; one that a DTD would have to explain stays as it is. */
function unescaped(/** @type {string} */ text) {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|(\w+));/gi, (reference, hexadecimal, decimal, name) => {
    if (name) return Object.hasOwn(NAMED, name) ? NAMED[name] : reference;
    const code = hexadecimal ? parseInt(hexadecimal, 16) : parseInt(decimal, 10);
    return code <= LAST_CODE_POINT ? String.fromCodePoint(code) : "\ufffd";
  });
}

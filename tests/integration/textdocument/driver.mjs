// Applies edits with the reference implementation: one JSON object a line in, one out.
//
// In:  {text, changes: [{range?, text}], probes: [{line, character}]}
// Out: {steps, batch, lineStarts, positions, offsets}
//   steps       the text after each change, each made on a document of its own
//   batch       the text after all changes made with one call of update
//   lineStarts  of the final text, in UTF-16 units
//   positions   of every offset of the final text, from 0 up to its length
//   offsets     of the probes in the final text

import { createInterface } from "node:readline";
import { TextDocument } from "vscode-languageserver-textdocument";

const create = (text) => TextDocument.create("file:///x", "python", 1, text);

function answer({ text, changes, probes }) {
  const steps = [];
  let current = text;
  for (const change of changes) {
    current = TextDocument.update(create(current), [change], 2).getText();
    steps.push(current);
  }
  const batch = TextDocument.update(create(text), changes, 2).getText();
  const final = create(current);
  return {
    steps,
    batch,
    lineStarts: Array.from({ length: final.lineCount }, (_, line) => final.offsetAt({ line, character: 0 })),
    positions: Array.from({ length: current.length + 1 }, (_, offset) => final.positionAt(offset)),
    offsets: probes.map((probe) => final.offsetAt(probe)),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
}

// Writes the server's settings into package.json: aiops-lsp config schema | node scripts/settings.mjs [--check]
//
// With --check nothing is written; it fails when package.json says something else than the schema.
import { readFileSync, writeFileSync } from "node:fs";

const manifestFile = new URL("../package.json", import.meta.url);
const schema = JSON.parse(readFileSync(0, "utf8"));
const manifest = JSON.parse(readFileSync(manifestFile, "utf8"));

// What the server takes from its user's file and environment only, never from an editor.
const NOT_FROM_EDITORS = new Set(["providers", "prices", "privacy.allow_hosts"]);

// What may differ by folder: it neither runs code, nor redirects, nor spends. Everything else is the machine's.
const BY_FOLDER = new Set([
  "review.enabled", // a workspace can switch off, not on
  "review.ignore", // a workspace can add
  "review.min_confidence",
  "review.min_severity",
  "review.language",
  "rules.enabled",
  "rules.severity",
]);

const OWN = {
  title: "Server",
  properties: {
    "aiops.server.path": {
      type: "string",
      default: "",
      scope: "machine",
      markdownDescription:
        "Path of the program `aiops-lsp`. Empty: the one of the workspace's Python environment, on `PATH`, or in an environment of the extension's own.",
    },
    "aiops.trace.server": {
      type: "string",
      enum: ["off", "messages", "compact", "verbose"],
      enumDescriptions: ["Nothing.", "Names of messages.", "Messages in few words.", "Whole messages, source code included."],
      default: "messages",
      scope: "window",
      markdownDescription:
        "What of the messages to and from the server the log holds while its level is *Trace* (command *Developer: Set Log Level...*).",
    },
    "aiops.codeLens.enabled": {
      type: "boolean",
      default: false,
      scope: "resource",
      markdownDescription: "Show at the top of each file how much of it is reviewed.",
    },
  },
};

const TITLES = { models: "Models", privacy: "Privacy", review: "Review", budget: "Budget", limits: "Limits", cache: "Cache", rules: "Rules", instructions: "Instructions" };

function camelCase(name) {
  return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

function resolved(node) {
  if (node.$ref === undefined) {
    return node;
  }
  const { $ref, ...rest } = node;
  return { ...schema.$defs[$ref.split("/").pop()], ...rest };
}

/** A node of the schema without what VS Code does not read. */
function plain(node) {
  const { title: _title, ...kept } = resolved(node);
  for (const name of ["items", "additionalProperties"]) {
    if (typeof kept[name] === "object") {
      kept[name] = plain(kept[name]);
    }
  }
  if (kept.properties !== undefined) {
    kept.properties = Object.fromEntries(Object.entries(kept.properties).map(([name, one]) => [name, plain(one)]));
  }
  return kept;
}

function setting(path, node) {
  const { description, default: byDefault, ...rest } = plain(node);
  const scope = BY_FOLDER.has(path) ? "resource" : "machine";
  const fallback = byDefault ?? (rest.type === "object" ? {} : byDefault);
  return { ...rest, default: fallback, scope, markdownDescription: description };
}

function sections() {
  const found = [];
  for (const [name, reference] of Object.entries(schema.properties)) {
    if (NOT_FROM_EDITORS.has(name)) {
      continue;
    }
    const section = resolved(reference);
    const properties = {};
    if (section.type === "object") {
      for (const [option, node] of Object.entries(section.properties)) {
        if (!NOT_FROM_EDITORS.has(`${name}.${option}`)) {
          properties[`aiops.${name}.${camelCase(option)}`] = setting(`${name}.${option}`, node);
        }
      }
    } else {
      properties[`aiops.${name}`] = setting(name, section);
    }
    found.push({ title: TITLES[name] ?? name, properties });
  }
  return found;
}

const configuration = [...sections(), OWN];
// In a workspace that is not trusted nothing of it counts.
const restricted = configuration.flatMap((section) => Object.keys(section.properties)).filter((name) => name !== "aiops.codeLens.enabled");
const updated = structuredClone(manifest);
updated.contributes.configuration = configuration;
updated.capabilities.untrustedWorkspaces.restrictedConfigurations = restricted;

if (!process.argv.includes("--check")) {
  writeFileSync(manifestFile, JSON.stringify(updated, null, 2) + "\n");
} else if (JSON.stringify(updated) !== JSON.stringify(manifest)) {
  console.error("package.json does not say what the server's schema says: run npm run settings");
  process.exitCode = 1;
}

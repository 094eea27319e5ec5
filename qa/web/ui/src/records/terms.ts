// Words of the contract: kinds, fields and their words. A word that a site made up shows as it is.
import { useMemo } from "react";
import { useWords, type Language } from "../words.tsx";
import en from "./contract.en.json";
import ko from "./contract.ko.json";
import zh from "./contract.zh-CN.json";

type Family = Record<string, string>;
type Tree = { kinds: Family; fields: Family; values: Family; units: Family };
const TREES: Record<Language, Tree> = { "zh-CN": zh, ko, en };

export interface Terms {
  kind: (kind: string) => string;
  field: (name: string) => string;
  value: (field: string, value: string) => string;
  unit: (unit: string) => string;
}

const spaced = (word: string) => word.replaceAll("_", " ");

export function useTerms(): Terms {
  const { language } = useWords();
  return useMemo(() => {
    const tree = TREES[language];
    return {
      kind: (kind) => tree.kinds[kind] ?? spaced(kind),
      field: (name) => name.split(".").map((one) => tree.fields[one] ?? spaced(one)).join(" · "),
      value: (field, value) => tree.values[`${field}.${value}`] ?? tree.values[value] ?? value,
      unit: (unit) => tree.units[unit] ?? unit,
    };
  }, [language]);
}

// All words that a reader sees, from three catalogues with the same keys.
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import type { Titles } from "./api.ts";
import en from "./words/en.json";
import ko from "./words/ko.json";
import zh from "./words/zh-CN.json";

export type Key = keyof typeof en;
export type Language = "zh-CN" | "ko" | "en";
type Values = Record<string, string | number>;

const CATALOGUES: Record<Language, Record<Key, string>> = { "zh-CN": zh, ko, en };
export const LANGUAGES: [Language, string][] = [
  ["zh-CN", "中文"],
  ["ko", "한국어"],
  ["en", "English"],
];
const STORED = "seatwatch.language";

export interface Words {
  language: Language;
  setLanguage: (language: Language) => void;
  t: (key: Key, values?: Values) => string;
  /** The word of one member of a family, such as cause.gap; a member that is new to the catalogue shows as it is. */
  term: (family: string, member: string | null | undefined) => string;
  known: (family: string, member: string) => boolean;
  /** A title that came as data, in the reader's language or the next best. */
  titled: (title: Titles, otherwise: string) => string;
}

const Context = createContext<Words | null>(null);

function first(): Language {
  const stored = localStorage.getItem(STORED);
  const wanted = stored ? [stored] : navigator.languages;
  for (const one of wanted) {
    if (one.startsWith("zh")) return "zh-CN";
    if (one.startsWith("ko")) return "ko";
    if (one.startsWith("en")) return "en";
  }
  return "zh-CN";
}

function filled(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

export function WordsProvider({ children }: { children: ReactNode }) {
  const [language, choose] = useState<Language>(first);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const words = useMemo<Words>(() => {
    const catalogue: Record<string, string> = CATALOGUES[language];
    return {
      language,
      setLanguage: (next) => {
        localStorage.setItem(STORED, next);
        choose(next);
      },
      t: (key, values = {}) => filled(catalogue[key] ?? key, values),
      term: (family, member) => (member ? (catalogue[`${family}.${member}`] ?? member.replaceAll("_", " ")) : catalogue["none"]!),
      titled: (title, otherwise) => title[language === "zh-CN" ? "zh" : language] ?? title.en ?? title.zh ?? otherwise,
      known: (family, member) => `${family}.${member}` in catalogue,
    };
  }, [language]);
  return <Context value={words}>{children}</Context>;
}

export function useWords(): Words {
  const words = useContext(Context);
  if (!words) throw new Error("useWords stands outside of WordsProvider");
  return words;
}

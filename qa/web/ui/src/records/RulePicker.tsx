// Which clauses an observation is about: found by number, words of the clause or its title, and shown as printed.
import { Select } from "antd";
import { useEffect, useState } from "react";
import { points } from "../format.ts";
import { Trouble } from "../shell/States.tsx";
import { useWords, type Key } from "../words.tsx";
import { useRules, type ObservedRule } from "./data.ts";

interface Props {
  id: string;
  value: string[];
  onChange: (rules: string[]) => void;
  /** What may be written as points for the chosen clauses, in words. */
  onPoints: (hint: string) => void;
  wrong: boolean;
}

export function printed(rule: ObservedRule): string {
  return rule.ranges.map((one) => `${points(one.min)} … ${points(one.max)}`).join(" / ");
}

function Worth({ rule }: { rule: ObservedRule }) {
  const { t } = useWords();
  if (rule.ranges.length) return <span className="mark review">{t("rule.range", { range: printed(rule) })}</span>;
  if (rule.worth) return <span className="mark na">{t("rule.worth", { points: rule.worth })}</span>;
  if (rule.points === null) return <span className="mark na">{t("rule.nopoints")}</span>;
  return (
    <span className={rule.points.startsWith("-") ? "mark breach" : "mark met"}>
      {t("rule.each", { points: points(rule.points) })}
      {rule.assumed && <span className="assumedtag">{t("assumed")}</span>}
    </span>
  );
}

function Clause({ rule }: { rule: ObservedRule }) {
  const { t, titled } = useWords();
  return (
    <article className="clause">
      <p className="row">
        <span className="rule">{rule.rule}</span>
        <strong>{titled(rule.title, rule.rule)}</strong>
        <Worth rule={rule} />
        <small>{t(`decide.${rule.decide}` as Key)}</small>
      </p>
      <p className="cite">
        <span lang="zh">{rule.cite}</span>
      </p>
      <blockquote lang={rule.quote_ko && !/[\u4e00-\u9fff]/.test(rule.quote) ? "ko" : "zh"}>{rule.quote}</blockquote>
    </article>
  );
}

export function RulePicker({ id, value, onChange, onPoints, wrong }: Props) {
  const { t, titled } = useWords();
  const [pack, choose] = useState<string | null>(() => value[0]?.split("-")[0]?.toLowerCase() ?? null);
  const rules = useRules(pack, true);
  const all = rules.data?.items ?? [];
  const chosen = all.filter((one) => value.includes(one.rule));
  const free = chosen.filter((one) => one.ranges.length > 0 || one.worth);
  const hint = free.length
    ? free.map((one) => (one.ranges.length ? t("rule.range", { range: printed(one) }) : t("rule.worth", { points: one.worth! }))).join(" · ")
    : chosen.length
      ? t("rule.fixed")
      : "";
  useEffect(() => onPoints(hint), [hint]);
  const options = all.map((one) => ({
    value: one.rule,
    label: one.rule,
    disabled: !one.on,
    title: "",
    rule: one,
    found: `${one.rule} ${one.cite} ${one.quote} ${one.quote_ko ?? ""} ${Object.values(one.title).join(" ")}`.toLowerCase(),
  }));
  return (
    <div className="picker">
      <div className="pickrow">
        <Select
          id={id}
          aria-labelledby={`${id}-label`}
          className="wide"
          mode="multiple"
          status={wrong ? "error" : undefined}
          loading={rules.isPending}
          placeholder={t("rule.search")}
          value={value}
          onChange={(picked: string[]) => onChange(picked)}
          options={options}
          listHeight={320}
          showSearch={{ filterOption: (typed, option) => typed.toLowerCase().split(/\s+/).every((word) => option?.found.includes(word)) }}
          optionRender={({ data }) => (
            <span className="ruleoption">
              <span>
                <b>{data.rule.rule}</b> <span lang="zh">{data.rule.cite}</span> {titled(data.rule.title, "")}
              </span>
              <small>{data.rule.on ? data.rule.quote : `${t("rule.off")} ${data.rule.why ?? ""}`}</small>
            </span>
          )}
        />
        <Select
          aria-label={t("rule.pack")}
          className="w-pack"
          value={rules.data?.pack ?? pack ?? undefined}
          onChange={(next: string) => choose(next)}
          showSearch
          options={(rules.data?.packs ?? []).map((one) => ({ value: one, label: one.toUpperCase() }))}
        />
      </div>
      {rules.isError && <Trouble error={rules.error} onRetry={() => void rules.refetch()} />}
      {chosen.map((one) => (
        <Clause key={one.rule} rule={one} />
      ))}
    </div>
  );
}

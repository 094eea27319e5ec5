// Name of the site, the lists, language, live sign and keyboard help.
import { QuestionCircleOutlined, SettingOutlined } from "@ant-design/icons";
import { Button, Segmented, Tooltip } from "antd";
import type { Site } from "../api.ts";
import { useRoute } from "../route.ts";
import { LANGUAGES, useWords } from "../words.tsx";
import { follow } from "./follow.ts";

/** `live` is null on screens that say it themselves. */
export function Header({ site, live, onHelp }: { site: Site | undefined; live: boolean | null; onHelp: () => void }) {
  const { t, language, setLanguage } = useWords();
  const route = useRoute();
  const page = (on: boolean) => (on ? ("page" as const) : undefined);
  return (
    <header className="head">
      <a className="brand" href="/" onClick={follow}>
        <img src="/icon.svg" alt="" width={26} height={26} />
        <span>{t("app.name")}</span>
      </a>
      {site && <span className="site">{site.site}</span>}
      <nav aria-label={t("nav.main")}>
        <a href="/" onClick={follow} aria-current={page(route.screen === "calls" || route.screen === "call")}>
          {t("nav.calls")}
        </a>
        <a href="/board" onClick={follow} aria-current={page(route.screen === "board" || route.screen === "seat")}>
          {t("nav.board")}
        </a>
        <a href="/episodes" onClick={follow} aria-current={page(route.screen === "episodes")}>
          {t("nav.episodes")}
          {site && site.totals.episodes > 0 && <span className="count">{site.totals.episodes}</span>}
        </a>
        <a href="/captures" onClick={follow} aria-current={page(route.screen === "captures")}>
          {t("nav.captures")}
        </a>
        <a href="/records" onClick={follow} aria-current={page(route.screen === "records" || route.screen === "record")}>
          {t("nav.records")}
        </a>
        <a href="/months" onClick={follow} aria-current={page(route.screen === "month")}>
          {t("nav.month")}
        </a>
      </nav>
      <span className="stretch" />
      {live !== null && (
        <span className={live ? "pulse on" : "pulse"} role="status">
          {t(live ? "live.on" : "live.off")}
        </span>
      )}
      <Segmented
        aria-label={t("app.language")}
        size="small"
        value={language}
        onChange={setLanguage}
        options={LANGUAGES.map(([value, label]) => ({ value, label: <span lang={value}>{label}</span> }))}
      />
      <Tooltip title={t("nav.setup")}>
        <a className="gear" href="/setup" onClick={follow} aria-label={t("nav.setup")} aria-current={page(route.screen === "setup")}>
          <SettingOutlined />
        </a>
      </Tooltip>
      <Tooltip title={t("keys.open")}>
        <Button type="text" aria-label={t("keys.open")} icon={<QuestionCircleOutlined />} onClick={onHelp} />
      </Tooltip>
    </header>
  );
}

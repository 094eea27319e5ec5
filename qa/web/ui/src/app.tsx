// The frame around every screen: head, notices, the screen itself, keyboard help.
import { ConfigProvider } from "antd";
import enUS from "antd/locale/en_US";
import koKR from "antd/locale/ko_KR";
import zhCN from "antd/locale/zh_CN";
import { lazy, Suspense, useState } from "react";
import { CallsScreen } from "./calls/CallsScreen.tsx";
import { EpisodesScreen } from "./calls/EpisodesScreen.tsx";
import { NO_FILTERS, useSite, type Filters } from "./data.ts";
import { useKeys } from "./keys.ts";
import { useLive } from "./live.ts";
import { useRoute } from "./route.ts";
import { Banner } from "./shell/Banner.tsx";
import { Boundary } from "./shell/Boundary.tsx";
import { Header } from "./shell/Header.tsx";
import { KeyHelp } from "./shell/KeyHelp.tsx";
import { Trouble, Waiting } from "./shell/States.tsx";
import { styleNonce, theme } from "./theme.ts";
import { useWords } from "./words.tsx";

const BoardScreen = lazy(() => import("./board/BoardScreen.tsx"));
const WallScreen = lazy(() => import("./board/WallScreen.tsx"));
const SeatScreen = lazy(() => import("./board/SeatScreen.tsx"));
const CallScreen = lazy(() => import("./call/CallScreen.tsx"));
const RecordsScreen = lazy(() => import("./records/RecordsScreen.tsx"));
const MonthScreen = lazy(() => import("./month/MonthScreen.tsx"));
const CapturesScreen = lazy(() => import("./captures/CapturesScreen.tsx"));
const SetupScreen = lazy(() => import("./setup/SetupScreen.tsx"));
const LOCALES = { "zh-CN": zhCN, ko: koKR, en: enUS };

function Screen({ filters, setFilters }: { filters: Filters; setFilters: (filters: Filters) => void }) {
  const route = useRoute();
  const { t } = useWords();
  switch (route.screen) {
    case "calls":
      return <CallsScreen filters={filters} setFilters={setFilters} />;
    case "board":
      return <BoardScreen />;
    case "wall":
      return <WallScreen />;
    case "seat":
      return <SeatScreen key={route.seat} seat={route.seat} />;
    case "episodes":
      return <EpisodesScreen />;
    case "call":
      return <CallScreen key={route.id} id={route.id} />;
    case "records":
      return <RecordsScreen desk={route.desk} />;
    case "record":
      return <RecordsScreen key={route.id} id={route.id} />;
    case "month":
      return <MonthScreen key={route.who} route={route} />;
    case "captures":
      return <CapturesScreen day={route.day} />;
    case "setup":
      return <SetupScreen />;
    case "none":
      return <Trouble text={t("error.page")} />;
  }
}

export function App() {
  const { language, t } = useWords();
  const [help, setHelp] = useState(false);
  const [filters, setFilters] = useState<Filters>(NO_FILTERS);
  const { screen, ...rest } = useRoute();
  const onFloor = screen === "board" || screen === "wall"; // these follow a stream of their own
  const live = useLive(!onFloor);
  const site = useSite();
  const route = JSON.stringify([screen, screen === "captures" ? null : rest]);
  useKeys({ "?": () => setHelp(true) });
  return (
    <ConfigProvider locale={LOCALES[language]} theme={theme} csp={{ nonce: styleNonce }} wave={{ disabled: true }}>
      <a className="skip" href="#main">
        {t("app.skip")}
      </a>
      {screen !== "wall" && (
        <>
          <Header site={site.data} live={onFloor ? null : live} onHelp={() => setHelp(true)} />
          <Banner site={site.data} />
        </>
      )}
      <main id="main" tabIndex={-1}>
        <Boundary key={route} fallback={(error, again) => <Trouble error={error} onRetry={again} />}>
          <Suspense fallback={<Waiting />}>
            <Screen filters={filters} setFilters={setFilters} />
          </Suspense>
        </Boundary>
      </main>
      <KeyHelp open={help} onClose={() => setHelp(false)} />
    </ConfigProvider>
  );
}

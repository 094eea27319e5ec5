// What a reader must know about this installation before trusting a number on it.
import { ExperimentOutlined, LockOutlined } from "@ant-design/icons";
import type { Site } from "../api.ts";
import { useWords } from "../words.tsx";

export function Banner({ site }: { site: Site | undefined }) {
  const { t } = useWords();
  if (!site) return <div className="notices" aria-hidden="true" />;
  return (
    <div className="notices" role="note">
      <p>
        <LockOutlined aria-hidden /> <strong>{t("banner.local.title")}</strong> {t("banner.local.text")}
      </p>
      {site.synthetic_trusted && (
        <p>
          <ExperimentOutlined aria-hidden /> <strong>{t("banner.demo.title")}</strong> {t("banner.demo.text")}
        </p>
      )}
      {site.text_trusted && !site.synthetic_trusted && <p>{t("banner.trusted.text")}</p>}
    </div>
  );
}

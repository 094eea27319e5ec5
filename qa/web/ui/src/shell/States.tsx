// Waiting and failing, the same on every screen.
import { Alert, Button, Skeleton } from "antd";
import { ApiError } from "../api.ts";
import { useWords } from "../words.tsx";

export function Waiting({ rows = 6 }: { rows?: number }) {
  return (
    <div className="panel padded" aria-busy="true">
      <Skeleton active title={false} paragraph={{ rows, width: "100%" }} />
    </div>
  );
}

export function Trouble({ error, text, onRetry }: { error?: Error | null; text?: string; onRetry?: () => void }) {
  const { t } = useWords();
  const detail = error instanceof ApiError && error.status === 0 ? t("error.unreachable") : error?.message;
  return (
    <Alert
      className="trouble"
      type="error"
      showIcon
      title={text ?? t("error.load")}
      description={detail}
      action={onRetry && <Button onClick={onRetry}>{t("error.retry")}</Button>}
    />
  );
}

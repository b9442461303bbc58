package io.weft.agent.otlp;

import io.weft.agent.log.AgentLog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is sent to one path of a collector. What it does not take is said once.
 *
 * @param what for people, as in {@code metrics}
 */
public record Outlet(Collector collector, String path, String what, AgentLog log) {
    private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.[01] (\\d\\d\\d).*");

    /** @param then what follows if it fails, for people */
    public void send(String json, String then) {
        try {
            String line = collector.post(path, json.getBytes(StandardCharsets.UTF_8));
            Matcher parts = STATUS_LINE.matcher(line);
            String status = parts.matches() ? parts.group(1) : "none";
            if (!status.startsWith("2")) {
                // Under the status alone: the rest may be another each time.
                log.warnOnce("otlp " + what + ' ' + status,
                        what + " are not taken by " + collector.endpoint() + ": " + line + "; check weft.otlp.endpoint");
            }
        } catch (IOException failed) {
            log.warnOnce("otlp " + what, what + " cannot be sent to " + collector.endpoint() + ": " + failed + "; " + then);
        }
    }
}

package io.weft.controlplane.registry;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Why data planes are turned away, each reason once a minute: they come again every few seconds. What it says may be of anybody who
 * reaches the port, so it is one line, not a long one, and of a minute there are not many.
 */
public final class TurnedAwayLog {
    private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);
    static final int MOST = 1_000;
    static final int LONGEST = 600;

    private final Consumer<String> log;
    private final LongSupplier nanos;

    // Guarded by this.
    private final Set<String> said = new HashSet<>();
    private long since;

    public TurnedAwayLog(Consumer<String> log) {
        this(log, System::nanoTime);
    }

    TurnedAwayLog(Consumer<String> log, LongSupplier nanos) {
        this.log = log;
        this.nanos = nanos;
        since = nanos.getAsLong();
    }

    public void say(String reason) {
        String line = line(reason);
        if (isNew(line)) {
            log.accept(line);
        }
    }

    private synchronized boolean isNew(String line) {
        long now = nanos.getAsLong();
        if (now - since >= MINUTE_NANOS) {
            since = now;
            said.clear();
        }
        return said.size() < MOST && said.add(line);
    }

    private static String line(String reason) {
        StringBuilder line = new StringBuilder(reason.length() > LONGEST ? reason.substring(0, LONGEST) + "…" : reason);
        for (int i = 0; i < line.length(); i++) {
            if (Character.isISOControl(line.charAt(i)) || line.charAt(i) == '\u2028' || line.charAt(i) == '\u2029') {
                line.setCharAt(i, '?');
            }
        }
        return line.toString();
    }
}

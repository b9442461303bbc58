package io.weft.instrumentation.apachehttpclient5;

import java.util.concurrent.TimeUnit;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/** How long the connect that this thread is about to do may take, where the mesh has a say in it. */
final class ConnectLimit {
    private final ThreadLocal<Timeout> current = new ThreadLocal<>();

    /** Until {@link #end}, on the same thread. */
    void begin(long nanos) {
        current.set(Timeout.ofMilliseconds(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos))));
    }

    void end() {
        current.remove();
    }

    /** @param apps the app's own limit; null or not above zero: none */
    TimeValue of(TimeValue apps) {
        Timeout limit = current.get();
        if (limit == null) {
            return apps;
        }
        boolean appIsStricter = apps != null && apps.getDuration() > 0 && apps.toMilliseconds() <= limit.toMilliseconds();
        return appIsStricter ? apps : limit;
    }
}

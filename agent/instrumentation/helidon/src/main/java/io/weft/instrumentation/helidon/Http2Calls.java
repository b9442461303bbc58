package io.weft.instrumentation.helidon;

import io.helidon.webclient.spi.WebClientService;
import io.weft.instrumentation.Handler;
import java.util.function.Supplier;

/** The ends of chains that speak HTTP/2, which the app may not have. Thread-safe. */
interface Http2Calls extends CallChains {
    /** Whether the app has said that the server speaks it: else the library asks by an upgrade, and goes on over HTTP/1.1 where there is none. */
    boolean isByPriorKnowledge(WebClientService.Chain chain) throws Throwable;

    /** @param current of the thread that asks; null: none that is for the mesh */
    Handler handler(String hook, Supplier<Attempt> current);
}

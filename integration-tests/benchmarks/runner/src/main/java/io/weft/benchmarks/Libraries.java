package io.weft.benchmarks;

import io.weft.benchmarks.Pair.Window;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * {@link Overhead} of each library, with the same lean program at the other end: clients with Tomcat, servers with {@code java.net.http}.
 *
 * <p>At a fixed rate, as a service has it; beside it as fast as two threads can. Two JVMs that run the same code differ by several per cents either way, however long
 * they are measured: a figure of three per cent takes many rounds, which may be short.
 */
final class Libraries implements Benchmark {
    /** Well below what the slowest library can on two processors. */
    private static final int RATE = 4_000;

    @Override
    public String name() {
        return "libraries";
    }

    @Override
    public String summary() {
        return "overhead of each client and server library, some three minutes each; --library says of which";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        MeasuredLibrary.each(settings, library -> figures.accept(figure(settings, library)));
    }

    private Figure figure(Settings settings, MeasuredLibrary library) throws Exception {
        int requests = Overhead.requests(settings);
        SideBySide paced = new SideBySide();
        SideBySide flatOut = new SideBySide();
        Overhead.measure(settings, library.apps(), settings.rounds(5, 1), (off, on) -> {
            flatOut.round(1, () -> off.send(requests), () -> on.send(requests));
            off.send(requests, RATE);
            on.send(requests, RATE);
            paced.round(1, () -> off.send(requests, RATE), () -> on.send(requests, RATE));
        });
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("library", library.title());
        detail.put("side", library.side.name().toLowerCase(Locale.ROOT));
        detail.put("clientRatio", Distribution.round(paced.ratios(Window::clientMicros).median(), 3));
        detail.put("serverRatio", Distribution.round(paced.ratios(Window::serverMicros).median(), 3));
        detail.put("flatOutRatio", Distribution.round(flatOut.ratios(Window::cpuMicros).median(), 3));
        return paced.figure(name(), Overhead.BUDGET, "cpuMicrosPerRequestOff", detail);
    }
}

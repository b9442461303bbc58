package io.weft.benchmarks;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * {@link AgentShare} of each library, with the same lean program at the other end, as fast as two threads can. Unlike {@link Libraries} it is done in minutes and
 * can be measured beside other work; but it is not all of what the agent costs.
 */
final class Share implements Benchmark {
    private static final double BUDGET_PERCENT = 3;

    @Override
    public String name() {
        return "share";
    }

    @Override
    public String summary() {
        return "of the CPU of each client and server library, how much is the agent's own code; --library says of which";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        MeasuredLibrary.each(settings, library -> figures.accept(figure(settings, library)));
    }

    private Figure figure(Settings settings, MeasuredLibrary library) throws Exception {
        AgentShare.OfPair share = AgentShare.measure(settings, library.apps());
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("library", library.title());
        detail.put("side", library.side.name().toLowerCase(Locale.ROOT));
        detail.putAll(share.detail());
        return new Figure(name(), share.together().percent(), "% of CPU", BUDGET_PERCENT, detail);
    }
}

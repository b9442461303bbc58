package io.weft.benchmarks;

import io.weft.benchmarks.Pair.Window;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * The same load in several ways that take turns, to and fro: one, other, other, one. What drifts on the machine hits all alike. The first way is what the
 * others are held against.
 */
final class SideBySide {
    /** Of each round, of each way. */
    private final List<List<List<Window>>> rounds = new ArrayList<>();

    interface Way {
        Window take();
    }

    void round(int turns, Way... ways) {
        List<List<Window>> round = Stream.of(ways).<List<Window>>map(way -> new ArrayList<>()).toList();
        for (int turn = 0; turn < turns; turn++) {
            for (int way = 0; way < ways.length; way++) {
                round.get(way).add(ways[way].take());
            }
            for (int way = ways.length - 1; way >= 0; way--) {
                round.get(way).add(ways[way].take());
            }
        }
        rounds.add(round);
    }

    /** Of each round, the second way over the first. */
    Distribution ratios(ToDoubleFunction<Window> quantity) {
        return ratios(1, 0, quantity);
    }

    /** Of each round. */
    Distribution ratios(int way, int over, ToDoubleFunction<Window> quantity) {
        return Distribution.of(rounds.stream()
                .map(round -> Window.median(round.get(way), quantity) / Window.median(round.get(over), quantity)).toList());
    }

    double median(int way, ToDoubleFunction<Window> quantity) {
        return Window.median(rounds.stream().flatMap(round -> round.get(way).stream()).toList(), quantity);
    }

    /**
     * The second way over the first: CPU of client and server together.
     *
     * @param first what the detail calls the microseconds of the first
     */
    Figure figure(String name, double budget, String first, Map<String, Object> more) {
        Distribution cpu = ratios(Window::cpuMicros);
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("rounds", cpu.size());
        detail.put("least", Distribution.round(cpu.min(), 3));
        detail.put("most", Distribution.round(cpu.max(), 3));
        detail.put(first, Distribution.round(median(0, Window::cpuMicros), 1));
        detail.put("p50Ratio", Distribution.round(ratios(Window::p50Micros).median(), 3));
        detail.put("p99Ratio", Distribution.round(ratios(Window::p99Micros).median(), 3));
        detail.putAll(more);
        return new Figure(name, Distribution.round(cpu.median(), 3), "ratio", budget, detail);
    }
}

package io.weft.it.chaos;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The table of {@code docs/reliability.md}: faults that were not tried this time keep the line that they have. */
final class Report {
    private static final String BEGIN = "<!-- measured: written by integration-tests/bin/chaos --report -->\n";
    private static final String END = "<!-- measured: end -->";
    private static final String HEAD = "| fault | promised | measured | again |\n|---|---|---|---|\n";

    private final Map<String, Count> counts = new LinkedHashMap<>();

    void add(Fault fault, Count count) {
        counts.merge(fault.name(), count, Count::plus);
    }

    /** @return the page with these lines */
    String into(String page) {
        int begin = page.indexOf(BEGIN) + BEGIN.length();
        int end = page.indexOf(END);
        if (begin < BEGIN.length() || end < begin) {
            throw new IllegalArgumentException("the page has no marks " + BEGIN.strip() + " and " + END);
        }
        Map<String, String> before = page.substring(begin, end).lines()
                .filter(line -> line.contains("`chaos "))
                .collect(Collectors.toMap(line -> line.substring(line.indexOf("`chaos ") + 7, line.lastIndexOf('`')), line -> line));
        StringBuilder table = new StringBuilder(HEAD);
        for (Fault fault : Faults.all()) {
            if (counts.containsKey(fault.name())) {
                table.append("| ").append(fault.what()).append(" | ").append(fault.promise().words()).append(" | ")
                        .append(words(counts.get(fault.name()))).append(" | `chaos ").append(fault.name()).append("` |\n");
            } else if (before.containsKey(fault.name())) {
                table.append(before.get(fault.name())).append('\n');
            }
        }
        return page.substring(0, begin) + table + page.substring(end);
    }

    static String words(Count count) {
        String failed = count.failed() == 0 ? "none failed" : count.failed() + " failed " + new TreeMap<>(count.failures());
        return count.requests() + " requests, " + failed + ", " + (count.wrong() == 0 ? "none" : count.wrong()) + " went wrong, slowest "
                + count.slowestMillis() + " ms";
    }
}

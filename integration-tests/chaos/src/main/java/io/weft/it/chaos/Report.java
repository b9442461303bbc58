package io.weft.it.chaos;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The table of {@code docs/reliability.md}: faults that were not tried this time keep the line that they have. */
final class Report {
    private static final String BEGIN = "<!-- measured: written by integration-tests/bin/chaos --report -->\n";
    private static final String END = "<!-- measured: end -->";
    private static final String HEAD = "| fault | promised | measured | two Envoys | again |\n|---|---|---|---|---|\n";
    private static final int CELLS = 5;
    private static final String UNKNOWN = "not measured";

    private final Map<String, Count> counts = new LinkedHashMap<>();
    private final Map<String, Count> countsOfEnvoys = new LinkedHashMap<>();

    void add(Fault fault, Count count) {
        counts.merge(fault.name(), count, Count::plus);
    }

    void addOfEnvoys(Fault fault, Count count) {
        countsOfEnvoys.merge(fault.name(), count, Count::plus);
    }

    /** @return the page with these lines */
    String into(String page) {
        int begin = page.indexOf(BEGIN) + BEGIN.length();
        int end = page.indexOf(END);
        if (begin < BEGIN.length() || end < begin) {
            throw new IllegalArgumentException("the page has no marks " + BEGIN.strip() + " and " + END);
        }
        Map<String, String[]> before = page.substring(begin, end).lines()
                .filter(line -> line.contains("`chaos "))
                .map(line -> line.substring(2, line.length() - 2).split(" \\| ", CELLS))
                .collect(Collectors.toMap(cells -> cells[CELLS - 1].substring("`chaos ".length(), cells[CELLS - 1].length() - 1), cells -> cells));
        StringBuilder table = new StringBuilder(HEAD);
        for (Fault fault : Faults.all()) {
            String[] known = before.get(fault.name());
            String measured = cell(counts.get(fault.name()), known == null ? null : known[2]);
            String envoys = fault.agents() ? "-" : cell(countsOfEnvoys.get(fault.name()), known == null ? null : known[3]);
            if (!measured.equals(UNKNOWN)) {
                table.append("| ").append(String.join(" | ", fault.what(), fault.promise().words(), measured, envoys, "`chaos " + fault.name() + "`"))
                        .append(" |\n");
            }
        }
        return page.substring(0, begin) + table + page.substring(end);
    }

    private static String cell(Count measured, String before) {
        return measured != null ? words(measured) : before != null ? before : UNKNOWN;
    }

    static String words(Count count) {
        String failed = count.failed() == 0 ? "none failed" : count.failed() + " failed " + new TreeMap<>(count.failures());
        return count.requests() + " requests, " + failed + ", " + (count.wrong() == 0 ? "none" : count.wrong()) + " went wrong, slowest "
                + count.slowestMillis() + " ms";
    }
}

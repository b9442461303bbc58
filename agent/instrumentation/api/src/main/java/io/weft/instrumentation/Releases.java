package io.weft.instrumentation;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * In which artifacts a library comes, and which of its versions are tested.
 *
 * @param artifacts as in {@code io.netty:netty-transport}: any that one may find the library's classes in, each with the version of the library; none:
 *     it comes with the JDK
 * @param tested none: nobody can tell
 */
public record Releases(List<String> artifacts, List<Range> tested) {
    public static final Releases UNKNOWN = new Releases(List.of(), List.of());

    public Releases {
        artifacts = List.copyOf(artifacts);
        tested = List.copyOf(tested);
    }

    /** @param tested as in {@code 9.4.20 to 12}, {@code 1.50 and later} or {@code 10.1}, which is all that begins so */
    public static Releases of(List<String> artifacts, String... tested) {
        return new Releases(artifacts, List.of(tested).stream().map(Range::of).toList());
    }

    public static Releases ofJdk(String tested) {
        return of(List.of(), tested);
    }

    /** @param version what comes after its numbers, as in {@code 4.1.15.Final}, is not looked at */
    public boolean areTestedIn(String version) {
        return tested.stream().anyMatch(range -> range.contains(version));
    }

    /**
     * @param first as in {@code 9.4.20}
     * @param last as in {@code 12}: the last is any that begins so; empty: there is none
     */
    public record Range(String first, String last) {
        private static final Pattern NUMBERS = Pattern.compile("\\d+(?:\\.\\d+)*");

        static Range of(String text) {
            if (text.endsWith(" and later")) {
                return new Range(text.substring(0, text.indexOf(' ')), "");
            }
            String[] ends = text.split(" to ");
            return new Range(ends[0], ends[ends.length - 1]);
        }

        boolean contains(String version) {
            List<Long> numbers = numbers(version);
            List<Long> end = numbers(last);
            return compare(numbers, numbers(first)) >= 0
                    && (last.isEmpty() || compare(numbers.subList(0, Math.min(end.size(), numbers.size())), end) <= 0);
        }

        private static List<Long> numbers(String version) {
            List<Long> numbers = new ArrayList<>();
            Matcher found = NUMBERS.matcher(version);
            if (found.lookingAt()) {
                for (String number : found.group().split("\\.")) {
                    numbers.add(Long.valueOf(number));
                }
            }
            return numbers;
        }

        private static int compare(List<Long> one, List<Long> other) {
            for (int i = 0; i < Math.max(one.size(), other.size()); i++) {
                int order = Long.compare(i < one.size() ? one.get(i) : 0, i < other.size() ? other.get(i) : 0);
                if (order != 0) {
                    return order;
                }
            }
            return 0;
        }
    }
}

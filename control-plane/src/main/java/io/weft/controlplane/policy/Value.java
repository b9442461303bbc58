package io.weft.controlplane.policy;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A value on its way into a record. A getter whose demand is not met notes a problem and returns a harmless stand-in, so
 * that one reading finds all problems of a document; what was built from stand-ins is never used.
 */
record Value(String path, Node node, Problems problems) {

    private static final Pattern DURATION = Pattern.compile("(\\d{1,19}(?:\\.\\d{0,18})?|\\.\\d{1,18})(ns|us|\u00b5s|\u03bcs|ms|s|m|h|d)");
    private static final Map<String, Duration> UNITS = Map.of(
            "ns", Duration.ofNanos(1), "us", Duration.ofNanos(1_000), "\u00b5s", Duration.ofNanos(1_000),
            "\u03bcs", Duration.ofNanos(1_000), "ms", Duration.ofMillis(1), "s", Duration.ofSeconds(1), "m", Duration.ofMinutes(1),
            "h", Duration.ofHours(1), "d", Duration.ofDays(1));
    /** Go's, some 292 years. */
    private static final BigDecimal MAX_NANOS = BigDecimal.valueOf(Long.MAX_VALUE);

    void refuse(String message) {
        problems.add(node.line(), path, message);
    }

    String text() {
        if (node instanceof Node.Text text) {
            return text.value();
        }
        boolean scalar = node instanceof Node.Whole || node instanceof Node.Fraction || node instanceof Node.Bool;
        refuse("needs a text, not " + node.describe() + (scalar ? "; put it in quotes" : ""));
        return "";
    }

    String nonEmptyText() {
        String text = text();
        if (text.isEmpty() && node instanceof Node.Text) {
            refuse("must not be empty");
        }
        return text;
    }

    long whole(long min, long max) {
        if (node instanceof Node.Whole number) {
            if (number.value() >= min && number.value() <= max) {
                return number.value();
            }
            refuse("must be from " + min + " to " + max + ", not " + number.value());
        } else {
            refuse("needs a whole number from " + min + " to " + max + ", not " + node.describe());
        }
        return min;
    }

    int port() {
        return (int) whole(1, 65_535);
    }

    boolean bool() {
        if (node instanceof Node.Bool bool) {
            return bool.value();
        }
        refuse("needs true or false, not " + node.describe());
        return false;
    }

    /**
     * As in Go: {@code 1h30m}, {@code 1.5s}, {@code 100us}, and {@code 0} without a unit; days as {@code 1d} too, which Kuma has in
     * places. Parts of a nanosecond are dropped.
     */
    Duration duration() {
        if (node instanceof Node.Whole || node instanceof Node.Fraction) {
            refuse("needs a duration with its unit, as in 24h, 1h30m or 1.5s, not " + node.describe());
            return Duration.ZERO;
        }
        String text = text();
        if (text.equals("0")) {
            return Duration.ZERO;
        }
        Matcher matcher = DURATION.matcher(text);
        BigDecimal nanos = BigDecimal.ZERO;
        int end = 0;
        while (matcher.find() && matcher.start() == end) {
            BigDecimal unit = BigDecimal.valueOf(UNITS.get(matcher.group(2)).toNanos());
            nanos = nanos.add(new BigDecimal(matcher.group(1)).multiply(unit).setScale(0, RoundingMode.DOWN));
            end = matcher.end();
        }
        if (node instanceof Node.Text && (end == 0 || end < text.length() || nanos.compareTo(MAX_NANOS) > 0)) {
            refuse("needs a duration as in 24h, 1h30m or 1.5s, not '" + text + "'");
            return Duration.ZERO;
        }
        return Duration.ofNanos(nanos.longValue());
    }

    Duration positiveDuration() {
        Duration duration = duration();
        if (duration.isZero() && node instanceof Node.Text) {
            refuse("must be above zero");
        }
        return duration;
    }

    /** A number as such or as a text, from 0 to 100. */
    BigDecimal percentage() {
        return decimal(BigDecimal.ZERO, BigDecimal.valueOf(100));
    }

    /** A number as such or as a text; the limit below is not one of them. */
    BigDecimal decimalAbove(BigDecimal limit, BigDecimal max) {
        BigDecimal number = decimal(limit, max);
        if (number.compareTo(limit) == 0) {
            refuse("must be above " + limit.toPlainString());
        }
        return number;
    }

    /** A number as such or as a text, which is how Kuma's fields have fractions. */
    BigDecimal decimal(BigDecimal min, BigDecimal max) {
        String text;
        if (node instanceof Node.Whole whole) {
            text = Long.toString(whole.value());
        } else {
            text = node instanceof Node.Fraction fraction ? fraction.text() : text();
        }
        try {
            BigDecimal number = new BigDecimal(text);
            if (number.compareTo(min) >= 0 && number.compareTo(max) <= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below, together with a number out of range.
        }
        refuse("must be a number from " + min.toPlainString() + " to " + max.toPlainString() + ", such as 10 or \"0.5\"");
        return max;
    }

    /** One of a set of words, spelt as in Kuma. */
    <E> E choice(Map<String, E> choices) {
        String text = text();
        E chosen = choices.get(text);
        if (chosen != null) {
            return chosen;
        }
        if (node instanceof Node.Text) {
            refuse("must be one of " + String.join(", ", choices.keySet()) + ", not '" + text + "'"
                    + Spelling.suggestion(text, choices.keySet()));
        }
        return choices.values().iterator().next();
    }

    Fields fields() {
        if (node instanceof Node.Mapping mapping) {
            return new Fields(path, mapping, problems);
        }
        refuse("needs a mapping, not " + node.describe());
        return new Fields(path, new Node.Mapping(node.line(), Map.of()), Fields.deaf());
    }

    List<Value> items() {
        if (!(node instanceof Node.Sequence sequence)) {
            refuse("needs a list, not " + node.describe());
            return List.of();
        }
        List<Value> items = new ArrayList<>();
        for (int i = 0; i < sequence.items().size(); i++) {
            items.add(new Value(path + "[" + i + "]", sequence.items().get(i), problems));
        }
        return items;
    }

    /** A mapping of texts: labels or tags. */
    Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        if (node instanceof Node.Mapping mapping) {
            mapping.entries().forEach((key, entry) ->
                    texts.put(key, new Value(path + "." + key, entry.value(), problems).text()));
        } else {
            refuse("needs a mapping, not " + node.describe());
        }
        return texts;
    }
}

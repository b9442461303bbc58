package io.weft.policy.model;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A pattern for times in the manner of {@code strftime}, with what Envoy adds: {@code %f} for the fraction of a second,
 * {@code %3f} for its first digits, {@code %s} for the seconds since 1970 and {@code %E3S} for seconds with a fraction.
 */
public final class TimePattern {
    /** Envoy's when none is given. */
    public static final TimePattern DEFAULT = new TimePattern("%Y-%m-%dT%H:%M:%E3SZ");

    private final String pattern;
    private final List<Element> elements = new ArrayList<>();

    @FunctionalInterface
    private interface Element {
        void append(ZonedDateTime time, StringBuilder out);
    }

    /** @throws IllegalArgumentException for what is not supported, the line break among it */
    public TimePattern(String pattern) {
        this.pattern = pattern;
        int literal = 0;
        int at = 0;
        while (at < pattern.length()) {
            if (pattern.charAt(at) != '%') {
                at++;
                continue;
            }
            text(pattern.substring(literal, at));
            int end = at + 1;
            while (end < pattern.length() && (Character.isDigit(pattern.charAt(end)) || "E*".indexOf(pattern.charAt(end)) >= 0)) {
                end++;
            }
            if (end == pattern.length()) {
                throw unsupported(pattern.substring(at));
            }
            elements.add(element(pattern.substring(at + 1, end), pattern.charAt(end)));
            at = end + 1;
            literal = at;
        }
        text(pattern.substring(literal));
    }

    public String format(Instant time, ZoneId zone) {
        ZonedDateTime zoned = time.atZone(zone);
        StringBuilder out = new StringBuilder(pattern.length() + 16);
        for (Element element : elements) {
            element.append(zoned, out);
        }
        return out.toString();
    }

    private void text(String text) {
        if (!text.isEmpty()) {
            elements.add((time, out) -> out.append(text));
        }
    }

    private static Element element(String modifier, char conversion) {
        if (conversion == 'f' || conversion == 'S' && !modifier.isEmpty()) {
            return fraction(modifier, conversion);
        }
        if (modifier.equals("E") && conversion == 'z') {
            return (time, out) -> offset(time, out, ":");
        }
        if (!modifier.isEmpty()) {
            throw unsupported('%' + modifier + conversion);
        }
        switch (conversion) {
            case 'Y':
                return (time, out) -> out.append(time.getYear());
            case 'C':
                return (time, out) -> number(out, time.getYear() / 100, 2, '0');
            case 'y':
                return (time, out) -> number(out, time.getYear() % 100, 2, '0');
            case 'm':
                return (time, out) -> number(out, time.getMonthValue(), 2, '0');
            case 'd':
                return (time, out) -> number(out, time.getDayOfMonth(), 2, '0');
            case 'e':
                return (time, out) -> number(out, time.getDayOfMonth(), 2, ' ');
            case 'H':
                return (time, out) -> number(out, time.getHour(), 2, '0');
            case 'I':
                return (time, out) -> number(out, time.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2, '0');
            case 'M':
                return (time, out) -> number(out, time.getMinute(), 2, '0');
            case 'S':
                return (time, out) -> number(out, time.getSecond(), 2, '0');
            case 'p':
                return (time, out) -> out.append(time.getHour() < 12 ? "AM" : "PM");
            case 'j':
                return (time, out) -> number(out, time.getDayOfYear(), 3, '0');
            case 'a':
                return (time, out) -> out.append(time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH));
            case 'A':
                return (time, out) -> out.append(time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH));
            case 'b':
            case 'h':
                return (time, out) -> out.append(time.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH));
            case 'B':
                return (time, out) -> out.append(time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH));
            case 'u':
                return (time, out) -> out.append(time.getDayOfWeek().getValue());
            case 'w':
                return (time, out) -> out.append(time.getDayOfWeek() == DayOfWeek.SUNDAY ? 0 : time.getDayOfWeek().getValue());
            case 'V':
                return (time, out) -> number(out, time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0');
            case 'G':
                return (time, out) -> out.append(time.get(IsoFields.WEEK_BASED_YEAR));
            case 'F':
                return several("Y", "-", "m", "-", "d");
            case 'D':
                return several("m", "/", "d", "/", "y");
            case 'T':
                return several("H", ":", "M", ":", "S");
            case 'R':
                return several("H", ":", "M");
            case 'z':
                return (time, out) -> offset(time, out, "");
            case 'Z':
                return (time, out) -> out.append(time.getOffset().getTotalSeconds() == 0
                        ? "UTC"
                        : time.getZone().getDisplayName(TextStyle.SHORT, Locale.ENGLISH));
            case 's':
                return (time, out) -> out.append(time.toEpochSecond());
            case 't':
                return (time, out) -> out.append('\t');
            case '%':
                return (time, out) -> out.append('%');
            default:
                throw unsupported("%" + conversion);
        }
    }

    /** Envoy cuts, it does not round. */
    private static Element fraction(String modifier, char conversion) {
        boolean seconds = conversion == 'S';
        String digits = modifier.startsWith("E") ? modifier.substring(1) : modifier;
        if (seconds && !modifier.startsWith("E") || digits.length() > 1) {
            throw unsupported('%' + modifier + conversion);
        }
        boolean all = digits.isEmpty() || digits.equals("*");
        int places = all ? 9 : digits.charAt(0) - '0';
        return (time, out) -> {
            if (seconds) {
                number(out, time.getSecond(), 2, '0');
                if (places > 0) {
                    out.append('.');
                }
            }
            int start = out.length();
            number(out, time.getNano(), 9, '0');
            out.setLength(start + places);
        };
    }

    private static Element several(String... parts) {
        List<Element> elements = new ArrayList<>(parts.length);
        for (String part : parts) {
            char c = part.charAt(0);
            elements.add(Character.isLetter(c) ? element("", c) : (time, out) -> out.append(c));
        }
        return (time, out) -> {
            for (Element element : elements) {
                element.append(time, out);
            }
        };
    }

    private static void offset(ZonedDateTime time, StringBuilder out, String separator) {
        int minutes = time.getOffset().getTotalSeconds() / 60;
        out.append(minutes < 0 ? '-' : '+');
        number(out, Math.abs(minutes) / 60, 2, '0');
        out.append(separator);
        number(out, Math.abs(minutes) % 60, 2, '0');
    }

    private static void number(StringBuilder out, int number, int width, char pad) {
        String digits = Integer.toString(number);
        for (int i = digits.length(); i < width; i++) {
            out.append(pad);
        }
        out.append(digits);
    }

    private static IllegalArgumentException unsupported(String conversion) {
        return new IllegalArgumentException("'" + conversion + "' is not supported in a time");
    }
}

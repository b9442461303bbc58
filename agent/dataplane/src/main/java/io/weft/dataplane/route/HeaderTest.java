package io.weft.dataplane.route;

import io.weft.dataplane.RequestHead;
import io.weft.dataplane.ResponseHeaders;
import io.weft.policy.model.HeaderMatch;
import java.util.List;

/**
 * A {@link HeaderMatch} made ready. A missing header fails every test but presence, inverted or not, unless it is to be
 * treated as empty: that is Envoy's rule. Immutable.
 */
public abstract sealed class HeaderTest {
    private static final HeaderTest[] NONE = {};

    private final String name;
    private final boolean pseudo;
    private final boolean invert;
    private final boolean missingAsEmpty;

    private HeaderTest(HeaderMatch match) {
        name = match.name();
        pseudo = name.startsWith(":") || name.equals("host");
        invert = match.invert();
        missingAsEmpty = match.treatMissingAsEmpty();
    }

    public final boolean matches(RequestHead request) {
        String value = pseudo ? request.value(name) : request.header(name);
        return value == null || pseudo || value.indexOf(',') < 0 ? matches(value) : matchesAny(request.values(name));
    }

    final boolean matches(int status, ResponseHeaders headers) {
        return matches(name.equals(":status") ? Integer.toString(status) : headers.header(name));
    }

    /** As Envoy since 1.39: each value of a header that occurs several times is looked at by itself. */
    private boolean matchesAny(List<String> values) {
        for (String value : values) {
            if (test(value)) {
                return !invert;
            }
        }
        return invert;
    }

    private boolean matches(String value) {
        if (value == null) {
            return missingAsEmpty ? test("") != invert : matchesMissing(invert);
        }
        return test(value) != invert;
    }

    /** Whether the header matches as a whole or one of its values, which commas divide, does by itself. */
    public final boolean matchesOne(RequestHead request) {
        if (matches(request)) {
            return true;
        }
        String values = pseudo ? null : request.header(name);
        if (values == null) {
            return false;
        }
        for (int from = 0, comma = values.indexOf(','); comma >= 0 || from > 0; comma = values.indexOf(',', from)) {
            String value = values.substring(from, comma < 0 ? values.length() : comma).strip();
            if (test(value) != invert) {
                return true;
            }
            if (comma < 0) {
                return false;
            }
            from = comma + 1;
        }
        return false;
    }

    abstract boolean test(String value);

    boolean matchesMissing(boolean inverted) {
        return false;
    }

    public static boolean all(HeaderTest[] tests, RequestHead request) {
        for (int i = 0; i < tests.length; i++) {
            if (!tests[i].matches(request)) {
                return false;
            }
        }
        return true;
    }

    public static HeaderTest[] of(List<HeaderMatch> matches) {
        if (matches.isEmpty()) {
            return NONE;
        }
        HeaderTest[] tests = new HeaderTest[matches.size()];
        for (int i = 0; i < tests.length; i++) {
            tests[i] = of(matches.get(i));
        }
        return tests;
    }

    public static HeaderTest of(HeaderMatch match) {
        if (match.test() instanceof HeaderMatch.Present present) {
            return new Present(match, present.present());
        }
        if (match.test() instanceof HeaderMatch.Range range) {
            return new Range(match, range.start(), range.end());
        }
        return new Value(match, TextTest.of(((HeaderMatch.Value) match.test()).match()));
    }

    private static final class Present extends HeaderTest {
        private final boolean present;

        Present(HeaderMatch match, boolean present) {
            super(match);
            this.present = present;
        }

        @Override
        boolean test(String value) {
            return present;
        }

        @Override
        boolean matchesMissing(boolean inverted) {
            return present == inverted;
        }
    }

    private static final class Value extends HeaderTest {
        private final TextTest test;

        Value(HeaderMatch match, TextTest test) {
            super(match);
            this.test = test;
        }

        @Override
        boolean test(String value) {
            return test.matches(value);
        }
    }

    private static final class Range extends HeaderTest {
        private final long start;
        private final long end;

        Range(HeaderMatch match, long start, long end) {
            super(match);
            this.start = start;
            this.end = end;
        }

        /** Blanks around the number and a sign are allowed, more is not; parsed by hand, since an exception would cost too much. */
        @Override
        boolean test(String value) {
            int from = 0;
            int to = value.length();
            while (from < to && value.charAt(from) <= ' ') {
                from++;
            }
            while (to > from && value.charAt(to - 1) <= ' ') {
                to--;
            }
            boolean negative = from < to && value.charAt(from) == '-';
            if (negative || from < to && value.charAt(from) == '+') {
                from++;
            }
            if (from == to) {
                return false;
            }
            // Summed up as a negative number, which has one value more.
            long number = 0;
            for (int i = from; i < to; i++) {
                int digit = value.charAt(i) - '0';
                if (digit < 0 || digit > 9 || number < (Long.MIN_VALUE + digit) / 10) {
                    return false;
                }
                number = number * 10 - digit;
            }
            if (!negative) {
                if (number == Long.MIN_VALUE) {
                    return false;
                }
                number = -number;
            }
            return number >= start && number < end;
        }
    }
}

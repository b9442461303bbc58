package io.weft.dataplane.route;

import com.google.re2j.Pattern;
import io.weft.policy.model.StringMatch;

/** A {@link StringMatch} made ready. Looks at a range of a string; allocates nothing, a regular expression excepted. Immutable. */
public abstract sealed class TextTest {

    public abstract boolean matches(String text, int from, int to);

    public final boolean matches(String text) {
        return matches(text, 0, text.length());
    }

    public static TextTest of(StringMatch match) {
        if (match instanceof StringMatch.Exact exact) {
            return new Exact(exact.value(), exact.ignoreCase());
        }
        if (match instanceof StringMatch.Prefix prefix) {
            return new Prefix(prefix.value(), prefix.ignoreCase());
        }
        if (match instanceof StringMatch.Suffix suffix) {
            return new Suffix(suffix.value(), suffix.ignoreCase());
        }
        if (match instanceof StringMatch.Contains contains) {
            return new Contains(contains.value(), contains.ignoreCase());
        }
        return new Regex(((StringMatch.Regex) match).regex());
    }

    private static final class Exact extends TextTest {
        private final String value;
        private final boolean ignoreCase;

        Exact(String value, boolean ignoreCase) {
            this.value = value;
            this.ignoreCase = ignoreCase;
        }

        @Override
        public boolean matches(String text, int from, int to) {
            // Whole texts the machine compares many bytes at a time.
            return to - from == value.length()
                    && (to == text.length() && !ignoreCase && from == 0 ? text.equals(value) : text.regionMatches(ignoreCase, from, value, 0, value.length()));
        }
    }

    private static final class Prefix extends TextTest {
        private final String value;
        private final boolean ignoreCase;

        Prefix(String value, boolean ignoreCase) {
            this.value = value;
            this.ignoreCase = ignoreCase;
        }

        @Override
        public boolean matches(String text, int from, int to) {
            return to - from >= value.length() && text.regionMatches(ignoreCase, from, value, 0, value.length());
        }
    }

    private static final class Suffix extends TextTest {
        private final String value;
        private final boolean ignoreCase;

        Suffix(String value, boolean ignoreCase) {
            this.value = value;
            this.ignoreCase = ignoreCase;
        }

        @Override
        public boolean matches(String text, int from, int to) {
            int start = to - value.length();
            return start >= from && text.regionMatches(ignoreCase, start, value, 0, value.length());
        }
    }

    private static final class Contains extends TextTest {
        private final String value;
        private final boolean ignoreCase;

        Contains(String value, boolean ignoreCase) {
            this.value = value;
            this.ignoreCase = ignoreCase;
        }

        @Override
        public boolean matches(String text, int from, int to) {
            for (int start = from; start <= to - value.length(); start++) {
                if (text.regionMatches(ignoreCase, start, value, 0, value.length())) {
                    return true;
                }
            }
            return false;
        }
    }

    private static final class Regex extends TextTest {
        private final Pattern pattern;

        Regex(String regex) {
            pattern = Pattern.compile(regex);
        }

        @Override
        public boolean matches(String text, int from, int to) {
            return pattern.matches(text.substring(from, to));
        }
    }
}
